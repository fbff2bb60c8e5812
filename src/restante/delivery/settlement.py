"""Records in the store what the destination made of each message. Here mail could be lost or doubled.

Theory of operation. Outcomes gather while a batch is being settled; then they are the next batch. A message leaves the
store only by an outcome that says DELIVERED, which exists only for a 250 to its content (delivery/outcome.py). So:

- Nothing is lost: an outcome that cannot be settled leaves its message held.
- It may then be handed over a second time. How many can be, at most, is bounded: the connections take no further message
  when too many are `unsettled` or on their way (delivery/drain_attempt.py).
- A batch that failed is tried again for about half a minute, its outcomes kept; settling the same outcome twice does
  nothing (the store passes over recipients that are gone). Then `failure` says why, and the drain must end; what is
  left gets one last try by `finish`.
- What the sender is to hear of an outcome is made into reports when its batch is settled, and stored in the same
  transaction: there is no report without its outcome, and no outcome without its report.
- Once the lease is lost another drain owns the domain: nothing more is tried.
"""

import asyncio
from collections.abc import Callable, Sequence
from time import time
from typing import Final, Protocol

from restante.delivery.waiting import Wait
from restante.dsn.dsn_writer import DsnWriter
from restante.mail.message import HeldMessage
from restante.mail.report import NewReport, ReportFacts
from restante.queue.recipient_status import Outcome
from restante.store.interface import Drain
from restante.store.store_errors import LeaseLost, StoreError
from restante.telemetry.events import Event
from restante.telemetry.log import Log

PAUSES: Final = (0.1, 0.3, 1.0, 3.0, 10.0, 15.0)  # seconds between the tries of one batch


class Settler(Protocol):
    """What is needed of the store."""

    async def settle(
        self,
        drain: Drain,
        outcomes: Sequence[Outcome],
        reports: Sequence[NewReport] = (),
        at: float = 0.0,
    ) -> None:
        """Record outcomes, and the reports on them."""


def _nothing() -> None:
    """Where nobody hears of changes."""


class Settlement:
    """One drain's outcomes on their way into the store."""

    def __init__(
        self,
        store: Settler,
        lease: Drain,
        wait: Wait,
        log: Log,
        *,
        dsn_writer: DsnWriter,
        on_change: Callable[[], None],
        now: Callable[[], float] = time,
    ) -> None:
        """`on_change` is called when a batch is settled, and when it has failed; `now` gives Unix time."""
        self._now = now
        self._store = store
        self._lease = lease
        self._wait = wait
        self._log = log
        self._on_change = on_change
        self._gathered: list[Outcome] = []
        self._news: list[tuple[HeldMessage, ReportFacts]] = []  # of what is gathered
        self._batch: list[Outcome] = []  # being settled
        self._batch_news: list[
            tuple[HeldMessage, ReportFacts]
        ] = []  # of it, as long as no reports are made of that
        self._reports: list[NewReport] = []  # on the batch
        self._dsn_writer = dsn_writer
        self._arrival = asyncio.Event()
        self._idle = asyncio.Event()
        self._hurried = asyncio.Event()
        self.failure = ""
        self.is_lease_lost = False

    def add(self, outcome: Outcome) -> None:
        """Take an outcome. Whatever becomes of the store, it is not forgotten while the drain lives."""
        self._gathered.append(outcome)
        self._arrival.set()

    def tell(self, message: HeldMessage, news: ReportFacts) -> None:
        """Take what the sender is to hear of an outcome: before the outcome, so that both are of one batch."""
        self._news.append((message, news))

    @property
    def unsettled(self) -> int:
        """How many outcomes the store does not have yet."""
        return len(self._gathered) + len(self._batch)

    async def run(self) -> None:
        """Settle what comes, for ever. Cancel it, then `finish`."""
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
        """Make no more pauses: the server is stopping."""
        self._hurried.set()

    async def finish(self) -> None:
        """Try once more what is not settled, and say in the log how much could not be."""
        outcomes = [*self._batch, *self._gathered]
        if not outcomes or self.is_lease_lost:
            return
        reports = [
            *self._reports,
            *await self._dsn_writer.make_all([*self._batch_news, *self._news]),
        ]
        try:
            await self._store.settle(self._lease, outcomes, reports, self._now())
        except StoreError as error:
            self._log.failure(
                Event.STORE_FAILED,
                error,
                doing="settle",
                domain_id=self._lease.domain_id,
                unsettled=len(outcomes),
            )
        else:
            self._batch, self._gathered = [], []
            self._dsn_writer.stored(reports)

    async def _settle_gathered(self) -> None:
        self._batch, self._gathered = self._gathered, []
        self._batch_news, self._news = self._news, []
        if self._batch_news:
            self._reports = await self._dsn_writer.make_all(self._batch_news)
            self._batch_news = []
        for pause in PAUSES:
            await self._try_batch()
            if not self._batch or self.failure:
                break
            await self._wait(self._hurried, pause)
        else:
            await self._try_batch()
            if self._batch and not self.failure:
                self._fail("the store cannot record what was delivered")

    async def _try_batch(self) -> None:
        try:
            await self._store.settle(self._lease, self._batch, self._reports, self._now())
        except LeaseLost as error:
            self.is_lease_lost = True
            self._fail(str(error))
        except StoreError as error:
            self._log.failure(
                Event.STORE_FAILED, error, doing="settle", domain_id=self._lease.domain_id
            )
        else:
            self._dsn_writer.stored(self._reports)
            self._batch, self._reports = [], []
            self._on_change()

    def end(self) -> None:
        """Let go of who hears of changes, who has this: else both stay until the collector looks for such rings."""
        self._on_change = _nothing

    def _fail(self, reason: str) -> None:
        self.failure = reason
        self._on_change()
