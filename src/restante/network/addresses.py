"""Socket addresses as text and values."""

import ipaddress
import re
from functools import lru_cache

from restante.tenancy.model import IpAddress

_IPV6_MARK = 1 << 64  # no IPv4 address reaches it
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

    A host with one IPv6 address has the other 2^64 of its network too.
    """
    return int(address) if address.version == 4 else (int(address) >> 64) | _IPV6_MARK  # noqa: PLR2004


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
