"""Drains and their mail in a store that forgets."""

from collections.abc import Collection, Mapping, Sequence
from math import inf

from restante.mail.delivery_report import NewReport
from restante.mail.message import HeldMessage
from restante.queue.drain_word import DrainEnd, DrainWay
from restante.queue.recipient_status import MessageOutcome, move_of
from restante.store.drain_book import asked_of, is_finished, open_drains, unclaimed
from restante.store.handover_store import (
    Drain,
    DrainRequests,
    JoinedDrain,
    PastDrain,
    WantedDrain,
)
from restante.store.memory.memory_history import record_outcomes
from restante.store.memory.memory_message import handed_out
from restante.store.memory.memory_state import DrainShare, MemoryState


class MemoryHandover:
    """A `HandoverStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

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
        """Return messages with a held recipient whose place is above `after`, in this order."""
        found: list[HeldMessage] = []
        octets = 0
        of_domain = [
            handed_out(kept, tuple(kept.held), mark)
            for kept in self._state.mail.values()
            if kept.message.domain_id == domain_id and kept.held
        ]
        for message in sorted(of_domain, key=lambda one: one.place):
            if len(found) == limit or (found and octets >= max_octets):
                break
            if message.place > after:
                origin = self._state.mail[message.number].message.origin if with_origins else None
                found.append(message._replace(origin=origin))
                octets += len(message.head)
        return found

    async def settle(
        self,
        drain: Drain,
        outcomes: Sequence[MessageOutcome],
        reports: Sequence[NewReport] = (),
        at: float = 0.0,
    ) -> None:
        """Record the outcomes of these recipients, with the reports on them."""
        self._state.drains.check(drain)
        self._state.reports.keep(
            [report for report in reports if self._concerns_held(report, drain.domain_id)]
        )
        release = self._state.drains.present(drain.domain_id).release
        for outcome in outcomes:
            kept = self._state.mail.get(outcome.number)
            if kept is None or kept.message.domain_id != drain.domain_id:
                continue
            settled = [one for one in outcome.recipients if one.forward_path in kept.held]
            record_outcomes(self._state, kept, settled, at, drain=drain.number, release=release)
            if settled:
                self._state.count_for_releases(drain.domain_id, move_of(outcome))
            for recipient in outcome.recipients:
                kept.settle(recipient, at)
            kept.doubts = outcome.doubts or kept.doubts
            kept.deferrals = outcome.deferrals or kept.deferrals
            if not kept.all_paths:
                self._state.forget(outcome.number)

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
        self._state.check_hosted(domain_id)
        opened = self._state.drains.open(
            domain_id, requested_at, deadline, release, requested_by, way=way
        )
        if release:
            share = self._state.release_drains.setdefault((release, domain_id), DrainShare())
            share.ended_at, share.end, share.left = None, None, 0
        return opened

    async def claimable_drains(self, running: Collection[Drain]) -> list[Drain]:
        """Return the open drains that nobody runs."""
        return unclaimed(self._state.drains.records, running)

    async def take_over(self, drain: Drain) -> Drain | None:
        """Take over a claimable drain, if it still is."""
        return self._state.drains.take_over(drain)

    async def give_back(self, drains: Collection[Drain]) -> None:
        """Record nothing: a drain that this process does not run is claimable."""

    async def asked(self, drains: Collection[Drain]) -> list[DrainRequests]:
        """Return what others ask of these drains."""
        return asked_of(self._state.drains.records, drains)

    async def ask_stop(self, domain_id: int, reason: str) -> bool:
        """Ask the owner of a domain's drain to end it."""
        return self._state.drains.ask_stop(domain_id, reason)

    def lease_left(self) -> float:
        """Return infinity: there is one node."""
        return inf

    def is_draining(self, domain_id: int) -> bool:
        """Return whether a domain has an open drain."""
        return domain_id in self._state.drains.records

    def open_drains(self) -> list[Drain]:
        """Return the open drains, by domain."""
        return open_drains(self._state.drains.records)

    async def finish_drain(
        self,
        drain: Drain,
        left_behind: int = 0,
        past: PastDrain | None = None,
        times: int = 0,
    ) -> bool:
        """Close it if the domain holds no more than was left behind."""
        self._state.drains.check(drain)
        record = self._state.drains.records[drain.domain_id]
        held = self._state.usage(drain.domain_id).held
        if not is_finished(record, held, left_behind, times):
            return False
        await self.close_drain(drain, past)
        return True

    async def close_drain(
        self, drain: Drain, past: PastDrain | None = None, at: float = 0.0
    ) -> None:
        """Record that it is over, and how it went."""
        if self._state.drains.is_in_force(drain):
            ended_at, ending = (at, DrainEnd.STOPPED) if past is None else (past.ended_at, past.end)
            self._state.end_drain_shares(drain.domain_id, ended_at, ending)
            self._state.drains.close(drain)
            if past is not None:
                self._state.past_drains[drain.domain_id] = past

    async def follow_drain(
        self, drain: Drain, wanted: WantedDrain, past: PastDrain | None = None
    ) -> Drain | None:
        """Close it, and open another in its place."""
        if not self._state.drains.is_in_force(drain):
            return None
        own = self._state.drains.present(drain.domain_id).release
        joined = self._state.joined_of(drain.domain_id, own)
        await self.close_drain(drain, past, wanted.at)
        for share in joined.values():
            share.ended_at, share.end, share.left = None, None, 0
        release = max(joined, default=wanted.release)
        opened = await self.open_drain(
            drain.domain_id, wanted.at, wanted.deadline, release, wanted.requested_by
        )
        assert isinstance(opened, Drain), "the last one was closed"
        return opened

    async def past_drains(self, domain_ids: Sequence[int] | None = None) -> Mapping[int, PastDrain]:
        """Return how the last drain of each domain went."""
        past = self._state.past_drains
        return {one: past[one] for one in past if domain_ids is None or one in domain_ids}

    def _concerns_held(self, report: NewReport, domain_id: int) -> bool:
        """Tell whether a recipient that it names still waits; its outcome is settled with it."""
        kept = self._state.mail.get(report.about)
        if kept is None or kept.message.domain_id != domain_id:
            return False
        return any(path in kept.held for path in report.forward_paths)
