"""Finds the drains that nobody runs, and the requests to those that run here.

One task does both, once a second. Only it takes drains over: two in one process would fence each
other off. A drain has no owner after a crash or a stop of the server, or if its end could not be
recorded. In the last case it rests before it is taken up again, each time longer. Its outcomes may
not be settled either, so that each attempt sends messages again. A request ends the rest.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from restante.background.rounds import Rounds
from restante.delivery.delivery_context import DeliveryContext
from restante.queue.retry_schedule import Schedule, next_attempt
from restante.store.handover_store import Drain, DrainRequests
from restante.telemetry.work_word import WorkWord
from restante.tenancy.model import HostedDomain

LOOK_SECONDS: Final = 1.0
FENCE_SECONDS: Final = 2.0  # before the end of a lease, drains stop: looks are a second apart
_AT_ONCE: Final = 100  # drains taken over together: they share a sync


class DrainClaims:
    """The one task by which drains come to this process."""

    def __init__(
        self,
        context: DeliveryContext,
        running: Callable[[], list[Drain]],
        take_up: Callable[[Drain, HostedDomain], Awaitable[None]],
        obey: Callable[[DrainRequests], Awaitable[None]],
    ) -> None:
        """`running` returns the drains of this process; `take_up` runs one that it can have."""
        self._context = context
        self._handover = context.store.handover
        self._running = running
        self._take_up = take_up
        self._obey = obey
        self._given_up: dict[int, int] = {}  # by domain id: how often in a row
        self._rests_until: dict[int, float] = {}  # by domain id: monotonic
        wait = context.clocks.wait
        self._rounds = Rounds(context.log, WorkWord.CLAIM_DRAINS, wait, after_failure=LOOK_SECONDS)

    async def run(self) -> None:
        """Look once a second, until cancelled."""
        await self._rounds.run_rounds(self._take_round)

    async def _take_round(self) -> float:
        await self.look()
        return LOOK_SECONDS

    async def look(self) -> None:
        """Take up what nobody runs, and do what is asked. Raises StoreError.

        A process whose own lease is about to end takes nothing: it would have to stop at once.
        """
        store, now = self._handover, self._context.clocks.monotonic()
        hosted = self._context.directory.now
        if store.lease_left() <= FENCE_SECONDS:
            return
        found = [
            (drain, domain)
            for drain in await store.claimable_drains(self._running())
            if self._rests_until.get(drain.domain_id, now) <= now
            and (domain := hosted.domain_by_id(drain.domain_id)) is not None
        ]
        for start in range(0, len(found), _AT_ONCE):
            some = found[start : start + _AT_ONCE]
            await asyncio.gather(*(self._take_up(drain, domain) for drain, domain in some))
        for asked in await store.asked(self._running()):
            await self._obey(asked)

    def look_soon(self, domain_id: int) -> None:
        """Look at once, and let this domain's drain rest no longer."""
        self._rests_until.pop(domain_id, None)
        self._rounds.wake()

    def resting(self, drains: Iterable[Drain]) -> list[Drain]:
        """Return those that rest before they are taken up here again."""
        return [drain for drain in drains if drain.domain_id in self._rests_until]

    def ended(self, domain_id: int) -> None:
        """Take note that a drain has ended here: if it is still on record, it rests."""
        if not self._handover.is_draining(domain_id):
            self._given_up.pop(domain_id, None)
            self._rests_until.pop(domain_id, None)
            return
        settings = self._context.settings
        self._given_up[domain_id] = self._given_up.get(domain_id, 0) + 1
        rests_until = next_attempt(
            Schedule(settings.first_retry, settings.longest_retry),
            self._given_up[domain_id],
            self._context.clocks.monotonic(),
            float("inf"),
            self._context.clocks.jitter(),
        )
        assert rests_until is not None  # there is no deadline
        self._rests_until[domain_id] = rests_until
