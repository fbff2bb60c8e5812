"""Records the destination's result for each message. Here mail could be lost or doubled.

Theory of operation. Outcomes gather while a batch is being settled; then they form the next batch.
A message leaves the store only by an outcome that says DELIVERED, which exists only for a 250 to
its content (delivery/reply_outcome.py). So:

- Nothing is lost: an outcome that cannot be settled leaves its message held.
- Such a message may be delivered a second time. Their number is bounded: connections take no
  further message while too many are `unsettled` or in delivery (delivery/drain_attempt.py).
- A failed batch is tried again, and its outcomes are kept. Settling the same outcome twice does
  nothing, because the store passes over removed recipients. Patience lasts for about half a minute.
  While the store cannot be reached, it lasts to the end of the lease: until then nobody else can
  deliver the same. After that, `failure` says why, and the drain must end; `finish` tries the rest
  a last time.
- The reports of a batch are made when it is settled, and stored in the same transaction. So there
  is no report without its outcome, and no outcome without its report.
- Once the lease is lost another drain owns the domain: nothing more is tried.
"""

import asyncio
from collections.abc import Callable, Iterator
from time import time
from typing import Final

from restante.background.clocks import Wait
from restante.dsn.dsn_writer import DsnWriter
from restante.mail.delivery_report import NewReport, ReportFacts
from restante.mail.message import HeldMessage
from restante.queue.recipient_status import MessageOutcome
from restante.store.handover_store import Drain, HandoverStore
from restante.store.store_errors import LeaseLost, StoreError, StoreUnreachable
from restante.telemetry.event_bus import Log
from restante.telemetry.events import StoreFailed
from restante.telemetry.work_word import WorkWord

PAUSES: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 15.0)  # seconds between the tries of one batch
AWAY_PAUSE: Final = 1.0  # seconds between tries while the store cannot be reached


def _nothing() -> None:
    """Do nothing."""


class Settlement:
    """Stores the outcomes of one drain."""

    def __init__(
        self,
        store: HandoverStore,
        lease: Drain,
        wait: Wait,
        log: Log,
        *,
        dsn_writer: DsnWriter,
        on_change: Callable[[], None],
        now: Callable[[], float] = time,
    ) -> None:
        """`on_change` is called when a batch is settled or has failed; `now` is Unix time."""
        self._now = now
        self._store = store
        self._lease = lease
        self._wait = wait
        self._log = log
        self._on_change = on_change
        self._gathered: list[MessageOutcome] = []
        self._report_facts: list[tuple[HeldMessage, ReportFacts]] = []  # for the gathered outcomes
        self._batch: list[MessageOutcome] = []  # being settled
        self._batch_report_facts: list[
            tuple[HeldMessage, ReportFacts]
        ] = []  # for the batch, until its reports are made
        self._reports: list[NewReport] = []  # on the batch
        self._dsn_writer = dsn_writer
        self._arrival = asyncio.Event()
        self._idle = asyncio.Event()
        self._hurried = asyncio.Event()
        self.failure = ""
        self.is_lease_lost = False
        self._is_store_away = False

    def add(self, outcome: MessageOutcome) -> None:
        """Take an outcome. It is kept while the drain lives, even if the store fails."""
        self._gathered.append(outcome)
        self._arrival.set()

    def tell(self, message: HeldMessage, facts: ReportFacts) -> None:
        """Take report facts: before their outcome, so that both are in one batch."""
        self._report_facts.append((message, facts))

    @property
    def unsettled(self) -> int:
        """How many outcomes the store does not have yet."""
        return len(self._gathered) + len(self._batch)

    async def run(self) -> None:
        """Settle outcomes until cancelled. Then call `finish`."""
        while True:
            await self._arrival.wait()
            self._arrival.clear()
            while self._gathered and not self.failure:
                await self._settle_gathered()
            self._idle.set()

    async def flush(self) -> None:
        """Return when everything added so far is settled, or `failure` says why it is not."""
        while (self._gathered or self._batch) and not self.failure:
            self._idle.clear()
            await self._idle.wait()

    def hurry(self) -> None:
        """Pause no more: the server is stopping."""
        self._hurried.set()

    async def finish(self) -> None:
        """Try again to settle the rest, and log how much could not be settled."""
        outcomes = [*self._batch, *self._gathered]
        if not outcomes or self.is_lease_lost:
            return
        reports = [
            *self._reports,
            *await self._dsn_writer.make_all([*self._batch_report_facts, *self._report_facts]),
        ]
        try:
            await self._store.settle(self._lease, outcomes, reports, self._now())
        except StoreError as error:
            self._log.publish(
                StoreFailed(
                    error=error,
                    doing=WorkWord.SETTLE,
                    domain_id=self._lease.domain_id,
                    unsettled=len(outcomes),
                )
            )
        else:
            self._batch, self._gathered = [], []
            self._dsn_writer.stored(reports)

    async def _settle_gathered(self) -> None:
        self._batch, self._gathered = self._gathered, []
        self._batch_report_facts, self._report_facts = self._report_facts, []
        if self._batch_report_facts:
            self._reports = await self._dsn_writer.make_all(self._batch_report_facts)
            self._batch_report_facts = []
        pauses = iter(PAUSES)
        while True:
            await self._try_batch()
            if not self._batch or self.failure:
                return
            pause = self._next_pause(pauses)
            if pause is None:
                self._fail("the store cannot record what was delivered")
                return
            await self._wait(self._hurried, pause)

    def _next_pause(self, pauses: Iterator[float]) -> float | None:
        """Return the seconds until the next try, None when patience is over."""
        if not self._is_store_away or self._hurried.is_set():
            return next(pauses, None)
        left = self._store.lease_left()
        return min(AWAY_PAUSE, left) if left > 0 else None

    async def _try_batch(self) -> None:
        was_away, self._is_store_away = self._is_store_away, False
        try:
            await self._store.settle(self._lease, self._batch, self._reports, self._now())
        except StoreUnreachable as error:
            self._is_store_away = True
            if not was_away:  # once: it is tried each second
                self._report(error)
        except LeaseLost as error:
            self.is_lease_lost = True
            self._fail(str(error))
        except StoreError as error:
            self._report(error)
        else:
            self._dsn_writer.stored(self._reports)
            self._batch, self._reports = [], []
            self._on_change()

    def _report(self, error: StoreError) -> None:
        self._log.publish(
            StoreFailed(error=error, doing=WorkWord.SETTLE, domain_id=self._lease.domain_id)
        )

    def end(self) -> None:
        """Drop the callback, whose owner refers to this object.

        Otherwise both stay in memory until the garbage collector finds the cycle.
        """
        self._on_change = _nothing

    def _fail(self, reason: str) -> None:
        self.failure = reason
        self._on_change()
