"""Socket addresses as text and values."""

import ipaddress
import re
from functools import lru_cache

from restante.tenancy.model import IpAddress

FIRST_IPV6_BLOCK = 1 << 64  # no IPv4 address reaches it
_BLOCK_BITS_OF_SITE = 16
_NAT64 = 0x0064FF9B_00000000  # 64:ff9b::/96
_SIX_TO_FOUR = 0x2002  # 2002::/16
_PORT = re.compile(r"[0-9]{1,5}\Z")
_LAST_PORT = 65535


@lru_cache(maxsize=4096)  # busy clients connect often; this took two of a connection's first µs
def peer_address(host: str) -> IpAddress:
    """Return a peer's address; an IPv4-mapped IPv6 address becomes IPv4 (RFC 4291 §2.5.5.2)."""
    return plain_address(ipaddress.ip_address(host.partition("%")[0]))


def unmapped(address: IpAddress) -> IpAddress:
    """Return the address to bind or to connect to: an IPv4-mapped one is IPv4, a zone is kept."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def plain_address(address: IpAddress) -> IpAddress:
    """Return the address under which a host is known: IPv4-mapped as IPv4, and without a zone.

    Two spellings of one host are equal only in this form. To connect to a link-local address, keep
    its zone.
    """
    if address.version == 4:  # noqa: PLR2004
        return address
    assert isinstance(address, ipaddress.IPv6Address)
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return ipaddress.IPv6Address(int(address)) if address.scope_id else address


def address_block(address: IpAddress) -> int:
    """Return a key for the hosts that count as one against limits: an IPv4 address, or an IPv6 /64.

    A host with one IPv6 address has the other 2^64 of its network too. Addresses of NAT64 (RFC 6052
    §2.1) and 6to4 (RFC 3056 §2) count as the IPv4 address in them. All of NAT64 shares one /64, and
    one host of 6to4 has 65,536 of them.
    """
    number = int(address)
    if address.version == 4:  # noqa: PLR2004
        return number
    network = number >> 64
    if network == _NAT64 and not number >> 32 & 0xFFFFFFFF:
        return number & 0xFFFFFFFF
    if network >> 48 == _SIX_TO_FOUR:
        return network >> 16 & 0xFFFFFFFF
    return network | FIRST_IPV6_BLOCK


def block_site(block: int) -> int:
    """Return a key for the /48 of a block from FIRST_IPV6_BLOCK on.

    Sites get a /48 or a /56 (RFC 6177 §2), so one of them can have all blocks in it.
    """
    return block >> _BLOCK_BITS_OF_SITE


def split_host_port(text: str, default_port: int | None = None) -> tuple[str, int]:
    """Read `host:port`, `[address]:port`, or either without a port where there is a default.

    Raises ValueError saying what is missing or wrong.
    """
    host, port_text = _split(text)
    if not host:
        raise ValueError(f"{text!r} names no host")
    if port_text is None:
        if default_port is None:
            raise ValueError(f"{text!r} has no port")
        return host, default_port
    if not (_PORT.match(port_text) and int(port_text) <= _LAST_PORT):
        raise ValueError(f"{text!r} has no valid port")
    return host, int(port_text)


def _split(text: str) -> tuple[str, str | None]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} has unmatched brackets")
        return host, rest[1:] if rest else None
    if text.count(":") > 1:  # a bare IPv6 address
        return text, None
    host, colon, port = text.partition(":")
    return host, port if colon else None


def join_host_port(host: str, port: int) -> str:
    """Spell an endpoint, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
