"""The language of notices: the meaning of each kind, and the display of strangers' texts. Pure."""

from collections.abc import Mapping
from typing import Final

from restante.phrases import EXPIRES, HAS_EXPIRED
from restante.tenancy.notice import NoticeKind

MAX_TEXT: Final = 500  # characters of anything that goes into a notice

KIND_MEANINGS: Final[Mapping[NoticeKind, str]] = {
    NoticeKind.MAIL_AFTER_QUIET: "Mail came for a domain after an hour without any: its own server"
    " may be unavailable.",
    NoticeKind.PRIMARY_AWAY: "A watched destination did not answer two probes in a row.",
    NoticeKind.PRIMARY_BACK: "The destination answers again.",
    NoticeKind.DRAIN_FINISHED: "Everything held for a domain was handed over.",
    NoticeKind.DRAIN_GIVEN_UP: "A drain ended before all mail was delivered, because its time was"
    " over or the store failed. The rest stays held.",
    NoticeKind.DESTINATION_REFUSES: "A drain was stopped because the destination refused many"
    " messages in a row.",
    NoticeKind.DELIVERY_REFUSED: "The destination refused mail permanently. It is kept or bounced,"
    " by the domain's policy.",
    NoticeKind.QUOTA_REACHED: "A domain or an account has filled 80 or 100 % of its quota.",
    NoticeKind.RETENTION_AHEAD: "The oldest mail of a domain reaches the end of its retention in 7,"
    " 3 or 1 days.",
    NoticeKind.MAIL_EXPIRED: "Mail was deleted or bounced because its retention was over.",
    NoticeKind.MAIL_LOOPS: "Mail of a domain came back several times, and was deferred. Its"
    " destination sends it here again, or another backup does.",
    NoticeKind.PROOF_LOST: "The DNS record that proves a domain is missing. Its mail is still"
    " taken.",
    NoticeKind.DRILL_FAILED: "A drill of a domain failed: sent for the first one in a row, the"
    " second, the fourth and so on.",
    NoticeKind.DRILL_PROOF_OLD: "No drill has proven a domain for 90 days, or for two periods of"
    " its timer; sent again each time that age has doubled.",
    NoticeKind.DRILL_PASSED: "A drill has proven a domain again, after one that failed or an old"
    " proof.",
    NoticeKind.AUTHENTICATION_BURST: "AUTH failed many times in ten minutes for one login, or for"
    " an account's logins together.",
    NoticeKind.LOGIN_EXPIRING: f"A login {EXPIRES} 14, 7, 3 or 1 days, or {HAS_EXPIRED}.",
    NoticeKind.TURNAROUND_FROM_NEW_PLACE: "A login took held mail over its own connection, from a"
    " network where it never did so before. Every channel of the account receives it.",
    NoticeKind.TURNAROUND_RIGHT_GIVEN: "Somebody of the account let a login take held mail over its"
    " own connection, or changed the password or the certificates of such a login. Every channel of"
    " the account receives it.",
    NoticeKind.CHANGE_SCHEDULED: "Somebody of the account asked for another destination of a"
    " domain, or for other authorized hosts. It is applied later, unless it is cancelled. Every"
    " channel of the account receives it.",
    NoticeKind.CHANGE_ENDED: "Such a change was applied, cancelled or dropped. Every channel of the"
    " account receives it.",
    NoticeKind.CERTIFICATE_EXPIRING: f"A certificate of the server {EXPIRES} 14, 7, 3 or 1 days, or"
    f" {HAS_EXPIRED}.",
    NoticeKind.CERTIFICATE_ORDER_FAILED: "An authority issued no certificate by ACME. The order is"
    " tried again, and the certificate in use stays.",
    NoticeKind.MESSAGE_DAMAGED: "A held message is damaged on the server's disk. It is marked"
    " damaged and kept.",
    NoticeKind.DAMAGE_FOUND: "A held message of any account is damaged on the server's disk.",
    NoticeKind.SERVER_FAILING: "The server exits because its disk failed or the database is"
    " damaged. Sent at once, and only once: nothing can be stored then.",
    NoticeKind.ROOM_SHORT: "Less than `reception.disk_reserve` is free on the store's disk: mail is"
    " deferred.",
    NoticeKind.ROOM_BACK: "There is room on the store's disk again.",
    NoticeKind.STORE_AWAY: "The store could not be reached: mail was deferred and drains waited."
    " Sent when it is back, because notices are stored first.",
    NoticeKind.STORE_BACK: "The store can be reached again.",
    NoticeKind.OBJECTS_AWAY: "The object store cannot be used: mail of 1 MiB or more is deferred."
    " Other mail is taken and handed over.",
    NoticeKind.OBJECTS_BACK: "The object store can be used again.",
    NoticeKind.FILTER_AWAY: "A content filter failed three times in a row. Mail is held unexamined"
    " until it answers.",
    NoticeKind.FILTER_BACK: "The content filter answers again.",
    NoticeKind.CLOCK_DOUBTED: "The server's clock leapt by more than a day. For twelve hours, ages"
    " are counted by the expected time: set the clock if it is wrong.",
    NoticeKind.TEST: "Somebody ran `restante notice test`. Every channel receives it.",
}


def clean(text: object) -> str:
    """Return a value as one printable, short line of UTF-8: strangers choose names and replies."""
    beginning = str(text)[: 2 * MAX_TEXT]
    printed = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in beginning
    )
    line = " ".join(printed.split())
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"
