"""The client in whose name a connection to a destination speaks.

A destination that is told the client judges the mail as if the client itself had connected. So a
client is told only where a session of this server has seen its address:

    the origin of the message                                   the client
    ----------------------------------------------------------  -----------------------------------
    not known                                                   none
    claimed by an import                                        none: whoever imports could claim
                                                                any address
    an address that means another host elsewhere (private,      none: at the destination it may be
    loopback, link-local, shared by carriers, multicast)        a trusted neighbor
    any other address                                           that address, with the EHLO name

A message without a client goes in this server's own name.

The EHLO name was chosen by a stranger and becomes a word of our command. Characters that would end
the word or the line are replaced.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final

from restante.mail.message_origin import MessageOrigin, PtrStatus

ClientIp = ipaddress.IPv4Address | ipaddress.IPv6Address

_OF_A_SITE: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
    )
)
_GLOBAL_6: Final = ipaddress.IPv6Network("2000::/3")  # global unicast (RFC 4291 §2.4)
_NO_WORD: Final = re.compile(r"[^!-~]")
# RFC 1123 §2.1, with the underscore that some PTR names have
_HOST_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)"
    r"(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*\Z"
)


@dataclass(frozen=True, slots=True)
class PassedClient:
    """One client. Messages with an equal one may share a connection."""

    address: ClientIp
    hello: str  # one word of visible ASCII
    host_name: str = ""  # that its address has by a PTR record; `ptr` says how far to trust it
    ptr: PtrStatus = PtrStatus.NOT_LOOKED_UP
    port: int = field(default=0, compare=False)  # of one of its connections; 0 where not known


def passed_client(origin: MessageOrigin | None) -> PassedClient | None:
    """Return the client that a message came from; None if it goes in our own name."""
    if origin is None or origin.is_imported:
        return None
    try:
        address = ipaddress.ip_address(origin.address)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    if not means_one_host(address):
        return None
    host_name = origin.host_name if _HOST_NAME.match(origin.host_name) else ""
    hello = _word(origin.hello, address)
    return PassedClient(address, hello, host_name, origin.ptr, origin.port)


def means_one_host(address: ClientIp) -> bool:
    """Tell whether an address is the same host here and at the destination."""
    if isinstance(address, ipaddress.IPv6Address):
        return not address.scope_id and address in _GLOBAL_6
    return not any(address in network for network in _OF_A_SITE)


def _word(hello: str, address: ClientIp) -> str:
    """Return the argument of EHLO; without one, the address as a literal (RFC 5321 §4.1.3)."""
    if not hello:
        return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"  # noqa: PLR2004
    return _NO_WORD.sub("?", hello)
