r"""A sender's request for reports: RET, ENVID, NOTIFY, ORCPT (RFC 3461 §4), as values and as text.

ENVID and ORCPT are kept in xtext as the command gave them, so that they can be passed on unchanged.
The one exception are characters outside ASCII in an ORCPT of type utf-8. Each is kept as
`\x{HEXPOINT}`, a form that every server takes (RFC 6533 §3).
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Flag, StrEnum, auto
from typing import Final

# xtext = *( xchar / hexchar );  xchar: "!" to "~" except "+" and "=";  hexchar: "+" and two
# upper-case digits (§4)
_XTEXT: Final = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*\Z")
_HEXCHAR: Final = re.compile(r"\+([0-9A-F]{2})")
_PRINTABLE: Final = re.compile(r"[\t -~]*\Z")  # §4.2, §4.4: graphic and white space, of ASCII
_EMBEDDED: Final = re.compile(r"\\x\{([0-9A-F]{2,6})\}")  # RFC 6533 §3
_LAST_SURROGATE, _FIRST_SURROGATE, _LAST_CHARACTER = 0xDFFF, 0xD800, 0x10FFFF


class Ret(StrEnum):
    """RET: how much of the message a report of failure returns (§4.3)."""

    FULL = "FULL"
    HDRS = "HDRS"


class Notify(Flag):
    """NOTIFY: the events that the sender wants reported (§4.1). Without it: failure."""

    NEVER = 0
    SUCCESS = auto()
    FAILURE = auto()
    DELAY = auto()

    @property
    def text(self) -> str:
        """Return the value as it is written in a command."""
        names = [
            one.name
            for one in (Notify.SUCCESS, Notify.FAILURE, Notify.DELAY)
            if one in self and one.name
        ]
        return ",".join(names) or "NEVER"


@dataclass(frozen=True, slots=True)
class RecipientRequest:
    """The request of one RCPT: None and "" where it made none."""

    notify: Notify | None = None
    original: str = ""  # the value of ORCPT: type, `;`, xtext


@dataclass(frozen=True, slots=True)
class DsnRequest:
    """The request of one transaction. Most make none, and their envelopes have none of these."""

    ret: Ret | None = None
    envelope_id: str = ""  # the value of ENVID: xtext
    recipients: Mapping[str, RecipientRequest] = field(
        default_factory=dict, hash=False
    )  # by forward-path

    def of(self, forward_path: str) -> RecipientRequest:
        """Return what was said of a recipient."""
        return self.recipients.get(forward_path, _NOTHING)

    def only(self, forward_paths: Collection[str]) -> "DsnRequest | None":
        """Return the part for these recipients, None if empty: others' must stay unknown."""
        some = {path: self.recipients[path] for path in forward_paths if path in self.recipients}
        return replace(self, recipients=some) if some or self.ret or self.envelope_id else None


_NOTHING: Final = RecipientRequest()


def parse_notify(text: str) -> Notify:
    """Read a NOTIFY value: NEVER alone, or a list of the others, in any case. Raises ValueError."""
    words = text.upper().split(",")
    if words == ["NEVER"]:
        return Notify.NEVER
    found = Notify.NEVER
    for word in words:
        if word not in ("SUCCESS", "FAILURE", "DELAY"):
            raise ValueError(text)
        found |= Notify[word]
    return found


def xtext_decoded(text: str) -> str:
    """Return what xtext stands for.

    Raises ValueError if it is not xtext, or stands for characters that no report can show.
    """
    if not _XTEXT.match(text):
        raise ValueError(text)
    decoded = _HEXCHAR.sub(lambda match: chr(int(match[1], 16)), text)
    if not _PRINTABLE.match(decoded):
        raise ValueError(text)
    return decoded


def xtext(text: str) -> str:
    """Spell ASCII text as xtext: `+`, `=`, and characters that are not graphic, as hexchars."""
    return "".join(
        letter if "!" <= letter <= "~" and letter not in "+=" else f"+{ord(letter):02X}"
        for letter in text
    )


def embedded(text: str) -> str:
    r"""Write characters outside ASCII as `\x{HEXPOINT}`."""
    return "".join(
        character if character.isascii() else f"\\x{{{ord(character):X}}}" for character in text
    )


def utf8_address(path: str) -> str:
    r"""Spell a path as utf-8-addr-xtext.

    The result is ASCII, with `\`, `+`, `=`, blanks and characters outside ASCII embedded.
    """
    return "".join(
        character
        if "!" <= character <= "~" and character not in "\\+="
        else f"\\x{{{ord(character):02X}}}"
        for character in path
    )


def unembedded(text: str) -> str:
    r"""Return text with each `\x{HEXPOINT}` as its character; controls and invalid ones stay."""
    return _EMBEDDED.sub(lambda match: _character(int(match[1], 16)) or match[0], text)


def _character(point: int) -> str:
    if point > _LAST_CHARACTER or _FIRST_SURROGATE <= point <= _LAST_SURROGATE:
        return ""
    return chr(point) if chr(point).isprintable() else ""
