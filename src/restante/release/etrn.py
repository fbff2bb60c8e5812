"""ETRN from the wire to the releaser and back (RFC 1985).

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


def etrn_reply(answer: ReleaseOutcome) -> Reply:
    """Return the reply to ETRN (RFC 1985 §5)."""
    match answer:
        case Granted(target, pending):
            return replies.MESSAGES_PENDING.fill(count=pending, target=target)
        case NothingHeld(target, _, is_positive_wanted):
            reply = replies.QUEUING_STARTED if is_positive_wanted else replies.NOTHING_PENDING
            return reply.fill(target=target)
        case Refused(target):
            return replies.NODE_NOT_ALLOWED.fill(target=target)
        case CannotNow(target):
            by_atrn = answer.is_by_atrn_only
            reply = replies.TARGET_BY_ATRN_ONLY if by_atrn else replies.CANNOT_QUEUE
            return reply.fill(target=target)
        case NotAuthenticated():
            return replies.AUTHENTICATION_REQUIRED
        case NotATarget(is_missing):
            return replies.NODE_MISSING if is_missing else replies.NODE_INVALID
