"""The names of clients, found within bounds.

Strangers choose the addresses that are looked up, and their name servers choose how long that
takes. So the look-ups have bounds:

- **At once.** At most AT_ONCE look-ups run. A share has at most SHARE_AT_ONCE of them, and the one
  with the fewest is next. A share is an IPv4 address, or an IPv6 /48.
- **Waiting.** At most MOST_PENDING run or wait, and SHARE_PENDING of a share. Further ones fail at
  once. Several clients with one address wait for the same look-up.
- **Time.** A look-up ends after SECONDS, and its wait for a slot counts.
- **Memory.** The newest MOST_KEPT answers are kept, for a limited time. So are failures: clients of
  a name server that is down do not wait for it again and again.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from restante.background.fair_slots import FairSlots
from restante.mail.message_origin import PtrStatus
from restante.network.addresses import FIRST_IPV6_BLOCK, address_block, block_site
from restante.network.ptr_lookup import LOOKUP_FAILED, PtrAnswer
from restante.tenancy.model import IpAddress

AT_ONCE: Final = 100
SHARE_AT_ONCE: Final = 8
MOST_PENDING: Final = 2000
SHARE_PENDING: Final = 64
SECONDS: Final = 10.0
MOST_KEPT: Final = 20_000
SHORTEST_SECONDS: Final = 60.0  # for which a name is kept, even if its owner wants less
LONGEST_SECONDS: Final = 3600.0
NO_NAME_SECONDS: Final = 300.0
FAILURE_SECONDS: Final = 60.0

Spawn = Callable[[Coroutine[Any, Any, None]], object]


class ReverseNames:
    """Finds the name of a client."""

    def __init__(
        self,
        look_up: Callable[[IpAddress], Awaitable[PtrAnswer]],
        spawn: Spawn,
        monotonic: Callable[[], float],
    ) -> None:
        """`spawn` starts a task, and raises RuntimeError where none can be started any more.

        `monotonic` is in seconds.
        """
        self._look_up = look_up
        self._spawn = spawn
        self._monotonic = monotonic
        self._slots = FairSlots(lambda: AT_ONCE, lambda: SHARE_AT_ONCE)
        self._pending: dict[IpAddress, asyncio.Future[PtrAnswer]] = {}
        self._shares: Counter[int] = Counter()  # of those
        self._kept: OrderedDict[IpAddress, tuple[PtrAnswer, float]] = OrderedDict()

    def find(self, address: IpAddress) -> "PtrAnswer | asyncio.Future[PtrAnswer]":
        """Return what is known of an address, or the future of the answer."""
        kept, until = self._kept.get(address, (LOOKUP_FAILED, 0.0))
        if self._monotonic() < until:
            return kept
        if (pending := self._pending.get(address)) is not None:
            return pending
        share = _share(address)
        if len(self._pending) >= MOST_PENDING or self._shares[share] >= SHARE_PENDING:
            return LOOKUP_FAILED
        found = asyncio.get_running_loop().create_future()
        try:
            self._spawn(self._search(address, share, found))
        except RuntimeError:  # the server ends
            return LOOKUP_FAILED
        self._pending[address] = found
        self._shares[share] += 1
        return found

    async def _search(
        self, address: IpAddress, share: int, found: "asyncio.Future[PtrAnswer]"
    ) -> None:
        answer = LOOKUP_FAILED
        try:
            async with asyncio.timeout(SECONDS), self._slots.slot(str(share)):
                answer = await self._look_up(address)
        except TimeoutError:
            pass
        finally:
            del self._pending[address]
            self._shares[share] -= 1
            if not self._shares[share]:
                del self._shares[share]
            self._keep(address, answer)
            if not found.done():
                found.set_result(answer)

    def _keep(self, address: IpAddress, answer: PtrAnswer) -> None:
        self._kept[address] = (answer, self._monotonic() + _seconds(answer))
        self._kept.move_to_end(address)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


def _seconds(answer: PtrAnswer) -> float:
    match answer.status:
        case PtrStatus.FAILED:
            return FAILURE_SECONDS
        case PtrStatus.NONE:
            return NO_NAME_SECONDS
    return min(max(answer.seconds, SHORTEST_SECONDS), LONGEST_SECONDS)


def _share(address: IpAddress) -> int:
    block = address_block(address)
    return block_site(block) if block >= FIRST_IPV6_BLOCK else block
