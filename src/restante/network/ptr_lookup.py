"""The name of an address: its PTR record, confirmed by an A or AAAA record of that name.

A PTR record says what the owner of the address wants. So only a name that leads back to the address
is confirmed. Nothing is cached here: `background/stranger_lookups` does that, apart from the
answers about destinations, which strangers must not push out.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import dns.exception
import dns.resolver
import dns.reversename

from restante.mail.message_origin import PtrStatus
from restante.network.resolver import make_resolver
from restante.tenancy.model import IpAddress

NAMES_TRIED: Final = 3  # of one address: each costs a question
LIFETIME: Final = 8.0  # seconds for a question and its repetitions
SHORTEST_SECONDS: Final = 60.0  # for which a name is kept, even if its owner wants less
LONGEST_SECONDS: Final = 3600.0
NO_NAME_SECONDS: Final = 300.0
FAILURE_SECONDS: Final = 60.0
_HOST_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*"
    r"[a-z_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z"
)


class PtrAnswer(NamedTuple):
    """The result for one address."""

    status: PtrStatus
    name: str = ""  # lower case, without a final dot; "" where there is none, or none is known
    seconds: float = 0.0  # for which DNS lets a name be kept


NO_NAME: Final = PtrAnswer(PtrStatus.NONE)
LOOKUP_FAILED: Final = PtrAnswer(PtrStatus.FAILED)


def ptr_seconds(answer: PtrAnswer) -> float:
    """Return for how long an answer is kept."""
    match answer.status:
        case PtrStatus.FAILED:
            return FAILURE_SECONDS
        case PtrStatus.NONE:
            return NO_NAME_SECONDS
    return min(max(answer.seconds, SHORTEST_SECONDS), LONGEST_SECONDS)


class PtrLookup:
    """Asks the system's name servers, or those given."""

    def __init__(self, nameservers: Sequence[tuple[str, int]] = ()) -> None:
        """`nameservers` are (address, port); none means those of the system."""
        self._resolver = make_resolver(nameservers)
        self._resolver.lifetime = LIFETIME

    async def answer(self, address: IpAddress) -> PtrAnswer:
        """Look the name of an address up. A failure is an answer."""
        try:
            found = await self._ask(dns.reversename.from_address(str(address)).to_text(), "PTR")
        except _FAILURES:
            return LOOKUP_FAILED
        if found is None:
            return NO_NAME
        names = (record.target.to_text(omit_final_dot=True).lower() for record in found)
        good = sorted({name for name in names if _HOST_NAME.match(name)})
        seconds = found.chaining_result.minimum_ttl
        return await self._confirm(address, good[:NAMES_TRIED], seconds) if good else NO_NAME

    async def _confirm(self, address: IpAddress, names: Sequence[str], seconds: float) -> PtrAnswer:
        """Return the first name that leads to the address; otherwise the first, unconfirmed."""
        record = "A" if address.version == 4 else "AAAA"  # noqa: PLR2004
        status = PtrStatus.UNCONFIRMED
        for name in names:
            try:
                found = await self._ask(f"{name}.", record)
            except _FAILURES:
                status = PtrStatus.FAILED
                continue
            if found is not None and str(address) in {one.address for one in found}:
                seconds = min(seconds, found.chaining_result.minimum_ttl)
                return PtrAnswer(PtrStatus.CONFIRMED, name, seconds)
        return PtrAnswer(status, names[0], seconds)

    async def _ask(self, name: str, record: str) -> dns.resolver.Answer | None:
        """Return an answer; None if DNS says that there is none."""
        try:
            return await self._resolver.resolve(name, record, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return None


_FAILURES: Final = (dns.exception.DNSException, OSError)
