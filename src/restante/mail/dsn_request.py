r"""What a sender asked about reports: RET, ENVID, NOTIFY, ORCPT (RFC 3461 §4), as values and as text.

ENVID and ORCPT are kept as they stand in the command, in xtext, so that they can be passed on as
they came. The one exception is an ORCPT of type utf-8 with characters outside ASCII: it is kept in
the form that every server takes, `\x{HEXPOINT}` for each of them (RFC 6533 §3).
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
    """RET: what of the message a report that it failed brings back (§4.3)."""

    FULL = "FULL"
    HDRS = "HDRS"


class Notify(Flag):
    """NOTIFY: of what the sender wants to hear (§4.1). Without it: of failure."""

    NEVER = 0
    SUCCESS = auto()
    FAILURE = auto()
    DELAY = auto()

    @property
    def text(self) -> str:
        """Return the value as a command has it."""
        names = [
            one.name
            for one in (Notify.SUCCESS, Notify.FAILURE, Notify.DELAY)
            if one in self and one.name
        ]
        return ",".join(names) or "NEVER"


@dataclass(frozen=True, slots=True)
class RecipientRequest:
    """What one RCPT said: None and "" where it did not."""

    notify: Notify | None = None
    original: str = ""  # the value of ORCPT: type, `;`, xtext


@dataclass(frozen=True, slots=True)
class DsnRequest:
    """What one transaction said. Most say nothing, and their envelopes have none of these."""

    ret: Ret | None = None
    envelope_id: str = ""  # the value of ENVID: xtext
    recipients: Mapping[str, RecipientRequest] = field(
        default_factory=dict, hash=False
    )  # by forward-path

    def of(self, forward_path: str) -> RecipientRequest:
        """Return what was said of a recipient."""
        return self.recipients.get(forward_path, _NOTHING)

    def only(self, forward_paths: Collection[str]) -> "DsnRequest | None":
        """Return what of it is about these recipients, None if that is nothing: others' stay unknown."""
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

    Raises ValueError where it is none, or stands for what no report can show.
    """
    if not _XTEXT.match(text):
        raise ValueError(text)
    decoded = _HEXCHAR.sub(lambda match: chr(int(match[1], 16)), text)
    if not _PRINTABLE.match(decoded):
        raise ValueError(text)
    return decoded


def xtext(text: str) -> str:
    """Spell ASCII text as xtext: `+`, `=`, and what is not graphic, as hexchars."""
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
    r"""Spell a path as utf-8-addr-xtext: ASCII, with `\`, `+`, `=`, blanks and what is not ASCII embedded."""
    return "".join(
        character
        if "!" <= character <= "~" and character not in "\\+="
        else f"\\x{{{ord(character):02X}}}"
        for character in path
    )


def unembedded(text: str) -> str:
    r"""Return text with each `\x{HEXPOINT}` as the character it means; controls and what is none stay as they are."""
    return _EMBEDDED.sub(lambda match: _character(int(match[1], 16)) or match[0], text)


def _character(point: int) -> str:
    if point > _LAST_CHARACTER or _FIRST_SURROGATE <= point <= _LAST_SURROGATE:
        return ""
    return chr(point) if chr(point).isprintable() else ""
