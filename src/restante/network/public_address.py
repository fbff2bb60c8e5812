"""Which addresses belong to hosts of the public Internet. Pure.

Strangers choose some of the hosts we connect to: those of the MX records for reports, and those of
an account's webhooks. Their DNS must not lead us into networks that only we can reach, so every
address is checked just before it is dialed. See the special-purpose registries of IANA (RFC 6890).

Limitation: a translator with a prefix of its own (RFC 6052 §2.2) looks like any public network.
"""

import ipaddress
from typing import Final

from restante.tenancy.model import IpAddress

_NOT_PUBLIC_4: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network; 0.0.0.0 is loopback in effect
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # carrier-grade NAT (RFC 6598)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local; metadata services of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF protocol assignments
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Global unicast is 2000::/3 (RFC 4291 §2.4). Outside of it are loopback, link-local and unique
# local addresses, multicast, IPv4-mapped and -compatible ones and NAT64 (64:ff9b::/96,
# 64:ff9b:1::/48).
_GLOBAL_6: Final = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # IETF protocol assignments, Teredo and ORCHID among them
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4: an IPv4 address in disguise (RFC 3056)
        "3ffe::/16",  # the former 6bone (RFC 3701)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
_ISATAP: Final = (
    0x00005EFE,
    0x02005EFE,
)  # of an interface identifier that has an IPv4 address (RFC 5214 §6.1)


def is_public(address: IpAddress) -> bool:
    """Tell whether an address can be that of a host anywhere on the Internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address.scope_id or address not in _GLOBAL_6:
        return False
    is_isatap = (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP
    return not is_isatap and not any(address in network for network in _NOT_PUBLIC_6)
