"""Define every event of the log, once.

A line of the log is one of these events and its fields. The reference lists them all.
"""

from enum import StrEnum

from restante.phrases import EXPIRES, HAS_EXPIRED


class Event(StrEnum):
    """The names of log lines. `MEANINGS` has the text that the reference prints for each."""

    # the server
    SERVER_STARTING = "server-starting"
    SERVER_READY = "server-ready"
    SERVER_STOPPING = "server-stopping"
    SERVER_STOPPED = "server-stopped"
    SERVER_RELOADED = "server-reloaded"
    RELOAD_FAILED = "reload-failed"
    SERVER_FAILING = "server-failing"
    INTERNAL_ERROR = "internal-error"
    LOOP_STALLED = "loop-stalled"
    CERTIFICATE_EXPIRING = "certificate-expiring"
    # reception
    SESSION_CLOSED = "session-closed"
    CONNECTIONS_SHED = "connections-shed"
    HTTP_CONNECTIONS_CUT = "http-connections-cut"
    ACCEPTS_FAILED = "accepts-failed"
    MAIL_HELD = "mail-held"
    MAIL_REFUSED = "mail-refused"
    RECIPIENT_REFUSED = "recipient-refused"
    MAIL_AFTER_QUIET = "mail-after-quiet"
    QUOTA_REACHED = "quota-reached"
    AUTHENTICATION = "authentication"
    AUTHENTICATION_BURST = "authentication-burst"
    # release
    RELEASE_REQUESTED = "release-requested"
    # delivery
    DRAIN_STARTED = "drain-started"
    DRAIN_FINISHED = "drain-finished"
    DELIVERY_ATTEMPT = "delivery-attempt"
    ATTEMPT_ENDED = "attempt-ended"
    MESSAGE_DELIVERED = "message-delivered"
    DELIVERY_DEFERRED = "delivery-deferred"
    DELIVERY_REFUSED = "delivery-refused"
    DELIVERY_UNCERTAIN = "delivery-uncertain"
    DESTINATION_REFUSES = "destination-refuses"
    PRIMARY_AWAY = "primary-away"
    PRIMARY_BACK = "primary-back"
    # reports
    REPORT_MADE = "report-made"
    REPORT_SENT = "report-sent"
    REPORT_DEFERRED = "report-deferred"
    REPORT_DROPPED = "report-dropped"
    SUCCESS_REPORTS_DROPPED = "success-reports-dropped"
    # notices
    NOTICE_SENT = "notice-sent"
    NOTICE_DEFERRED = "notice-deferred"
    NOTICE_GIVEN_UP = "notice-given-up"
    NOTICES_DROPPED = "notices-dropped"
    # the store
    STORE_FAILED = "store-failed"
    STORE_SCRUBBED = "store-scrubbed"
    MESSAGE_DAMAGED = "message-damaged"
    ROOM_SHORT = "room-short"
    ROOM_BACK = "room-back"
    # retention
    RETENTION_AHEAD = "retention-ahead"
    RETENTION_OVER = "retention-over"
    MAIL_EXPIRED = "mail-expired"
    # administration
    RECORD_CHANGED = "record-changed"


MEANINGS: dict[Event, str] = {
    Event.SERVER_STARTING: "The process has read its configuration and is starting.",
    Event.SERVER_READY: "Every listener is open and the store is readable.",
    Event.SERVER_STOPPING: "A signal asked the server to stop; no new connection is taken.",
    Event.SERVER_STOPPED: "Everything acknowledged is on disk and the store is closed.",
    Event.SERVER_RELOADED: "SIGHUP: configuration and certificates were read again; sessions went on."
    " `restart_for` names what waits for a restart.",
    Event.RELOAD_FAILED: "SIGHUP: the new configuration cannot be used; nothing has changed.",
    Event.SERVER_FAILING: "A sync or a read of the database failed, or the database is damaged: nothing is acknowledged"
    " until the store is opened anew. The server leaves with exit code 75, for the service manager to start it again; if"
    " the next start finds damage, it ends with exit code 65 and is not started again.",
    Event.INTERNAL_ERROR: "A defect: the session concerned got a 421 or 451, the rest goes on. Report it.",
    Event.LOOP_STALLED: "One turn of the event loop took more than a quarter of a second, so everything else waited:"
    " `seconds` says how long, at least. Report it if the machine was not overloaded.",
    Event.CERTIFICATE_EXPIRING: f"A certificate in use {EXPIRES} 14, 7, 3 or 1 days, or {HAS_EXPIRED}; each told once.",
    Event.SESSION_CLOSED: "One SMTP session ended, with what it did and why it ended.",
    Event.CONNECTIONS_SHED: "Connections of the last second that were told 421 at once, and past which limit.",
    Event.HTTP_CONNECTIONS_CUT: "HTTP connections of the last second that were closed without an answer, with their"
    " `service` (the control socket or the metrics port) and why: too many of them, no request within ten seconds, or an"
    " answer that the client did not take.",
    Event.ACCEPTS_FAILED: "No file descriptor was free, so that new connections were closed at once or had to wait. At most"
    " one line a second; raise `LimitNOFILE` or lower `reception.connections_limit`.",
    Event.MAIL_HELD: "A message is durably held; this server answers for it now.",
    Event.MAIL_REFUSED: "A transaction ended without mail being held, after its content had begun. A session has ten such"
    " lines; the rest are counted by reply and written when it ends, with `count`.",
    Event.RECIPIENT_REFUSED: "RCPT was answered with 4xx or 5xx. A session has ten such lines; the rest are counted by"
    " reply and written when it ends, with `count`.",
    Event.MAIL_AFTER_QUIET: "Mail came for a domain that had none for an hour: its own server may be away.",
    Event.QUOTA_REACHED: "A domain or an account has filled 80 or 100 % of its quota; past 100 % RCPT is answered 452.",
    Event.AUTHENTICATION: "AUTH ended, well or not.",
    Event.AUTHENTICATION_BURST: "Ten attempts in ten minutes failed for a login, or thirty for an account's logins together.",
    Event.RELEASE_REQUESTED: "Somebody asked for a domain's mail; the answer and the true reason.",
    Event.DRAIN_STARTED: "Handing over of a domain's held mail began.",
    Event.DRAIN_FINISHED: "It ended: how much was delivered, deferred, refused, and why it stopped.",
    Event.DELIVERY_ATTEMPT: "One connection to a destination ended, or could not be made.",
    Event.ATTEMPT_ENDED: "A drain's attempt is over, with why: also one that made no connection, for want of an address or"
    " because held mail could not be read. A drain makes further ones until its patience ends.",
    Event.MESSAGE_DELIVERED: "The destination has taken a message; its reply says under which name.",
    Event.DELIVERY_DEFERRED: "The destination did not take a message for a recipient now, or said nothing; it stays held.",
    Event.DELIVERY_REFUSED: "The destination said 5xx to a recipient: it waits as refused for the customer.",
    Event.DELIVERY_UNCERTAIN: "The destination's final reply to a message could not be read, the third time: it may"
    " have the message, which is set apart beside the refused ones until somebody decides.",
    Event.DESTINATION_REFUSES: "A drain was stopped: the destination refuses everything (`delivery.refusals_limit`).",
    Event.PRIMARY_AWAY: "A destination that is watched did not answer two probes in a row; a line for each account concerned.",
    Event.PRIMARY_BACK: "It answers again, twice in a row: drains begin for domains that are held until its return.",
    Event.REPORT_MADE: "A report to a message's sender is stored, with what it tells of: failed, delayed or relayed.",
    Event.REPORT_SENT: "A mail server of the reverse-path's domain has taken a report.",
    Event.REPORT_DEFERRED: "A report could not be sent now; it is tried again.",
    Event.REPORT_DROPPED: "A report was given up: refused, nowhere to send it to, or tried for too long. Nobody is told.",
    Event.SUCCESS_REPORTS_DROPPED: "More reports of success waited than `reports.successes_limit` allows: `count` of them"
    " were dropped. Nobody is told. The mail itself was delivered.",
    Event.NOTICE_SENT: "A notice has reached the channel that it was for.",
    Event.NOTICE_DEFERRED: "A notice could not be sent now; it is tried again, and those behind it wait.",
    Event.NOTICE_GIVEN_UP: "A notice was refused for good, or tried for too long.",
    Event.NOTICES_DROPPED: "There were more notices than `notices.waiting_limit` lets wait for a channel, or more news at"
    " once than are kept: so many were never told.",
    Event.STORE_FAILED: "The store could not do something; senders were told 451, askers 458.",
    Event.STORE_SCRUBBED: "All of the database and of held content was read and compared, as once a day: how much that"
    " was, and how many messages were damaged.",
    Event.MESSAGE_DAMAGED: "A message's content is not what was written, or is missing. Its recipients are refused with a"
    " reply that begins `damaged:`, and it keeps no other mail back.",
    Event.ROOM_SHORT: "Less than `reception.disk_reserve` is free on the store's disk: MAIL is answered 452.",
    Event.ROOM_BACK: "There is room on the store's disk again: mail is taken.",
    Event.RETENTION_AHEAD: "The oldest mail of a domain will be deleted in 7, 3 or 1 days if nobody fetches it; each told once.",
    Event.RETENTION_OVER: "Mail is older than its domain's retention, and is kept all the same.",
    Event.MAIL_EXPIRED: "Mail whose retention was over was deleted; the audit trail has the names.",
    Event.RECORD_CHANGED: "An operator changed an account, login, domain or the queue.",
}
