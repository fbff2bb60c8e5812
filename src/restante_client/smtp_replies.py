"""Replies of SMTP, and their meaning for a customer that asks by ETRN or ATRN.

RFC 1985 §5.2 has the codes of ETRN, RFC 2645 §5.2.1 those of ATRN. The exit code of several is the
highest.
"""

from __future__ import annotations

from dataclasses import dataclass

from restante_client.client_failure import ClientExit, shown

NO_MAIL = 453  # to ATRN (RFC 2645 §5.2.1)
UNREADABLE = -1  # the code of a line that is no reply
_LOWEST = 100
_POSITIVE = range(200, 300)
_TEMPORARY = range(400, 500)
_AUTHENTICATION = frozenset({530, 534, 535, 538})  # RFC 4954 §6
_NODE_NOT_ALLOWED = 459

_ETRN_WORDS = {
    250: "queuing started",
    251: "no messages waiting",
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
_ATRN_WORDS = {
    450: "refused: a domain is not of this login, a turnaround of it is not allowed, or this is not"
    " an authorized host",
    451: "not possible now; try again later",
    NO_MAIL: "no mail is held",
    459: "refused: not allowed for this login, or from this address",
    502: "the server does not offer ATRN here",
    503: "the server expects another command",
    530: "the server requires authentication first",
}


@dataclass(frozen=True)
class SmtpAnswer:
    """One reply: its code, and its lines without the code."""

    code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text as one line that can be shown."""
        return shown(" ".join(self.lines))

    @property
    def said(self) -> str:
        """Code and text as one line."""
        return f"{self.code} {self.text}".strip() if self.code > 0 else self.text


def etrn_words(code: int) -> str:
    """Return the meaning of a reply to ETRN, or to a command before it."""
    return _words(code, _ETRN_WORDS)


def atrn_words(code: int) -> str:
    """Return the meaning of a reply to ATRN."""
    return _words(code, _ATRN_WORDS)


def _words(code: int, known: dict[int, str]) -> str:
    if code < _LOWEST:
        return "no SMTP reply"
    if code in _POSITIVE:
        return known.get(code, "accepted")
    return known.get(code, "not done now; ask again later" if code in _TEMPORARY else "refused")


def etrn_exit(code: int) -> ClientExit:
    """Return the exit code for a reply to ETRN, or to a command before it.

    Only 2xx is success: a reply that cannot be read, or that expects more from us, is none.
    """
    if code in _POSITIVE:
        return ClientExit.DONE
    if code == _NODE_NOT_ALLOWED or code in _AUTHENTICATION:
        return ClientExit.NOT_ALLOWED
    if code in _TEMPORARY:
        return ClientExit.TRY_LATER
    return ClientExit.DATA if code in (500, 501) else ClientExit.UNAVAILABLE


def atrn_exit(code: int) -> ClientExit:
    """Return the exit code for a reply to ATRN. 453 is no failure: there is no mail.

    450 is 75 although it is a refusal. A limit and a turnaround that still runs get it too, and
    trying again later is right for these.
    """
    return ClientExit.DONE if code == NO_MAIL else etrn_exit(code)
