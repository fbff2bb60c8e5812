"""The milter protocol, version 6: packets to a milter, and its replies. Pure.

A packet is a length of four octets, a letter, and data. A milter that asks for more than the
actions offered to it is refused, so it changes neither the content nor the recipients.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from enum import IntFlag
from ipaddress import IPv6Address
from typing import Final, NamedTuple

from restante.tenancy.model import IpAddress

VERSION: Final = 6
OLDEST_VERSION: Final = 2
REPLY_LIMIT: Final = 128 * 1024  # octets of one packet
BODY_LIMIT: Final = 65535  # octets of one packet with a part of the body
HEADER_LIMIT: Final = 512 * 1024  # octets of a message's header
_LENGTH: Final = struct.Struct("!I")
_OFFER: Final = struct.Struct("!III")


class MilterAction(IntFlag):
    """The actions that a milter may ask for."""

    ADD_HEADERS = 0x01
    CHANGE_HEADERS = 0x10
    QUARANTINE = 0x20


# Filters such as OpenDKIM refuse to work without these. Fields that they add are only noted.
OFFERED_ACTIONS: Final = (
    MilterAction.ADD_HEADERS | MilterAction.CHANGE_HEADERS | MilterAction.QUARANTINE
)


class MilterSteps(IntFlag):
    """The steps that a milter leaves out, and those that it does not reply to."""

    NO_CONNECT = 0x1
    NO_HELLO = 0x2
    NO_MAIL = 0x4
    NO_RECIPIENT = 0x8
    NO_BODY = 0x10
    NO_HEADERS = 0x20
    NO_END_OF_HEADER = 0x40
    SILENT_HEADER = 0x80
    NO_UNKNOWN = 0x100
    NO_DATA = 0x200
    SKIP = 0x400
    SILENT_CONNECT = 0x1000
    SILENT_HELLO = 0x2000
    SILENT_MAIL = 0x4000
    SILENT_RECIPIENT = 0x8000
    SILENT_DATA = 0x1_0000
    SILENT_UNKNOWN = 0x2_0000
    SILENT_END_OF_HEADER = 0x4_0000
    SILENT_BODY = 0x8_0000
    LEADING_SPACE = 0x10_0000


OFFERED_STEPS: Final = MilterSteps(0x1F_FFFF & ~0x800)


class MilterBroken(Exception):  # noqa: N818
    """A milter does not keep to the protocol. The text is the cause."""


class MilterReply(NamedTuple):
    """One packet of a milter."""

    letter: str
    data: bytes

    @property
    def strings(self) -> Sequence[str]:
        """The strings in it, as printable ASCII."""
        return [plain(one) for one in self.data.removesuffix(b"\0").split(b"\0")]


def plain(octets: bytes) -> str:
    """Return octets of a milter as they may be kept: one line of printable ASCII."""
    text = octets.decode("ascii", "replace")
    return " ".join("".join(c if c.isascii() and c.isprintable() else " " for c in text).split())


def packet(letter: str, data: bytes = b"") -> bytes:
    """Return a packet."""
    return _LENGTH.pack(len(data) + 1) + letter.encode("ascii") + data


def packet_length(beginning: bytes) -> int:
    """Return the octets that follow the first four. Raises MilterBroken."""
    [length] = _LENGTH.unpack(beginning)
    if not 0 < length <= REPLY_LIMIT:
        raise MilterBroken(f"its packet has {length} octets")
    return int(length)


def strings(*texts: str | bytes) -> bytes:
    """Return strings as a packet has them. A NUL in one would be the end of it."""
    octets = (one if isinstance(one, bytes) else one.encode("utf-8", "replace") for one in texts)
    return b"".join(one.replace(b"\0", b"?") + b"\0" for one in octets)


def macros(letter: str, values: Iterable[tuple[str, str]]) -> bytes:
    """Return the packet with macros for a step; those without a value are left out."""
    known = [text for name, value in values if value for text in (name, value)]
    return packet("D", letter.encode("ascii") + strings(*known))


def offer() -> bytes:
    """Return the packet that begins a conversation."""
    return packet("O", _OFFER.pack(VERSION, OFFERED_ACTIONS, OFFERED_STEPS))


def agreed_steps(reply: MilterReply) -> MilterSteps:
    """Return the steps that a milter chose. Raises MilterBroken where it wants more."""
    if reply.letter != "O" or len(reply.data) < _OFFER.size:
        raise MilterBroken("it does not speak the milter protocol")
    version, actions, steps = _OFFER.unpack(reply.data[: _OFFER.size])
    if not OLDEST_VERSION <= version <= VERSION:
        raise MilterBroken(f"it speaks version {version} of the milter protocol")
    if actions & ~int(OFFERED_ACTIONS):  # ~ of the flags themselves has named ones only
        raise MilterBroken("it wants to change the content or the recipients")
    if steps & ~int(OFFERED_STEPS):
        raise MilterBroken("it wants steps that were not offered")
    return MilterSteps(steps)


def connect(name: str, address: IpAddress, port: int) -> bytes:
    """Return the packet about the client."""
    is_new = isinstance(address, IPv6Address)
    family, text = (b"6", f"IPv6:{address}") if is_new else (b"4", str(address))
    return packet("C", strings(name) + family + struct.pack("!H", port) + strings(text))


def header_fields(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the value of each field of a header, with LF for its line ends.

    The value begins behind the colon. A line that is neither a field nor its continuation is left
    out: a milter could not read it.
    """
    field = b""
    for line in header.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and field:
            field += b"\n" + line
            continue
        if b":" in field:
            name, _, value = field.partition(b":")
            yield name, value
        field = line
    if b":" in field:
        name, _, value = field.partition(b":")
        yield name, value
