"""Whether a client calls itself by a name of ours. Pure.

A client that does makes its hop look like one within this server: `Received: from mx2 ([client]) by
mx2`. A spam filter behind us then believes the field below, which the client wrote itself.
"""

from collections.abc import Callable, Collection
from ipaddress import IPv4Address, IPv6Address, ip_address

from restante.mail.address import canonical_domain


def is_our_name(
    hello: str,
    hostname: str,
    addresses: Callable[[], Collection[IPv4Address | IPv6Address]] = tuple,
    names: Collection[str] = (),
) -> bool:
    """Tell whether an argument of EHLO means us.

    `hostname` and `names` are canonical. Case, dots at the end, brackets and the form of an
    international name do not matter. `addresses` returns ours. Any of loopback is ours too, and the
    unspecified address, which means the same.
    """
    name = hello.strip("[] \t").rstrip(".")
    lowered = name.lower()
    if lowered == hostname or lowered in names:
        return True
    try:
        domain = canonical_domain(name)
    except ValueError:
        address = _address(name)
        return address is not None and (_is_any_host(address) or address in addresses())
    return domain == hostname or domain in names


def other_names(hostname: str, certified: Collection[str]) -> frozenset[str]:
    """Return our names other than the host name: its first label, and some in our certificates.

    The first label is how a machine calls itself among its own. A wildcard is also for others.
    `certified` has the names of the default certificates. A customer's certificate may also name
    the customer's own servers, which are not us.
    """
    return frozenset({hostname.partition(".")[0], *(one for one in certified if "*" not in one)})


def _is_any_host(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address means whichever host reads it."""
    return address.is_loopback or address.is_unspecified


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address as a client may write it: with or without a literal's tag, mapped or not."""
    text = text[5:] if text[:5].lower() == "ipv6:" else text
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
