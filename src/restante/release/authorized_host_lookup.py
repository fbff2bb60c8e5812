"""The addresses of authorized hosts that are given by name: forward lookup, at every request.

A PTR record says what its owner wants, so only the forward lookup of the name on record counts.
Each request looks the name up again. So a host that has moved is authorized at once, and one
removed from DNS is not. While DNS is out of reach, the last answer holds for an hour: releases are
often requested when the primary's line is bad.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from restante.network.addresses import plain_address
from restante.network.resolver import LookupFailed, Resolver
from restante.tenancy.model import IpAddress

STALE_SECONDS: Final = 3600.0  # how long an old answer may be used when a new one is not available
LOOKUP_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class _LookupAnswer:
    addresses: frozenset[IpAddress]
    at: float  # monotonic


class HostNames:
    """Looks up authorized host names."""

    def __init__(self, resolver: Resolver, monotonic: Callable[[], float]) -> None:
        """`monotonic` is in seconds."""
        self._resolver = resolver
        self._monotonic = monotonic
        self._answers: dict[str, _LookupAnswer] = {}
        self._known: dict[str, frozenset[IpAddress]] = {}

    async def addresses(self, names: Iterable[str]) -> dict[str, frozenset[IpAddress]]:
        """Return each name's addresses; a name that is unknown now has none."""
        wanted = sorted(set(names))
        found = await asyncio.gather(*(self._lookup(name) for name in wanted))
        return dict(zip(wanted, found, strict=True))

    def known(self) -> dict[str, frozenset[IpAddress]]:
        """Return the known addresses, however old, without a look-up.

        It is the same object until something changes.
        """
        return self._known

    async def _lookup(self, name: str) -> frozenset[IpAddress]:
        self._resolver.forget(name)
        try:
            async with asyncio.timeout(LOOKUP_SECONDS):
                found = await self._resolver.addresses(name)
        except TimeoutError:
            return self._without_answer(name, frozenset(), is_temporary=True)
        except LookupFailed as error:
            return self._without_answer(name, error.absent, is_temporary=error.is_temporary)
        # in the form that peers are compared with
        addresses = frozenset(plain_address(address) for address in found)
        return self._learn(name, _LookupAnswer(addresses, self._monotonic()))

    def _learn(self, name: str, answer: _LookupAnswer) -> frozenset[IpAddress]:
        self._answers[name] = answer
        if self._known.get(name) != answer.addresses:
            self._known = {**self._known, name: answer.addresses}
        return answer.addresses

    def _without_answer(
        self, name: str, absent: frozenset[int], *, is_temporary: bool
    ) -> frozenset[IpAddress]:
        """Return the last answer while it may be used, without the versions that DNS denies."""
        last = self._answers.get(name)
        if last is not None and is_temporary and self._monotonic() - last.at < STALE_SECONDS:
            left = frozenset(one for one in last.addresses if one.version not in absent)
            return self._learn(name, _LookupAnswer(left, last.at))
        self._answers.pop(name, None)
        if name in self._known:
            self._known = {known: found for known, found in self._known.items() if known != name}
        return frozenset()
