"""Why an SMTP session ended: a closed list, for its line in the log and for the metrics."""

from enum import StrEnum


class SessionEnd(StrEnum):
    """Each is part of a sentence that a person reads."""

    QUIT = "quit"
    CLOSED_BY_CLIENT = "closed by client"  # without QUIT
    CONNECTION_LOST = "connection lost"
    TLS_FAILED = "TLS failed"
    TIMED_OUT = "timed out"
    NO_MESSAGE = "no message for too long"
    ERRORS = "too many errors"
    EARLY_COMMANDS = "too many commands before EHLO"
    JUNK_COMMANDS = "too many commands that do nothing"
    REFUSED_RECIPIENTS = "too many refused recipients"
    FAILED_AUTHENTICATIONS = "too many failed authentications"
    UNREADABLE_BDAT = "unreadable BDAT"
    DATA_BEFORE_TLS = "data before TLS"
    TURNED_AROUND = "turned around"  # the client took its mail on the connection it had made
    SERVER_STOPPING = "server stopping"
    DEFECT = "internal error"
