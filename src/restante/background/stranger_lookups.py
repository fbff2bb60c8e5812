"""Look-ups about the addresses of clients, within bounds.

Strangers choose the addresses that are looked up, and their name servers choose how long that
takes. So the look-ups have bounds:

- **At once.** At most AT_ONCE look-ups run. A share has at most SHARE_AT_ONCE of them, and the one
  with the fewest is next. A share is an IPv4 address, or an IPv6 /48.
- **Waiting.** At most MOST_PENDING run or wait, and SHARE_PENDING of a share. Further ones fail at
  once. Several clients with one question wait for the same look-up.
- **Time.** A look-up ends after SECONDS, and its wait for a slot counts.
- **Memory.** The newest MOST_KEPT answers are kept, for a limited time. So are failures: clients of
  a name server that is down do not wait for it again and again.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Generic, TypeVar

from restante.background.fair_slots import FairSlots
from restante.network.addresses import FIRST_IPV6_BLOCK, address_block, block_site
from restante.tenancy.model import IpAddress

AT_ONCE: Final = 100
SHARE_AT_ONCE: Final = 8
MOST_PENDING: Final = 2000
SHARE_PENDING: Final = 64
SECONDS: Final = 10.0
MOST_KEPT: Final = 20_000

Answer = TypeVar("Answer")
_Question = tuple[IpAddress, str]
Spawn = Callable[[Coroutine[Any, Any, None]], object]


class StrangerLookups(Generic[Answer]):
    """Finds one thing about each address, or about each address and another fact."""

    def __init__(
        self,
        look_up: Callable[[IpAddress, str], Awaitable[Answer]],
        failure: Answer,
        seconds_of: Callable[[Answer], float],
        spawn: Spawn,
        monotonic: Callable[[], float],
    ) -> None:
        """`look_up` gets the address, and the rest of the question.

        `failure` is the answer where none can be found; `seconds_of`, how long one is kept.

        `spawn` starts a task, and raises RuntimeError where none can be started any more.
        `monotonic` is in seconds.
        """
        self._look_up = look_up
        self._failure = failure
        self._seconds_of = seconds_of
        self._spawn = spawn
        self._monotonic = monotonic
        self._slots = FairSlots(lambda: AT_ONCE, lambda: SHARE_AT_ONCE)
        self._pending: dict[_Question, asyncio.Future[Answer]] = {}
        self._shares: Counter[int] = Counter()  # of those
        self._kept: OrderedDict[_Question, tuple[Answer, float]] = OrderedDict()

    def find(self, address: IpAddress, about: str = "") -> "Answer | asyncio.Future[Answer]":
        """Return what is known of an address, or the future of the answer.

        `about` is the rest of the question, such as a domain. Others wait for the same future:
        shield it from a cancellation.
        """
        question = address, about
        kept, until = self._kept.get(question, (self._failure, float("-inf")))
        if self._monotonic() < until:
            return kept
        if (pending := self._pending.get(question)) is not None:
            return pending
        share = _share(address)
        if len(self._pending) >= MOST_PENDING or self._shares[share] >= SHARE_PENDING:
            return self._failure
        found = asyncio.get_running_loop().create_future()
        try:
            self._spawn(self._search(question, share, found))
        except RuntimeError:  # the server ends
            return self._failure
        self._pending[question] = found
        self._shares[share] += 1
        return found

    def forget(self) -> None:
        """Forget the answers: the question has changed."""
        self._kept.clear()

    async def _search(
        self, question: _Question, share: int, found: "asyncio.Future[Answer]"
    ) -> None:
        answer = self._failure
        try:
            async with asyncio.timeout(SECONDS), self._slots.slot(str(share)):
                answer = await self._look_up(*question)
        except TimeoutError:
            pass
        finally:
            del self._pending[question]
            self._shares[share] -= 1
            if not self._shares[share]:
                del self._shares[share]
            self._keep(question, answer)
            if not found.done():
                found.set_result(answer)

    def _keep(self, question: _Question, answer: Answer) -> None:
        self._kept[question] = (answer, self._monotonic() + self._seconds_of(answer))
        self._kept.move_to_end(question)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


def _share(address: IpAddress) -> int:
    block = address_block(address)
    return block_site(block) if block >= FIRST_IPV6_BLOCK else block
