"""Why an SMTP session ended: a closed list, for its line in the log and for the metrics."""

from enum import StrEnum


class SessionEnd(StrEnum):
    """Each is a value of `end` in events and metrics."""

    QUIT = "quit"
    CLOSED_BY_CLIENT = "closed-by-client"  # without QUIT
    CONNECTION_LOST = "connection-lost"
    TLS_FAILED = "tls-failed"
    TIMED_OUT = "timed-out"
    NO_MESSAGE = "no-message"  # held and no release granted, for too long
    ERRORS = "too-many-errors"
    EARLY_COMMANDS = "too-many-early-commands"  # before EHLO
    JUNK_COMMANDS = "too-many-idle-commands"  # that do nothing
    REFUSED_RECIPIENTS = "too-many-refused-recipients"
    FAILED_AUTHENTICATIONS = "too-many-failed-authentications"
    UNREADABLE_BDAT = "unreadable-bdat"
    DATA_BEFORE_TLS = "data-before-tls"
    TURNED_AROUND = "turned-around"  # the client took its mail on the connection it had made
    SERVER_STOPPING = "server-stopping"
    DEFECT = "internal-error"
