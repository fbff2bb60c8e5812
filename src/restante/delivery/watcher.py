"""Mail that leaves without a request: watch destinations and begin drains by policy (S14).

    relay        a drain begins when mail comes
    on-return    a drain begins when the destination comes up; it is probed while mail is held for
                 one of its domains
    either       a drain that ended and left mail behind is followed by another, after growing
                 pauses

If a domain takes mail only while its destination is down (`--accept when-down`), the destination is
watched all the time.

The states of destinations are in destination_watch.py.

Theory of operation. One task (`run`) decides. Probes and starts of drains are tasks beside it,
which wake it when they are done. It works through an agenda in order of time: domains whose drain
may begin, and destinations to probe. So the cost of a turn does not grow with their number. All
domains are examined, and the agenda rebuilt, only when the records have changed, and once a minute.
The latter is for mail that is held again by hand.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, Final

from restante.background.clocks import Clocks
from restante.background.rounds import Rounds
from restante.delivery.cannot_start import CannotStart
from restante.delivery.destination_watch import (
    DestinationProbes,
    DestinationWatch,
    ProbedDestination,
)
from restante.queue.presence import (
    DestinationState,
    WatchedDestination,
)
from restante.queue.retry_schedule import Schedule, next_attempt
from restante.store.duty_store import DutyStore, keep_performing
from restante.store.figure_store import FigureStore
from restante.store.live_directory import LiveDirectory
from restante.store.store_errors import StoreError
from restante.telemetry.event_bus import Log
from restante.telemetry.events import DeliveryAttempt, StoreFailed
from restante.telemetry.work_word import WorkWord
from restante.tenancy.model import Destination, Directory, HostedDomain
from restante.tenancy.policy import AcceptPolicy, HoldPolicy

CONSIDERED_AT_ONCE: Final = 25  # between two turns of the event loop: each may begin a drain
_LOOK_AROUND: Final = 60.0  # seconds
_LOOK_PAUSE: Final = 1.0  # seconds between two looks, however often records change
_DRAIN_AGAIN: Final = Schedule(
    first_retry=300.0, longest_retry=3600.0
)  # after a drain that left mail behind


@dataclass(slots=True)
class _WaitingDomain:
    """A domain with mail that may leave without a request."""

    domain: HostedDomain
    drain_at: float  # monotonic; not before
    drains: int = 0  # begun since it was last empty, or its destination came back
    is_busy: bool = False  # a drain is being started, or runs


@dataclass(frozen=True, slots=True)
class UnaskedDrains:
    """The functions by which the watcher starts drains."""

    start: Callable[[HostedDomain], Awaitable[None]]  # may raise CannotStart or StoreError
    is_draining: Callable[[int], bool]  # by domain id; on any server
    runs_here: Callable[[int], bool]  # by domain id; `drain_ended` is called for these only


class Watcher:
    """Begins drains without a request."""

    def __init__(
        self,
        *,
        figures: FigureStore,
        duties: DutyStore,
        directory: LiveDirectory,
        drains: UnaskedDrains,
        probes: DestinationProbes,
        log: Log,
        clocks: Clocks,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        self._figures = figures
        self._duties = duties
        self._directory = directory
        self._drains = drains
        self._log = log
        self._now = clocks.now
        self._monotonic = clocks.monotonic
        self._spawn = spawn
        self._jitter = clocks.jitter
        self._waiting: dict[int, _WaitingDomain] = {}  # by domain id
        self._picture: Directory | None = None  # the directory that was last examined
        self._look_at = float("-inf")  # monotonic
        self._looked_at = float("-inf")  # monotonic
        self._agenda: list[
            tuple[float, int, _WaitingDomain | ProbedDestination]
        ] = []  # a heap: due time, order of arrival, item
        self._entries = count()
        self._rounds = Rounds(log, WorkWord.WATCH, clocks.wait)
        self._watch = DestinationWatch(
            probes, log, clocks, spawn, enter=self._enter, on_return=self._begin_anew
        )

    # Called by other parts

    def mail_came(self, domain: HostedDomain) -> None:
        """Record that mail was held for a domain. Cheap: it is called for every batch."""
        if domain.id not in self._waiting and self._leaves_unasked(domain, self._now()):
            waiting = self._waiting[domain.id] = _WaitingDomain(domain, self._monotonic())
            self._enter(waiting.drain_at, waiting)
            if domain.policy.hold is HoldPolicy.ON_RETURN:
                self._watch.watch(domain)
            self._rounds.wake()

    def _leaves_unasked(self, domain: HostedDomain, wall: float) -> bool:
        """Tell whether a drain may start without a request, and can."""
        return domain.destination.is_reachable and domain.policy.leaves_unasked(wall)

    def records_changed(self) -> None:
        """Record that the operator has changed something."""
        self._rounds.wake()

    def settings_changed(self) -> None:
        """Look around with the settings of a reload."""
        self._look_at = float("-inf")
        self._rounds.wake()

    def drain_ended(self, domain_id: int) -> None:
        """Record that a domain's drain is over, whatever started it."""
        waiting = self._waiting.get(domain_id)
        if waiting is not None:
            waiting.is_busy = False
            self._look_again(waiting)
            if not self._held(waiting.domain):
                del self._waiting[domain_id]

    def connection_ended(self, event: DeliveryAttempt) -> None:
        """Learn from the end of a connection to a destination."""
        self._watch.connection_ended(event)

    def is_up(self, destination: Destination) -> bool:
        """Return whether a destination is known to answer; False if it is not watched."""
        return self.seen(destination) is DestinationState.UP

    def seen(self, destination: Destination) -> DestinationState:
        """Return the state of a destination, as last seen."""
        return self._watch.seen(destination)

    def sighting(self, destination: Destination) -> WatchedDestination | None:
        """Return all that is known of a destination, None for one that is not watched."""
        return self._watch.sighting(destination)

    # The task

    async def run(self) -> None:
        """Watch until cancelled."""
        await keep_performing(self._duties, "watch", self._watch_until_cancelled)

    async def _watch_until_cancelled(self) -> None:
        try:
            await self._watch.load()
        except StoreError as error:
            self._log.publish(StoreFailed(error=error, doing=WorkWord.PRESENCE))
        try:
            await self._rounds.run_rounds(self._take_round)
        finally:
            self._watch.cancel()

    async def _take_round(self) -> float:
        """Consider what is due; return the seconds until something else is."""
        now = self._monotonic()
        if self._directory.now is not self._picture:
            self._look_at = min(self._look_at, self._looked_at + _LOOK_PAUSE)
        if now >= self._look_at:
            self._look_around(now)
        for place in count():
            if not self._agenda or self._agenda[0][0] > now:
                break
            self._consider(heappop(self._agenda)[2], now)
            if place % CONSIDERED_AT_ONCE == CONSIDERED_AT_ONCE - 1:
                await asyncio.sleep(0)  # a destination that comes back may have thousands
        first = self._agenda[0][0] if self._agenda else self._look_at
        return max(min(first, self._look_at) - now, 0.0)

    def _enter(self, at: float, what: _WaitingDomain | ProbedDestination) -> None:
        """Have something considered then. Outdated entries are skipped when they come up."""
        heappush(self._agenda, (at, next(self._entries), what))
        self._rounds.wake()

    def _consider(self, what: _WaitingDomain | ProbedDestination, now: float) -> None:
        if isinstance(what, ProbedDestination):
            self._watch.consider(what, now)
        elif self._waiting.get(what.domain.id) is what:
            self._consider_drain(what, now)

    def _look_around(self, now: float) -> None:
        """Find the domains with mail that may leave, and the destinations to watch."""
        self._picture = self._directory.now
        self._looked_at, self._look_at = now, now + _LOOK_AROUND
        domains, wall = self._picture.domains.values(), self._now()
        eligible = [
            domain
            for domain in domains
            if self._leaves_unasked(domain, wall) and self._held(domain)
        ]
        self._waiting = {domain.id: self._as_waiting(domain, now) for domain in eligible}
        self._watch.look_around(domains, now, self._is_needed)
        drains = [(one.drain_at, next(self._entries), one) for one in self._waiting.values()]
        self._agenda = [
            *drains,
            *((one.probe_at, next(self._entries), one) for one in self._watch.watched),
        ]
        heapify(self._agenda)

    def _as_waiting(self, domain: HostedDomain, now: float) -> _WaitingDomain:
        waiting = self._waiting.get(domain.id) or _WaitingDomain(domain, now)
        waiting.domain = domain
        return waiting

    def _is_needed(self, domain: HostedDomain) -> bool:
        """Tell whether the policy of a domain needs its destination probed."""
        return domain.policy.accept is AcceptPolicy.WHEN_DOWN or (
            domain.policy.hold is HoldPolicy.ON_RETURN and domain.id in self._waiting
        )

    def _held(self, domain: HostedDomain) -> int:
        return self._figures.usage(domain.id).held

    # Drains

    def _consider_drain(self, waiting: _WaitingDomain, now: float) -> None:
        if waiting.is_busy:
            return
        if not self._held(waiting.domain):
            del self._waiting[waiting.domain.id]
        elif self._drains.runs_here(waiting.domain.id):
            waiting.is_busy = True  # somebody has asked; `drain_ended` will be called
        elif self._drains.is_draining(waiting.domain.id):
            self._look_again(waiting)
        elif now >= waiting.drain_at and self._may_leave(waiting.domain):
            waiting.is_busy = True
            waiting.drains += 1
            self._spawn(self._begin_drain(waiting))

    def _look_again(self, waiting: _WaitingDomain) -> None:
        waiting.drain_at = self._after(_DRAIN_AGAIN, waiting.drains)
        self._enter(waiting.drain_at, waiting)

    def _may_leave(self, domain: HostedDomain) -> bool:
        return domain.policy.hold is HoldPolicy.RELAY or self.is_up(domain.destination)

    async def _begin_drain(self, waiting: _WaitingDomain) -> None:
        """Start it. In any case it is considered again after its end, or after a pause."""
        try:
            await self._drains.start(waiting.domain)
        except CannotStart:  # the server is stopping
            pass
        except StoreError as error:
            self._log.publish(
                StoreFailed(error=error, doing=WorkWord.START_DRAIN, domain=waiting.domain.name)
            )
        finally:
            if not self._drains.runs_here(waiting.domain.id):
                self.drain_ended(waiting.domain.id)

    def _begin_anew(self, domains: Iterable[HostedDomain]) -> None:
        """Reset the pauses: a destination that has come back gets its mail now."""
        for domain in domains:
            waiting = self._waiting.get(domain.id)
            if waiting is not None:
                waiting.drains, waiting.drain_at = 0, self._monotonic()
                self._enter(waiting.drain_at, waiting)

    def _after(self, schedule: Schedule, failures: int) -> float:
        at = next_attempt(schedule, failures, self._monotonic(), float("inf"), self._jitter())
        assert at is not None  # there is no deadline
        return at
