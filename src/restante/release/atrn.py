"""ATRN from the releaser back to the wire (RFC 2645 §5.2.1).

The session has already checked TLS and the command sequence.
"""

from restante.release.release_outcome import (
    CannotNow,
    Granted,
    NotATarget,
    NotAuthenticated,
    NothingHeld,
    Refused,
    ReleaseOutcome,
)
from restante.smtp import replies
from restante.smtp.replies import Reply


def atrn_reply(answer: ReleaseOutcome) -> Reply:
    """Return the reply to ATRN. One refusal for all its causes: the audit trail has the truth."""
    match answer:
        case Granted():
            return replies.TURNING_AROUND
        case NothingHeld():
            return replies.NO_MAIL_TO_TURN
        case Refused():
            return replies.TURN_REFUSED
        case CannotNow():
            return replies.TURN_SUSPENDED if answer.suspensions else replies.TURN_FAILED
        case NotAuthenticated():
            return replies.AUTHENTICATION_REQUIRED
        case NotATarget():
            return replies.TURN_INVALID
