"""The addresses of authorized hosts that are given by name: forward lookup, cached, refreshed.

A PTR record says what its owner wants it to say; only the forward lookup of the name on record counts (DESIGN §7). When
DNS is out of reach the last answer holds for a while: the primary's line being bad is when releases are asked for.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from restante.network.resolver import LookupFailed, Resolver
from restante.tenancy.model import IpAddress

FRESH_SECONDS = 60.0
STALE_SECONDS = 3600.0  # how long an answer may be used when a new one cannot be had
LOOKUP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Answer:
    addresses: frozenset[IpAddress]
    at: float


class HostNames:
    """Looks authorized host names up."""

    def __init__(self, resolver: Resolver, now: Callable[[], float]) -> None:
        self._resolver = resolver
        self._now = now
        self._answers: dict[str, _Answer] = {}

    async def addresses(self, names: Iterable[str]) -> dict[str, frozenset[IpAddress]]:
        """Return each name's addresses; a name that is not known now has none."""
        wanted = sorted(set(names))
        found = await asyncio.gather(*(self._lookup(name) for name in wanted))
        return dict(zip(wanted, found, strict=True))

    def known(self) -> dict[str, frozenset[IpAddress]]:
        """Return what is known without asking, however old."""
        return {name: answer.addresses for name, answer in self._answers.items()}

    async def _lookup(self, name: str) -> frozenset[IpAddress]:
        last = self._answers.get(name)
        if last is not None and self._now() - last.at < FRESH_SECONDS:
            return last.addresses
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                addresses = frozenset(await self._resolver.addresses(name))
        except (LookupFailed, TimeoutError) as error:
            return self._without_answer(name, last, is_temporary=getattr(error, "is_temporary", True))
        self._answers[name] = _Answer(addresses, self._now())
        return addresses

    def _without_answer(self, name: str, last: _Answer | None, *, is_temporary: bool) -> frozenset[IpAddress]:
        if last is not None and is_temporary and self._now() - last.at < STALE_SECONDS:
            return last.addresses
        self._answers.pop(name, None)
        return frozenset()
