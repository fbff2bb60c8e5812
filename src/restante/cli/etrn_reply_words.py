"""The meaning of replies to ETRN (RFC 1985 §5.2), in words and as exit codes."""

from restante.cli.failures import Exit
from restante.phrases import NOTHING_WAITS

_AUTHENTICATION = frozenset({530, 534, 535, 538})  # RFC 4954 §6
_NODE_NOT_ALLOWED = 459
_POSITIVE = range(200, 300)
_TEMPORARY = range(400, 500)
_LOWEST = 100  # below it is no code: smtplib's -1 for a reply that it cannot read

_WORDS = {
    250: "queuing started",
    251: NOTHING_WAITS,
    252: "pending messages started",
    253: "pending messages started",
    458: "unable to queue messages now; ask again later",
    459: "not allowed: not a domain of this login, or this is not an authorized host",
    500: "the server does not understand the request",
    501: "not a domain name that the server accepts",
    502: "the server does not offer ETRN",
    530: "the server requires authentication first",
    535: "user name or password is wrong",
}


def words(code: int) -> str:
    """Return the meaning of a reply code."""
    if code < _LOWEST:
        return "no SMTP reply"
    if code in _POSITIVE:
        return _WORDS.get(code, "accepted")
    return _WORDS.get(code, "not done now; ask again later" if code in _TEMPORARY else "refused")


def exit_for(code: int) -> Exit:
    """Return the exit code for a reply: the worst of several is the highest.

    Only 2xx is success: a reply that cannot be read, or that expects more from us, is none.
    """
    if code in _POSITIVE:
        return Exit.DONE
    if code == _NODE_NOT_ALLOWED or code in _AUTHENTICATION:
        return Exit.NOT_ALLOWED
    if code in _TEMPORARY:
        return Exit.TRY_LATER
    return Exit.DATA if code in (500, 501) else Exit.UNAVAILABLE
