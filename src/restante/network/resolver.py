"""Names to addresses: A and AAAA records only.

Nothing in Restante looks at MX records to deliver held mail (S9): a domain's public MX may lie, or point at us.
"""

import asyncio
import ipaddress
from collections.abc import Sequence
from typing import Protocol

import dns.asyncresolver
import dns.exception
import dns.resolver

from restante.tenancy.model import IpAddress

_LOOPBACK: tuple[IpAddress, ...] = (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1"))


class LookupFailed(Exception):  # noqa: N818
    """No address is known for the name now. `is_temporary` is False where DNS says that there is none."""

    def __init__(self, text: str, *, is_temporary: bool) -> None:
        super().__init__(text)
        self.is_temporary = is_temporary


class Resolver(Protocol):
    """Looks names up."""

    async def addresses(self, name: str) -> tuple[IpAddress, ...]:
        """Return a host's addresses, IPv4 first. Raises LookupFailed."""


class DnsResolver:
    """Asks the system's name servers, or those given, through dnspython, with its cache."""

    def __init__(self, nameservers: Sequence[tuple[str, int]] = ()) -> None:
        """`nameservers` are (address, port); none means those of the system."""
        self._resolver = _make_resolver(nameservers)
        self._resolver.cache = dns.resolver.LRUCache()
        self._resolver.lifetime = 10.0

    async def addresses(self, name: str) -> tuple[IpAddress, ...]:
        """Return a host's addresses, IPv4 first. `localhost` never leaves this machine (RFC 6761 §6.3)."""
        if name == "localhost":
            return _LOOPBACK
        answers = await asyncio.gather(self._ask(name, "A"), self._ask(name, "AAAA"))
        found = tuple(address for answer in answers if not isinstance(answer, LookupFailed) for address in answer)
        if found:
            return found
        failures = [answer for answer in answers if isinstance(answer, LookupFailed)]
        raise next((failure for failure in failures if failure.is_temporary), failures[0])

    async def _ask(self, name: str, record: str) -> tuple[IpAddress, ...] | LookupFailed:
        try:
            answer = await self._resolver.resolve(f"{name}.", record, search=False)
        except dns.resolver.NXDOMAIN:
            return LookupFailed(f"{name}: no such name in DNS", is_temporary=False)
        except dns.resolver.NoAnswer:
            return LookupFailed(f"{name}: no {record} record in DNS", is_temporary=False)
        except (dns.exception.DNSException, OSError) as error:
            return LookupFailed(f"{name}: {record} lookup failed: {type(error).__name__}", is_temporary=True)
        return tuple(ipaddress.ip_address(record_.address) for record_ in answer)


def _make_resolver(nameservers: Sequence[tuple[str, int]]) -> dns.asyncresolver.Resolver:
    if not nameservers:
        try:
            return dns.asyncresolver.Resolver()
        except dns.resolver.NoResolverConfiguration:
            nameservers = [("127.0.0.1", 53)]  # what libc falls back to without resolv.conf
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [address for address, _ in nameservers]
    resolver.nameserver_ports = dict(nameservers)
    return resolver
