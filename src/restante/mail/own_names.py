"""Whether a client calls itself by a name of ours. Pure.

A client that does makes its hop look like one within this server: `Received: from mx2 ([client]) by
mx2`. A spam filter behind us then believes the field below, which the client wrote itself.
"""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address

from restante.mail.address import canonical_domain


def is_our_name(
    hello: str, hostname: str, addresses: Collection[IPv4Address | IPv6Address] = ()
) -> bool:
    """Tell whether an argument of EHLO means us.

    `hostname` is canonical. Case, dots at the end, brackets and the form of an international name
    do not matter; `addresses` are ours, and any of loopback is too.
    """
    name = hello.strip("[] \t").rstrip(".")
    if name.lower() == hostname:
        return True
    try:
        return canonical_domain(name) == hostname
    except ValueError:
        address = _address(name)
        return address is not None and (address.is_loopback or address in addresses)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address as a client may write it: with or without a literal's tag, mapped or not."""
    text = text[5:] if text[:5].lower() == "ipv6:" else text
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
