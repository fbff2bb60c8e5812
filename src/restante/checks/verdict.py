"""The verdicts of checks about a recipient or content. Pure.

    CheckPassed      hold it, with the findings: notes, a score, fields for the header, suspicion
    CheckRefused     refuse it now: 4xx where time may cure it, otherwise 5xx
    CheckUndecided   the check cannot tell now; its limits decide

Reputation is never 5xx: a listing ends, and a bounce does not. 5xx is for content that nobody may
pass on, such as malware.
"""

import re
from dataclasses import dataclass
from typing import Final

from restante.smtp.replies import Reply

FIELD_OCTETS: Final = 998  # of one field without its CRLF, RFC 5322 §2.1.1
_FIELD_NAME: Final = re.compile(
    r"X-[!-9;-~]{1,70}\Z"
)  # RFC 5322 §3.6.8, and no field that has a meaning
_TEXT: Final = re.compile(r"[ -~]{1,400}\Z")  # a reply line has 512 octets at most
_STATUS: Final = re.compile(r"[45]\.\d{1,3}\.\d{1,3}\Z")


@dataclass(frozen=True, slots=True)
class CheckField:
    """A field that a check adds above our Received field, on one line.

    Raises ValueError for a name without `X-`, and for a value that would end the line or the
    header, or is not printable ASCII.
    """

    name: str
    value: str

    def __post_init__(self) -> None:
        """Refuse what could forge another field."""
        if not _FIELD_NAME.match(self.name):
            raise ValueError(f"not the name of an extension field: {self.name!r}")
        if not (self.value.isascii() and self.value.isprintable()):
            raise ValueError(f"not a value on one line: {self.value!r}")
        if len(bytes(self)) - 2 > FIELD_OCTETS:
            raise ValueError(f"the field {self.name} is too long")

    def __bytes__(self) -> bytes:
        """Return the field with its CRLF."""
        return f"{self.name}: {self.value}\r\n".encode()


@dataclass(frozen=True, slots=True)
class CheckPassed:
    """The mail may be held."""

    notes: tuple[str, ...] = ()  # for the log
    score: float | None = None  # by the check's own measure
    fields: tuple[CheckField, ...] = ()
    is_suspect: bool = False  # its reverse-path may be forged: no reports go there
    domains: frozenset[int] | None = None  # of content: whose mail this is about; None: all


@dataclass(frozen=True, slots=True)
class CheckRefused:
    """The mail must not be held. `reason` is for the log, the reply is for the client."""

    reply: Reply
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CheckUndecided:
    """The check cannot tell now."""

    reason: str
    notes: tuple[str, ...] = ()  # about mail that is accepted nevertheless


CheckVerdict = CheckPassed | CheckRefused | CheckUndecided

PASSED: Final = CheckPassed()  # nothing was found


def refuse(code: int, status: str, text: str, reason: str = "") -> CheckRefused:
    """Return a refusal with this reply, such as `450, "4.7.1", "Listed, try again later"`.

    The status must be of the code's class (RFC 3463 §2). The text is one line of printable ASCII,
    with at most 400 characters. Raises ValueError otherwise.
    """
    if not (code // 100 in (4, 5) and _STATUS.match(status) and status[0] == str(code)[0]):
        raise ValueError(f"not a refusal: {code} {status}")
    if not _TEXT.match(text):
        raise ValueError(f"not the text of a reply: {text!r}")
    return CheckRefused(Reply(code, status, text), reason)
