"""Mail that leaves without a request: watch destinations and begin drains by policy (S14).

    relay        a drain begins when mail comes
    on-return    a drain begins when the destination comes up; it is probed while mail is held for
                 one of its domains
    either       a drain that ended and left mail behind is followed by another, after growing
                 pauses

If a domain takes mail only while its destination is down (`--accept when-down`), the destination is
watched all the time.

Theory of operation. One task (`run`) decides. Probes and starts of drains are tasks beside it,
which wake it when they are done. It works through an agenda in order of time: domains whose drain
may begin, and destinations to probe. So the cost of a turn does not grow with their number. All
domains are examined, and the agenda rebuilt, only when the records have changed, and once a minute.
The latter is for mail that is held again by hand.

Everything here is in memory. After a restart, two probes find the state again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, Final

from restante.background.waiting import Clocks
from restante.delivery.cannot_start import CannotStart
from restante.delivery.delivery_settings import DeliverySettings
from restante.queue.presence import Presence, Seen, Sighting
from restante.queue.schedule import Schedule, next_attempt
from restante.store.duty_store import DutyStore, keep_performing
from restante.store.live_directory import LiveDirectory
from restante.store.mail_figures import FigureStore
from restante.store.store_errors import StoreError
from restante.telemetry.events import PrimaryAway, PrimaryBack, StoreFailed
from restante.telemetry.log import Log
from restante.tenancy.model import Destination, Directory, HostedDomain
from restante.tenancy.policy import Accept, Hold

PROBES_AT_ONCE: Final = 50
CONSIDERED_AT_ONCE: Final = 25  # between two turns of the event loop: each may begin a drain
_LOOK_AROUND: Final = 60.0  # seconds
_DRAIN_AGAIN: Final = Schedule(
    first_retry=300.0, longest_retry=3600.0
)  # after a drain that left mail behind
_DOMAINS_NAMED: Final = 20  # in one line of the log


@dataclass(slots=True)
class _WaitingDomain:
    """A domain with mail that may leave without a request."""

    domain: HostedDomain
    drain_at: float  # monotonic; not before
    drains: int = 0  # begun since it was last empty, or its destination came back
    is_busy: bool = False  # a drain is being started, or runs


@dataclass(slots=True)
class _Watched:
    """A destination that is probed."""

    destination: Destination
    domains: list[HostedDomain]
    probe_at: float  # monotonic
    presence: Presence = field(default_factory=Presence)
    since: float | None = None  # Unix time: when `presence.seen` last changed
    reason: str = ""  # of the last probe
    is_busy: bool = False  # being probed


@dataclass(frozen=True, slots=True)
class UnaskedDrains:
    """The functions by which the watcher starts drains."""

    probe: Callable[[Destination], Awaitable[str]]  # "" if a destination answers, else why not
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
        settings: Callable[[], DeliverySettings],
        log: Log,
        clocks: Clocks,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        self._figures = figures
        self._duties = duties
        self._directory = directory
        self._drains = drains
        self._settings = settings
        self._log = log
        self._now = clocks.now
        self._monotonic = clocks.monotonic
        self._spawn = spawn
        self._wait = clocks.wait
        self._jitter = clocks.jitter
        self._waiting: dict[int, _WaitingDomain] = {}  # by domain id
        self._watched: dict[str, _Watched] = {}  # by the destination's text
        self._probing: set[asyncio.Task[None]] = set()
        self._probes = asyncio.Semaphore(PROBES_AT_ONCE)
        self._picture: Directory | None = None  # the directory that was last examined
        self._look_at = float("-inf")  # monotonic
        self._agenda: list[
            tuple[float, int, _WaitingDomain | _Watched]
        ] = []  # a heap: due time, order of arrival, item
        self._entries = count()
        self._woken = asyncio.Event()

    # Called by other parts

    def mail_came(self, domain: HostedDomain) -> None:
        """Record that mail was held for a domain. Cheap: it is called for every batch."""
        if domain.id not in self._waiting and domain.policy.leaves_unasked(self._now()):
            waiting = self._waiting[domain.id] = _WaitingDomain(domain, self._monotonic())
            self._enter(waiting.drain_at, waiting)
            if domain.policy.hold is Hold.ON_RETURN:
                self._watch(domain)
            self._woken.set()

    def _watch(self, domain: HostedDomain) -> None:
        watched = self._watched.get(domain.destination.text)
        if watched is None:
            watched = self._watched[domain.destination.text] = _Watched(
                domain.destination, [], self._monotonic()
            )
            self._enter(watched.probe_at, watched)
        if domain not in watched.domains:
            watched.domains.append(domain)

    def records_changed(self) -> None:
        """Record that the operator has changed something."""
        self._woken.set()

    def drain_ended(self, domain_id: int) -> None:
        """Record that a domain's drain is over, whatever started it."""
        waiting = self._waiting.get(domain_id)
        if waiting is not None:
            waiting.is_busy = False
            self._look_again(waiting)
            if not self._held(waiting.domain):
                del self._waiting[domain_id]

    def is_up(self, destination: Destination) -> bool:
        """Return whether a destination is known to answer; False if it is not watched."""
        return self.seen(destination) is Seen.UP

    def seen(self, destination: Destination) -> Seen:
        """Return the state of a destination, as last seen."""
        watched = self._watched.get(destination.text)
        return watched.presence.seen if watched is not None else Seen.UNKNOWN

    def sighting(self, destination: Destination) -> Sighting | None:
        """Return all that is known of a destination, None for one that is not watched."""
        watched = self._watched.get(destination.text)
        if watched is None:
            return None
        next_probe_at = self._now() + watched.probe_at - self._monotonic()
        return Sighting(watched.presence.seen, watched.since, next_probe_at, watched.reason)

    # The task

    async def run(self) -> None:
        """Watch until cancelled."""
        await keep_performing(self._duties, "watch", self._watch_until_cancelled)

    async def _watch_until_cancelled(self) -> None:
        try:
            await self._watch_on()
        finally:
            for probing in self._probing:
                probing.cancel()

    async def _watch_on(self) -> None:
        while True:
            self._woken.clear()
            now = self._monotonic()
            if self._directory.now is not self._picture or now >= self._look_at:
                self._look_around(now)
            for place in count():
                if not self._agenda or self._agenda[0][0] > now:
                    break
                self._consider(heappop(self._agenda)[2], now)
                if place % CONSIDERED_AT_ONCE == CONSIDERED_AT_ONCE - 1:
                    await asyncio.sleep(
                        0
                    )  # a destination that comes back may have ten thousand domains
            first = self._agenda[0][0] if self._agenda else self._look_at
            await self._wait(self._woken, max(min(first, self._look_at) - now, 0.0))

    def _enter(self, at: float, what: _WaitingDomain | _Watched) -> None:
        """Have something considered then. Outdated entries are skipped when they come up."""
        heappush(self._agenda, (at, next(self._entries), what))
        self._woken.set()

    def _consider(self, what: _WaitingDomain | _Watched, now: float) -> None:
        if isinstance(what, _Watched):
            if self._watched.get(what.destination.text) is what:
                self._consider_probe(what, now)
        elif self._waiting.get(what.domain.id) is what:
            self._consider_drain(what, now)

    def _look_around(self, now: float) -> None:
        """Find the domains with mail that may leave, and the destinations to watch."""
        self._picture = self._directory.now
        self._look_at = now + _LOOK_AROUND
        domains, wall = self._picture.domains.values(), self._now()
        eligible = [
            domain
            for domain in domains
            if domain.policy.leaves_unasked(wall) and self._held(domain)
        ]
        self._waiting = {domain.id: self._as_waiting(domain, now) for domain in eligible}
        groups: defaultdict[str, list[HostedDomain]] = defaultdict(list)
        for domain in _to_watch(domains, self._waiting):
            groups[domain.destination.text].append(domain)
        self._watched = {text: self._as_watched(text, group, now) for text, group in groups.items()}
        drains = [(one.drain_at, next(self._entries), one) for one in self._waiting.values()]
        self._agenda = [
            *drains,
            *((one.probe_at, next(self._entries), one) for one in self._watched.values()),
        ]
        heapify(self._agenda)

    def _as_waiting(self, domain: HostedDomain, now: float) -> _WaitingDomain:
        waiting = self._waiting.get(domain.id) or _WaitingDomain(domain, now)
        waiting.domain = domain
        return waiting

    def _as_watched(self, text: str, domains: list[HostedDomain], now: float) -> _Watched:
        watched = self._watched.get(text) or _Watched(domains[0].destination, domains, now)
        watched.domains = domains
        return watched

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
        return domain.policy.hold is Hold.RELAY or self.is_up(domain.destination)

    async def _begin_drain(self, waiting: _WaitingDomain) -> None:
        """Start it. In any case it is considered again after its end, or after a pause."""
        try:
            await self._drains.start(waiting.domain)
        except CannotStart:  # the server is stopping
            pass
        except StoreError as error:
            self._log.publish(
                StoreFailed(error=error, doing="start drain", domain=waiting.domain.name)
            )
        finally:
            if not self._drains.runs_here(waiting.domain.id):
                self.drain_ended(waiting.domain.id)

    def _after(self, schedule: Schedule, failures: int) -> float:
        at = next_attempt(schedule, failures, self._monotonic(), float("inf"), self._jitter())
        assert at is not None  # there is no deadline
        return at

    # Probes

    def _consider_probe(self, watched: _Watched, now: float) -> None:
        if not watched.is_busy and now >= watched.probe_at:
            watched.is_busy = True
            probing = self._spawn(self._look_at_destination(watched))
            self._probing.add(probing)
            probing.add_done_callback(self._probing.discard)

    async def _look_at_destination(self, watched: _Watched) -> None:
        reason = "internal error"
        try:
            async with self._probes:
                reason = await self._drains.probe(watched.destination)
        finally:
            self._learn(watched, reason)
            watched.is_busy = False
            self._enter(watched.probe_at, watched)

    def _learn(self, watched: _Watched, reason: str) -> None:
        before, watched.presence = watched.presence, watched.presence.after(is_good=not reason)
        settings = self._settings()
        schedule = Schedule(settings.probe_pause, settings.longest_probe_pause)
        watched.probe_at = watched.presence.next_probe(schedule, self._monotonic(), self._jitter())
        watched.reason = reason
        if watched.presence.seen is before.seen:
            return
        watched.since = self._now()
        if watched.presence.seen is Seen.AWAY:
            self._tell(PrimaryAway, watched, reason)
        elif before.seen is Seen.AWAY:
            self._tell(PrimaryBack, watched, reason)
        if watched.presence.seen is Seen.UP:
            self._begin_anew(watched)

    def _begin_anew(self, watched: _Watched) -> None:
        """Reset the pauses: a destination that has come back gets its mail now."""
        for domain in watched.domains:
            waiting = self._waiting.get(domain.id)
            if waiting is not None:
                waiting.drains, waiting.drain_at = 0, self._monotonic()
                self._enter(waiting.drain_at, waiting)

    def _tell(self, event: type[PrimaryAway | PrimaryBack], watched: _Watched, reason: str) -> None:
        """Write a line for each account concerned: no account sees another's domains."""
        names: defaultdict[str, list[str]] = defaultdict(list)
        for domain in watched.domains:
            names[domain.account].append(domain.name)
        for account, domains in names.items():
            more = (
                f" and {len(domains) - _DOMAINS_NAMED} more"
                if len(domains) > _DOMAINS_NAMED
                else ""
            )
            self._log.publish(
                event(
                    destination=watched.destination.text,
                    account=account,
                    domains=",".join(domains[:_DOMAINS_NAMED]) + more,
                    reason=reason,
                )
            )


def _to_watch(
    domains: Iterable[HostedDomain], waiting: dict[int, _WaitingDomain]
) -> Iterator[HostedDomain]:
    """Yield the domains whose destinations must be probed."""
    for domain in domains:
        has_mail_for_its_return = domain.policy.hold is Hold.ON_RETURN and domain.id in waiting
        if has_mail_for_its_return or domain.policy.accept is Accept.WHEN_DOWN:
            yield domain
