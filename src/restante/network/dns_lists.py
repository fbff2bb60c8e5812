"""The DNS block lists that an address is on (RFC 5782), asked of all at once.

Only answers in 127.0.0.0/8 count, as §2.1 says. 127.0.0.1 must never be listed (§5). Lists use
127.255.255.0/24 to say that they do not answer this resolver, or not so many questions. A list
that does not answer in time says nothing.
"""

import asyncio
import ipaddress
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import dns.exception
import dns.name
import dns.resolver
import dns.reversename

from restante.network.resolver import make_resolver
from restante.tenancy.model import IpAddress

LIFETIME: Final = 2.0  # seconds for one list
LISTED_SECONDS: Final = 3600.0  # at most; a listing may end
SHORTEST_SECONDS: Final = 60.0
FAILURE_SECONDS: Final = 60.0
_LISTED: Final = ipaddress.IPv4Network("127.0.0.0/8")
_REFUSED: Final = ipaddress.IPv4Network("127.255.255.0/24")
_NEVER: Final = ipaddress.IPv4Address("127.0.0.1")


class DnsListing(NamedTuple):
    """One list that an address is on, and the first code that it gave."""

    zone: str
    code: str


class DnsListAnswer(NamedTuple):
    """The lists that an address is on, in the order of the zones."""

    listings: tuple[DnsListing, ...] = ()
    is_whole: bool = True  # every list has answered
    seconds: float = 0.0  # for which DNS lets it be kept


NO_LIST_ANSWERED: Final = DnsListAnswer(is_whole=False)


def list_seconds(answer: DnsListAnswer) -> float:
    """Return for how long an answer is kept."""
    if not answer.is_whole:
        return FAILURE_SECONDS
    return min(max(answer.seconds, SHORTEST_SECONDS), LISTED_SECONDS)


class DnsListLookup:
    """Asks the system's name servers, or those given."""

    def __init__(
        self, nameservers: Sequence[tuple[str, int]], zones: Callable[[], Sequence[str]]
    ) -> None:
        """`nameservers` are (address, port); none means those of the system."""
        self._resolver = make_resolver(nameservers)
        self._resolver.lifetime = LIFETIME
        self._zones = zones

    async def answer(self, address: IpAddress) -> DnsListAnswer:
        """Look an address up in all zones. Failures are part of the answer."""
        zones = self._zones()
        found = await asyncio.gather(*(self._ask(address, zone) for zone in zones))
        answers = [one for one in found if one is not None]
        return DnsListAnswer(
            tuple(listing for listing, _ in answers if listing is not None),
            len(answers) == len(zones),
            min((seconds for _, seconds in answers), default=0.0),
        )

    async def _ask(self, address: IpAddress, zone: str) -> tuple[DnsListing | None, float] | None:
        """Return the listing, if there is one, and how long that holds; None if nobody knows."""
        try:
            origin = dns.name.from_text(zone)
            name = dns.reversename.from_address(str(address), origin, origin)
            found = await self._resolver.resolve(name, "A", search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return None, SHORTEST_SECONDS
        except (dns.exception.DNSException, OSError):
            return None
        codes = [ipaddress.IPv4Address(one.address) for one in found]
        good = sorted(code for code in codes if code in _LISTED and code != _NEVER)
        if any(code in _REFUSED for code in good):
            return None
        listing = DnsListing(zone, str(good[0])) if good else None
        return listing, float(found.chaining_result.minimum_ttl)
