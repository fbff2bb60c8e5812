"""The client of an HTTP request, which may have come through proxies. Pure.

A proxy appends the address of its own client to X-Forwarded-For. So the header is read from its
end, and only as far as trusted proxies have written it: a client can put anything before that.
"""

import ipaddress
from collections.abc import Iterable, Sequence

from restante.network.addresses import plain_address, split_host_port
from restante.tenancy.model import IpAddress, IpNetwork

_MOST_HOPS = 16  # of a header that is read; behind them the last known proxy counts as the client


def is_trusted(address: IpAddress, proxies: Iterable[IpNetwork]) -> bool:
    """Return whether an address is one of the proxies."""
    return any(address in network for network in proxies)


def client_address(
    peer: IpAddress, forwarded: Sequence[bytes], proxies: Sequence[IpNetwork]
) -> IpAddress:
    """Return the address that a request came from.

    `peer` is the other end of the connection, `forwarded` the values of X-Forwarded-For in their
    order. The result is the last address that is not a proxy, or the outermost proxy where the
    header ends or cannot be read before that.
    """
    client = peer
    hops = b",".join(forwarded).rsplit(b",", _MOST_HOPS)[-_MOST_HOPS:]
    while hops and is_trusted(client, proxies):
        hop = _address(hops.pop())
        if hop is None:
            break
        client = hop
    return client


def _address(text: bytes) -> IpAddress | None:
    """Return the address of one entry: plain, in brackets, or with a port."""
    try:
        host, _ = split_host_port(text.decode("ascii").strip(), 0)
        return plain_address(ipaddress.ip_address(host))
    except ValueError:
        return None
