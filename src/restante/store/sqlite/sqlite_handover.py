"""How held mail leaves the store, and which drains are to run."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from math import inf

from restante.mail.delivery_report import NewReport
from restante.mail.message import HeldMessage
from restante.queue.drain_word import DrainWay
from restante.queue.recipient_status import MessageOutcome
from restante.store.drain_book import asked_of, open_drains, unclaimed
from restante.store.handover_store import (
    Drain,
    DrainRequests,
    JoinedDrain,
    PastDrain,
    WantedDrain,
)
from restante.store.sqlite import mail_changes, mail_reading, record_changes
from restante.store.sqlite.store_core import StoreCore


class SqliteHandover:
    """A `HandoverStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def held(
        self,
        domain_id: int,
        after: int,
        limit: int,
        max_octets: int,
        *,
        with_origins: bool = False,
        mark: int = 0,
    ) -> list[HeldMessage]:
        """Return messages with a held recipient, numbered above `after`; damaged ones left out."""
        question = partial(
            mail_reading.held,
            domain_id=domain_id,
            after=after,
            limit=limit,
            max_octets=max_octets,
            with_origins=with_origins,
            mark=mark,
        )
        window = await self._core.read(question)
        await self._core.park(window.damaged)
        return window.messages

    async def settle(
        self,
        drain: Drain,
        outcomes: Sequence[MessageOutcome],
        reports: Sequence[NewReport] = (),
        at: float = 0.0,
    ) -> None:
        """Record the outcomes of these recipients, with the reports on them."""
        await self._core.write(
            partial(mail_changes.settle, drain=drain, outcomes=outcomes, reports=reports, at=at)
        )

    async def open_drain(
        self,
        domain_id: int,
        requested_at: float,
        deadline: float,
        release: int = 0,
        requested_by: str = "",
        *,
        way: DrainWay = DrainWay.DESTINATION,
    ) -> Drain | JoinedDrain:
        """Record a drain, or join the one that is open."""
        change = partial(
            record_changes.open_drain,
            domain_id=domain_id,
            requested_at=requested_at,
            deadline=deadline,
            release=release,
            requested_by=requested_by,
            way=way,
        )
        opened: Drain | JoinedDrain = await self._core.write(change)
        return opened

    async def claimable_drains(self, running: Collection[Drain]) -> list[Drain]:
        """Return the open drains that nobody runs: the lock makes this the only process."""
        self._core.check()
        return unclaimed(self._core.latest.drains, running)

    async def take_over(self, drain: Drain) -> Drain | None:
        """Take over a claimable drain, if it still is."""
        taken: Drain | None = await self._core.write(partial(record_changes.take_over, drain=drain))
        return taken

    async def give_back(self, drains: Collection[Drain]) -> None:  # noqa: ARG002
        """Record nothing: a drain that this process does not run is claimable."""
        self._core.check()

    async def asked(self, drains: Collection[Drain]) -> list[DrainRequests]:
        """Return what others ask of these drains."""
        self._core.check()
        return asked_of(self._core.latest.drains, drains)

    async def ask_stop(self, domain_id: int, reason: str) -> bool:
        """Ask the owner of a domain's drain to end it."""
        is_there: bool = await self._core.write(
            partial(record_changes.ask_stop, domain_id=domain_id, reason=reason)
        )
        return is_there

    def lease_left(self) -> float:
        """Return infinity: there is one node."""
        return inf

    def is_draining(self, domain_id: int) -> bool:
        """Return whether a domain has an open drain."""
        return domain_id in self._core.latest.drains

    def open_drains(self) -> list[Drain]:
        """Return the open drains, by domain."""
        return open_drains(self._core.latest.drains)

    async def finish_drain(
        self,
        drain: Drain,
        left_behind: int = 0,
        past: PastDrain | None = None,
        times: int = 0,
    ) -> bool:
        """Close it if the domain holds no more than was left behind."""
        change = partial(
            record_changes.finish_drain,
            drain=drain,
            left_behind=left_behind,
            past=past,
            times=times,
        )
        finished: bool = await self._core.write(change)
        return finished

    async def close_drain(
        self, drain: Drain, past: PastDrain | None = None, at: float = 0.0
    ) -> None:
        """Record that it is over, and how it went."""
        await self._core.write(partial(record_changes.close_drain, drain=drain, past=past, at=at))

    async def follow_drain(
        self, drain: Drain, wanted: WantedDrain, past: PastDrain | None = None
    ) -> Drain | None:
        """Close it, and open another in its place."""
        change = partial(record_changes.follow_drain, drain=drain, wanted=wanted, past=past)
        opened: Drain | None = await self._core.write(change)
        return opened

    async def past_drains(self, domain_ids: Sequence[int] | None = None) -> Mapping[int, PastDrain]:
        """Return how the last drain of each domain went."""
        return await self._core.read(partial(mail_reading.past_drains, domain_ids=domain_ids))
