"""Starts drains, at most one for a domain, and ends them.

A drain is recorded in the store before it runs, so that it survives the process. The store says
which drains there are, and `drain_claims` takes up those that nobody runs. SIGTERM (`stop_all`)
leaves the record there and gives each drain back when it has ended here, so that another server
takes it over at once. A drain that had to be cancelled is taken over when its lease ends. A defect
in one drain ends that drain only; its mail stays held.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Final

from restante.background.fair_slots import FairSlots
from restante.delivery.account_turnarounds import AccountTurnarounds
from restante.delivery.callout import Callouts
from restante.delivery.cannot_start import CannotStart, TurnaroundBusy
from restante.delivery.client_turnaround import ClientTurnaround
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.destination_probe import probe
from restante.delivery.domain_drain import DomainDrain, DrainStopCause
from restante.delivery.drain_claims import FENCE_SECONDS, DrainClaims
from restante.delivery.drain_state import DrainCensus, DrainSnapshot, unclaimed_view
from restante.delivery.greeting_probe import greeting_probe
from restante.delivery.turnaround_part import TurnaroundPart
from restante.mail.address import Mailbox
from restante.phrases import BY_ATRN_ONLY
from restante.queue.drain_word import DrainState, DrainWay
from restante.store.drain_book import TAKES_MAIL_ITSELF
from restante.store.handover_store import Drain, DrainRequests, JoinedDrain, WantedDrain
from restante.store.store_errors import StoreError
from restante.telemetry.events import InternalError, StoreFailed
from restante.telemetry.work_word import WorkWord
from restante.tenancy.model import Destination, HostedDomain, IpAddress, Login
from restante.tenancy.numbered_change import NumberedChange, RecordKind

STOP_GRACE: Final = 5.0  # seconds for outstanding replies: interrupted mail may be delivered twice

_RECORD_SECONDS: Final = 5.0  # for stopped drains to record their end
_LOOK_SECONDS: Final = 0.2  # between two looks whether a drain elsewhere has ended
_IDLE_END_SECONDS: Final = 4.0  # for another server to end a turnaround that is idle
# A stop that is asked of the owner of a turnaround, and that only one that is idle obeys.
TURN_ASKED_AGAIN: Final = "the client asks for another turnaround, at another server"
_TURN_REASON: Final = "the client takes the mail over its own connection"


class DrainStart(StrEnum):
    """The result of a start."""

    STARTED = "started"
    JOINED = "joined"


class Dispatcher:
    """All drains of this process."""

    def __init__(
        self, context: DeliveryContext, tasks: asyncio.TaskGroup, grace: float = STOP_GRACE
    ) -> None:
        """Drains run as tasks of `tasks`. A stopped one gets `grace` seconds to end."""
        self._context = context
        self._handover = context.store.handover
        self._slots = FairSlots(
            lambda: context.settings.drains_limit, lambda: context.settings.account_drains_limit
        )
        self._callouts = Callouts(context, tasks)
        self._tasks = tasks
        self._grace = grace
        self._end_listeners: list[Callable[[int], None]] = []
        self._drains: dict[int, DomainDrain | TurnaroundPart] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._doors: defaultdict[int, asyncio.Lock] = defaultdict(
            asyncio.Lock
        )  # one start per domain at a time
        self._is_stopping = False
        self._turnarounds = AccountTurnarounds(context, tasks, self._check_turn, self._open_part)
        self._claims = DrainClaims(context, self._leases, self._take_up, self._obey)

    def on_end(self, listener: Callable[[int], None]) -> None:
        """Call this with a domain's id after each end of its drain."""
        self._end_listeners.append(listener)

    async def run(self) -> None:
        """Take up drains that nobody runs, and obey requests to those here, until cancelled."""
        await self._claims.run()

    async def look_for_drains(self) -> None:
        """Do that once. Raises StoreError."""
        await self._claims.look()

    def settings_changed(self) -> None:
        """Let drains begin that waited for a limit, if there is more room now."""
        self._slots.limits_changed()

    async def start(
        self,
        domain: HostedDomain,
        requested_by: str,
        release: int = 0,
        *,
        way: DrainWay = DrainWay.DESTINATION,
    ) -> DrainStart:
        """Deliver a domain's held mail. An open drain is joined: new patience, next try at once.

        `release` is the id of the request that it is for, if there is one. For a drain of named
        messages it must be on record already. On return, the drain is on record with its patience,
        and survives a crash. Delivery continues by itself. Raises CannotStart or StoreError.
        """
        if not domain.destination.is_reachable:
            raise CannotStart(BY_ATRN_ONLY)
        async with self._doors[domain.id]:
            self._context.dialer.forget(domain.destination.host)
            drain = await self._join(domain.id, way)
            if drain is None and self._is_stopping:
                raise CannotStart("the server is stopping")
            now = self._context.clocks.now()
            opened = await self._handover.open_drain(
                domain.id,
                now,
                now + self._context.settings.patience,
                release,
                requested_by,
                way=way,
            )
            if isinstance(opened, JoinedDrain):
                if drain is not None:
                    drain.note_joined(opened.times, opened.drain.way)  # it knows already
                    if isinstance(drain, TurnaroundPart) and drain.release_after is not None:
                        drain.release_after = (requested_by, release)  # not stopped meanwhile
                else:
                    self._claims.look_soon(domain.id)
                return DrainStart.JOINED
            await self._replace(domain.id)
            await self._launch(opened, domain)
            return DrainStart.STARTED

    async def turn(
        self, domains: Sequence[HostedDomain], login: Login, address: IpAddress, release: int
    ) -> ClientTurnaround:
        """Prepare to hand the mail of these domains over on the client's own connection.

        Raises TurnaroundBusy if the account has another one, CannotStart, or StoreError.
        """
        return await self._turnarounds.turn(domains, login, address, release)

    async def stop(self, domain_id: int, reason: str = "stopped on request") -> bool:
        """End a domain's drain permanently; its mail stays held. False if there is none.

        Returns before the drain has ended. Raises StoreError if it runs elsewhere, or not yet, and
        its owner cannot be asked.
        """
        drain = self._drains.get(domain_id)
        if drain is not None:
            self._stop_on_request(drain, reason)
            return True
        is_there = await self._handover.ask_stop(domain_id, reason)
        if is_there:
            self._claims.look_soon(domain_id)
        return is_there

    def records_changed(self, changes: Sequence[NumberedChange] | None) -> None:
        """Apply changed records to the drains of their domains; None: any may have changed."""
        if changes is None:
            changed = list(self._drains)
        else:
            changed = [int(one.key) for one in changes if one.kind is RecordKind.DOMAIN]
        for domain_id in changed:
            self.look_at_record(domain_id)

    def look_at_record(self, domain_id: int) -> None:
        """Apply a changed record to a domain's drain; an unrelated change does not stop it."""
        if (drain := self._drains.get(domain_id)) is not None:
            drain.look_at_record(self._grace)

    @asynccontextmanager
    async def held_off(self, domain_id: int) -> AsyncIterator[bool]:
        """Block delivery of a domain's mail during the block.

        Yields False if some may already be in delivery; then nothing is blocked.
        """
        async with self._doors[domain_id]:
            drain = self._drains.get(domain_id)
            if drain is None:
                yield True
            else:
                async with drain.held_off() as is_held_off:
                    yield is_held_off

    async def stop_all(self) -> None:
        """End every drain and return when all have ended; others or the next start resume them."""
        self._is_stopping = True
        for drain in self._drains.values():
            drain.stop(DrainStopCause("the server is stopping", stays_recorded=True), self._grace)
        await self._give_back(self._claims.resting(self._others()))
        if self._running:
            _, stuck = await asyncio.wait(
                self._running.values(), timeout=self._grace + _RECORD_SECONDS
            )
            for task in stuck:  # in a read that hangs
                task.cancel()
            if stuck:
                await asyncio.wait(stuck, timeout=_RECORD_SECONDS)

    def fence(self) -> None:
        """Send no more if the leases of this process are about to end; to be called once a second.

        Another server may then take its drains over, and would send the same mail. It needs no word
        from the store, which cannot be reached then. The drains stay on record.
        """
        if self._handover.lease_left() > FENCE_SECONDS:
            return
        reason = "the store was out of reach for so long that another server may take the drain"
        for drain in self._drains.values():
            drain.stop(DrainStopCause(reason, stays_recorded=True), 0.0)

    def drains(self) -> Iterator[DrainSnapshot]:
        """Yield a view of each drain, each made at its turn.

        Those that run here come first, in the order they were started.
        """
        others = self._others()
        yield from (drain.view for drain in list(self._drains.values()))
        hosted = self._context.directory.now
        for drain in others:
            if (domain := hosted.domain_by_id(drain.domain_id)) is not None:
                yield unclaimed_view(drain, domain)

    def drain_of(self, domain_id: int) -> DrainSnapshot | None:
        """Return a view of a domain's drain, None if it does not run here."""
        drain = self._drains.get(domain_id)
        return None if drain is None else drain.view

    def census(self) -> DrainCensus:
        """Count the drains, without a view of each: one account may have ten thousand domains."""
        drains = self._drains.values()
        states = Counter(drain.state for drain in drains)
        if others := len(self._others()):
            states[DrainState.UNCLAIMED] = others
        return DrainCensus(states, sum(drain.connections for drain in drains))

    def is_draining(self, domain_id: int) -> bool:
        """Return whether a domain has a drain, here or on record."""
        return domain_id in self._drains or self._handover.is_draining(domain_id)

    def runs_here(self, domain_id: int) -> bool:
        """Return whether this process runs a domain's drain."""
        return domain_id in self._drains

    async def probe(self, destination: Destination) -> str:
        """Check whether a destination answers; return "" if it does, otherwise the reason."""
        return await probe(destination, self._context)

    async def greet(self, destination: Destination) -> str:
        """Check whether a destination greets; return "" if it does, otherwise the reason."""
        return await greeting_probe(destination, self._context.dialer)

    def busy_destinations(self) -> frozenset[str]:
        """Return the destinations that a drain here has a connection to, ready for mail."""
        return frozenset(drain.destination for drain in self._drains.values() if drain.connections)

    async def ask_destination(self, domain: HostedDomain, path: Mailbox) -> bool | None:
        """Ask a domain's destination whether a mailbox exists; None if that is unknown now."""
        return await self._callouts.ask(domain, path)

    def _others(self) -> list[Drain]:
        """Return the drains on record that do not run here."""
        return [one for one in self._handover.open_drains() if one.domain_id not in self._drains]

    async def _check_turn(self, domains: Sequence[HostedDomain]) -> None:
        """Raise CannotStart or TurnaroundBusy if no turnaround of these domains can begin.

        A turnaround on another server is ended there if it is idle.
        """
        if self._is_stopping:
            raise CannotStart("the server is stopping")
        ids = {one.id for one in domains}
        if not (busy := self._turned_elsewhere(ids)):
            return
        clocks = self._context.clocks
        until = clocks.monotonic() + _IDLE_END_SECONDS
        await self._handover.ask_stop(busy[0], TURN_ASKED_AGAIN)
        while self._turned_elsewhere(ids):
            if clocks.monotonic() > until:
                raise TurnaroundBusy
            await clocks.wait(asyncio.Event(), _LOOK_SECONDS)

    def _turned_elsewhere(self, ids: Collection[int]) -> list[int]:
        """Return those domains whose mail another server hands over on a client's connection."""
        return [
            one.domain_id
            for one in self._handover.open_drains()
            if one.domain_id in ids
            and one.way is DrainWay.TURNAROUND
            and one.domain_id not in self._drains
        ]

    async def _open_part(
        self, domain: HostedDomain, name: str, requested_by: str, release: int
    ) -> TurnaroundPart:
        """Take the lease of a domain for a turnaround. A drain that runs is ended gently first.

        If the turnaround does not begin after all, another drain follows it. Raises CannotStart or
        StoreError.
        """
        asked_by = self._drain_asked_by(domain.id)
        try:
            part = await self._take_for_turn(domain, name, requested_by, release)
        except (CannotStart, StoreError):
            if asked_by is not None:
                self._tasks.create_task(self._start_after(domain, *asked_by))
            raise
        part.replaced = asked_by
        return part

    def _drain_asked_by(self, domain_id: int) -> tuple[str, int] | None:
        """Return who asked for the domain's drain to its destination, and its release, if any.

        A drain of named messages counts as none: nobody has asked for the rest.
        """
        if (present := self._drains.get(domain_id)) is not None:
            if isinstance(present, TurnaroundPart) or present.way is not DrainWay.DESTINATION:
                return None
            return present.lease.requested_by, present.lease.release
        if not self._handover.is_draining(domain_id):  # the list below can be long
            return None
        for one in self._handover.open_drains():
            if one.domain_id == domain_id and one.way is DrainWay.DESTINATION:
                return one.requested_by, one.release
        return None

    async def _take_for_turn(
        self, domain: HostedDomain, name: str, requested_by: str, release: int
    ) -> TurnaroundPart:
        await self._end_elsewhere(domain.id)
        async with self._doors[domain.id]:
            await self._end_here(domain.id)
            if self._is_stopping:
                raise CannotStart("the server is stopping")
            now = self._context.clocks.now()
            deadline = now + self._context.settings.patience
            opened = await self._handover.open_drain(
                domain.id, now, deadline, release, requested_by, way=DrainWay.TURNAROUND
            )
            if isinstance(opened, JoinedDrain):
                raise CannotStart(f"a drain of {domain.name} runs elsewhere")
            part = TurnaroundPart(opened, domain, self._context, name)
            self._drains[domain.id] = part
            self._running[domain.id] = self._tasks.create_task(self._run(part, domain))
            part.look_at_record(self._grace)  # the end of a drain took time: it may have changed
            return part

    async def _end_here(self, domain_id: int) -> None:
        if (drain := self._drains.get(domain_id)) is None:
            return
        drain.stop(DrainStopCause(_TURN_REASON, stays_recorded=False), self._grace)
        running = self._running[domain_id]
        await asyncio.wait([running], timeout=self._grace + _RECORD_SECONDS)
        if not running.done():
            raise CannotStart("the drain of the domain does not end")

    async def _end_elsewhere(self, domain_id: int) -> None:
        """End a drain that runs on another server, or nowhere yet. Its owner needs a moment."""
        clocks, handover = self._context.clocks, self._handover
        until = clocks.monotonic() + self._grace + _RECORD_SECONDS
        if domain_id in self._drains or not handover.is_draining(domain_id):
            return
        if any(
            one.domain_id == domain_id and one.way is DrainWay.TURNAROUND
            for one in handover.open_drains()
        ):
            raise TurnaroundBusy
        if await handover.ask_stop(domain_id, _TURN_REASON):
            self._claims.look_soon(domain_id)
        while domain_id not in self._drains and handover.is_draining(domain_id):
            if clocks.monotonic() > until:
                raise CannotStart("the drain of the domain does not end on another server")
            await clocks.wait(asyncio.Event(), _LOOK_SECONDS)

    async def _join(self, domain_id: int, way: DrainWay) -> DomainDrain | TurnaroundPart | None:
        """Join the domain's drain. None if there is none here, or after an ending one has ended.

        Raises CannotStart for named messages while a turnaround has the domain: a drain of all mail
        would follow it.
        """
        while (drain := self._drains.get(domain_id)) is not None:
            if way is DrainWay.MESSAGES and isinstance(drain, TurnaroundPart):
                raise CannotStart(TAKES_MAIL_ITSELF)
            running = self._running[domain_id]
            if await drain.join(self._context.settings.patience):
                return drain
            await asyncio.wait([running])
        return None

    async def _replace(self, domain_id: int) -> None:
        """Wait for the end of a drain that was joined and has ended before that was recorded."""
        while (running := self._running.get(domain_id)) is not None:
            await asyncio.wait([running])

    async def _take_up(self, recorded: Drain, domain: HostedDomain) -> None:
        """Run a drain that nobody runs. That of a domain suspended meanwhile is ended."""
        async with self._doors[domain.id]:
            if domain.id in self._drains or self._is_stopping:
                return
            store = self._handover
            was_asked = recorded.way is DrainWay.TURNAROUND and any(
                asked.times and asked.stop in ("", TURN_ASKED_AGAIN)
                for asked in await store.asked([recorded])
            )
            lease = await store.take_over(recorded)
            if lease is None:
                return
            if lease.way is DrainWay.TURNAROUND:
                await self._close_turnaround(lease, domain, was_asked=was_asked)
                return
            must_stop = any(asked.stop for asked in await store.asked([lease]))
            if must_stop or domain.policy.suspension_at(self._context.clocks.now()) is not None:
                await store.close_drain(lease, at=self._context.clocks.now())
                self._tell_end(domain.id)
            else:
                await self._launch(lease, domain)

    async def _close_turnaround(
        self, lease: Drain, domain: HostedDomain, *, was_asked: bool
    ) -> None:
        """End a turnaround whose connection was lost: its mail stays held.

        A release that was asked for meanwhile begins a drain.
        """
        now = self._context.clocks.now()
        is_suspended = domain.policy.suspension_at(now) is not None
        if not was_asked or is_suspended or not domain.destination.is_reachable:
            await self._handover.close_drain(lease, at=now)
            self._tell_end(domain.id)
            return
        wanted = WantedDrain(now, now + self._context.settings.patience, lease.requested_by)
        following = await self._handover.follow_drain(lease, wanted)
        self._tell_end(domain.id)
        if following is not None:
            await self._launch(following, domain)

    async def _start_after(self, domain: HostedDomain, requested_by: str, release: int) -> None:
        """Start the drain that was asked for while a turnaround had the domain."""
        if domain.policy.suspension_at(self._context.clocks.now()) is not None:
            return
        try:
            await self.start(domain, requested_by, release)
        except CannotStart:  # the server is stopping, or the destination was removed meanwhile
            return
        except StoreError as error:
            self._context.log.publish(
                StoreFailed(error=error, doing=WorkWord.START_DRAIN, domain=domain.name)
            )

    def _follow_up(self, part: TurnaroundPart) -> None:
        """Run the drain that took the place of a turnaround. One that is given back is another's.

        A release was asked for meanwhile; or a drain was ended for a turnaround that did not begin.
        """
        domain = self._context.directory.now.domain_by_id(part.lease.domain_id)
        if part.following is not None and domain is not None and not self._is_stopping:
            self._begin(part.following, domain)

    async def _obey(self, asked: DrainRequests) -> None:
        """Do what others ask of a drain that runs here."""
        drain = self._drains.get(asked.domain_id)
        if drain is None:
            return
        if asked.is_lost:
            reason = "another server has taken the drain over"
            drain.stop(DrainStopCause(reason, stays_recorded=True), self._grace)
            return
        if asked.stop and asked.stop != TURN_ASKED_AGAIN:
            self._stop_on_request(drain, asked.stop)
            return
        if asked.times > drain.times_asked:
            drain.note_joined(asked.times, asked.way)
            # It was asked within the last second. The deadline on record is by the wall clock.
            await drain.join(self._context.settings.patience)
        if asked.stop:
            await self._turn_asked_again(drain)

    async def _turn_asked_again(self, drain: DomainDrain | TurnaroundPart) -> None:
        """End a turnaround if it is idle now. If it becomes idle later, its client asks again."""
        if isinstance(drain, TurnaroundPart):
            self._turnarounds.asked_again(drain.domain.account)
        await self._handover.ask_stop(drain.lease.domain_id, "")

    def _stop_on_request(self, drain: DomainDrain | TurnaroundPart, reason: str) -> None:
        if isinstance(drain, TurnaroundPart):  # nor does a drain follow that was asked for before
            drain.release_after = drain.replaced = None
        drain.stop(DrainStopCause(reason, stays_recorded=False), self._grace)

    def _leases(self) -> list[Drain]:
        return [drain.lease for drain in self._drains.values()]

    async def _launch(self, lease: Drain, domain: HostedDomain) -> None:
        """Run a drain; if the server is stopping meanwhile, leave it to others."""
        if self._is_stopping:
            await self._give_back([lease])
        else:
            self._begin(lease, domain)

    def _begin(self, lease: Drain, domain: HostedDomain) -> None:
        drain = DomainDrain(lease, domain, self._context, self._slots)
        self._drains[domain.id] = drain
        self._running[domain.id] = self._tasks.create_task(self._run(drain, domain))

    async def _run(self, drain: DomainDrain | TurnaroundPart, domain: HostedDomain) -> None:
        try:
            await drain.run()
            if self._is_stopping:
                await self._give_back([drain.lease])
        except Exception as error:  # noqa: BLE001  the boundary: one drain's defect is no other's
            self._context.log.publish(InternalError(error=error, domain=domain.name))
        finally:
            del self._drains[domain.id], self._running[domain.id]
            self._claims.ended(domain.id)
            self._tell_end(domain.id)
            if isinstance(drain, TurnaroundPart):
                self._follow_up(drain)

    async def _give_back(self, drains: Sequence[Drain]) -> None:
        if not drains:
            return
        try:
            await self._handover.give_back(drains)
        except StoreError as error:  # others take them over when the lease ends
            self._context.log.publish(StoreFailed(error=error, doing=WorkWord.RETURN_DRAINS))

    def _tell_end(self, domain_id: int) -> None:
        for listener in self._end_listeners:
            listener(domain_id)
