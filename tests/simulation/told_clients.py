"""The clients that a primary is told, read without our code: PROXY protocol 2, and XCLIENT."""

import ipaddress
import struct
from typing import Final

_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_FIXED: Final = 16  # octets before the addresses
_LOCAL, _PROXY = 0x20, 0x21
_OCTETS: Final = {0x11: 4, 0x21: 16}  # of an address, by family
NO_HEADER: Final = "", 0


def read_proxy_header(octets: bytes) -> tuple[str, int] | None:
    """Return the client's address, "" for LOCAL, and the header's length; None while it is short.

    Returns NO_HEADER if something else comes.
    """
    if not octets.startswith(_SIGNATURE[: len(octets)]):
        return NO_HEADER
    if len(octets) < _FIXED:
        return None
    command, family, length = struct.unpack("!BBH", octets[len(_SIGNATURE) : _FIXED])
    end = _FIXED + length
    if command == _LOCAL:
        return "", end
    size = _OCTETS.get(family, 0)
    if command != _PROXY or not size or length != 2 * size + 4:
        return NO_HEADER
    if len(octets) < end:
        return None
    return str(ipaddress.ip_address(octets[_FIXED : _FIXED + size])), end


def xclient_address(line: str) -> str:
    """Return the client's address in an XCLIENT command."""
    words = dict(word.partition("=")[::2] for word in line.split()[1:])
    return str(ipaddress.ip_address(words["ADDR"].removeprefix("IPV6:")))
