"""How held mail leaves the store, and which drains are to run."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from itertools import chain

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
from restante.store.postgres import drain_changes, drain_statements, held_reading, settling
from restante.store.postgres.joint_calls import JointCalls
from restante.store.postgres.lane_set import SessionKind
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.stored_form.rows import read_past_drain


class PostgresHandover:
    """A `HandoverStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core
        self._takeovers = JointCalls(self._take_over, core.begin)
        self._requests = JointCalls(self._asked, core.begin)

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
            held_reading.held,
            domain_id=domain_id,
            after=after,
            limit=limit,
            max_octets=max_octets,
            with_origins=with_origins,
            mark=mark,
        )
        found = await self._core.read(question)
        await held_reading.park(self._core, found.damaged)
        return found.messages

    async def settle(
        self,
        drain: Drain,
        outcomes: Sequence[MessageOutcome],
        reports: Sequence[NewReport] = (),
        at: float = 0.0,
    ) -> None:
        """Record the outcomes of these recipients, with the reports on them."""
        is_plain = not reports and settling.are_whole(outcomes)
        if is_plain and await settling.settle_whole(self._core, drain, outcomes, at):
            return
        change = partial(settling.settle, drain=drain, outcomes=outcomes, reports=reports, at=at)
        await self._core.write(change, SessionKind.SETTLING)

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
            drain_changes.open_drain,
            domain_id=domain_id,
            requested_at=requested_at,
            deadline=deadline,
            release=release,
            requested_by=requested_by,
            way=way,
        )
        return await self._core.write(change, SessionKind.DRAINS)

    async def claimable_drains(self, running: Collection[Drain]) -> list[Drain]:
        """Return the open drains that nobody runs; none while the own lease is in doubt."""
        node = self._core.node
        if node.lease_left() <= 0:
            return []
        given = (*node.key, node.may_judge, *_keys(running))
        rows = await self._core.fetch(drain_statements.CLAIMABLE, *given)
        return unclaimed(drain_changes.open_records(rows), running)

    async def take_over(self, drain: Drain) -> Drain | None:
        """Take over a claimable drain, if it still is; several at once by one commit."""
        self._core.check()
        return await self._takeovers.call(drain)

    async def _take_over(self, drains: Sequence[Drain]) -> Sequence[Drain | None]:
        may_judge = self._core.node.may_judge
        change = partial(drain_changes.take_over, drains=drains, may_judge=may_judge)
        return await self._core.write(change, SessionKind.DRAINS)

    async def give_back(self, drains: Collection[Drain]) -> None:
        """Let others take these over at once."""

        async def change(transaction: PostgresTransaction) -> None:
            given = (*_keys(drains), *transaction.node)
            await drain_changes.changed(transaction, drain_statements.GIVE_BACK, *given)

        await self._core.write(change, SessionKind.DRAINS)

    async def asked(self, drains: Collection[Drain]) -> list[DrainRequests]:
        """Return what others ask of these drains."""
        self._core.check()
        return await self._requests.call(drains) if drains else []

    async def _asked(self, calls: Sequence[Collection[Drain]]) -> Sequence[list[DrainRequests]]:
        found = await self._core.fetch(drain_statements.ASKED, *_keys(list(chain(*calls))))
        ids = {domain_id for (domain_id,) in found}
        if not ids:
            return [[] for _ in calls]
        rows = await self._core.fetch(drain_statements.OF_DOMAINS, sorted(ids))
        records = drain_changes.open_records(rows)
        return [
            asked_of(records, [drain for drain in drains if drain.domain_id in ids])
            for drains in calls
        ]

    async def ask_stop(self, domain_id: int, reason: str) -> bool:
        """Ask the owner of a domain's drain to end it."""

        async def change(transaction: PostgresTransaction) -> bool:
            return await drain_changes.changed(
                transaction, drain_statements.ASK_STOP, domain_id, reason
            )

        return await self._core.write(change, SessionKind.DRAINS)

    def lease_left(self) -> float:
        """Return for how many seconds the drains of this process are certainly its own."""
        return self._core.node.lease_left()

    def is_draining(self, domain_id: int) -> bool:
        """Return whether a domain has an open drain."""
        return self._core.mirror.is_draining(domain_id)

    def open_drains(self) -> list[Drain]:
        """Return the open drains, by domain."""
        return open_drains(self._core.mirror.open_drains())

    async def finish_drain(
        self,
        drain: Drain,
        left_behind: int = 0,
        past: PastDrain | None = None,
        times: int = 0,
    ) -> bool:
        """Close it if the domain holds no more than was left behind."""
        change = partial(
            drain_changes.finish_drain,
            drain=drain,
            left_behind=left_behind,
            past=past,
            times=times,
        )
        return await self._core.write(change, SessionKind.DRAINS)

    async def close_drain(
        self, drain: Drain, past: PastDrain | None = None, at: float = 0.0
    ) -> None:
        """Record that it is over, and how it went."""
        change = partial(drain_changes.close_drain, drain=drain, past=past, at=at)
        await self._core.write(change, SessionKind.DRAINS)

    async def follow_drain(
        self, drain: Drain, wanted: WantedDrain, past: PastDrain | None = None
    ) -> Drain | None:
        """Close it, and open another in its place."""
        change = partial(drain_changes.follow_drain, drain=drain, wanted=wanted, past=past)
        return await self._core.write(change, SessionKind.DRAINS)

    async def past_drains(self, domain_ids: Sequence[int] | None = None) -> Mapping[int, PastDrain]:
        """Return how the last drain of each domain went."""
        if domain_ids is None:
            rows = await self._core.fetch(drain_statements.PAST_DRAINS)
        else:
            rows = await self._core.fetch(drain_statements.PAST_DRAINS_OF, domain_ids)
        return {domain_id: read_past_drain(row) for domain_id, *row in rows}


def _keys(drains: Collection[Drain]) -> tuple[list[int], list[int]]:
    """Return the domains and the numbers of drains."""
    return [drain.domain_id for drain in drains], [drain.number for drain in drains]
