"""Mail that leaves without a request: watch destinations and begin drains by policy (S14).

    relay        a drain begins when mail comes
    on-return    a drain begins when the destination comes up; it is probed while mail is held for
                 one of its domains
    either       a drain that ended and left mail behind is followed by another, after growing
                 pauses

If a domain takes mail only while its destination is down (`--accept when-down`), the destination is
watched all the time.

All other destinations are probed once a minute, so that people can be told whether they answer
(`[presence]`, `--probe off`). Such a probe only reads the greeting. These probes are spread over
the minute. Those that wait for a host that is away have a lane of their own, and hold up no others.
A destination that has a connection from a drain answers, and is not probed. One that took mail is
up at once, without a probe.

Theory of operation. One task (`run`) decides. Probes and starts of drains are tasks beside it,
which wake it when they are done. It works through an agenda in order of time: domains whose drain
may begin, and destinations to probe. So the cost of a turn does not grow with their number. All
domains are examined, and the agenda rebuilt, only when the records have changed, and once a minute.
The latter is for mail that is held again by hand.

Decisions follow the state in memory: after a restart, two probes find it again. The journal has the
changes, so that a state that lasts over a restart is one state (presence_journal.py).
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, Final

from restante.background.clocks import Clocks
from restante.background.rounds import Rounds
from restante.delivery.cannot_start import CannotStart
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.presence_journal import PresenceJournal
from restante.delivery.presence_settings import PresenceSettings
from restante.queue.presence import (
    PROVEN,
    DestinationPresence,
    DestinationState,
    WatchedDestination,
)
from restante.queue.retry_schedule import Schedule, next_attempt
from restante.store.duty_store import DutyStore, keep_performing
from restante.store.figure_store import FigureStore
from restante.store.live_directory import LiveDirectory
from restante.store.store_errors import StoreError
from restante.telemetry.event_bus import Log
from restante.telemetry.events import DeliveryAttempt, PrimaryAway, PrimaryBack, StoreFailed
from restante.telemetry.work_word import WorkWord
from restante.tenancy.model import Destination, Directory, HostedDomain
from restante.tenancy.policy import AcceptPolicy, HoldPolicy, ProbePolicy

PROBES_AT_ONCE: Final = 50  # of destinations that a policy needs
GREETINGS_AT_ONCE: Final = 100  # of others that answer; as many of those that do not
GREETINGS_A_SECOND: Final = 200  # begun at most, on average
CONSIDERED_AT_ONCE: Final = 25  # between two turns of the event loop: each may begin a drain
_LOOK_AROUND: Final = 60.0  # seconds
_LOOK_PAUSE: Final = 1.0  # seconds between two looks, however often records change
_BUSY_SECONDS: Final = 1.0  # for which the list of busy destinations is good
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
    is_needed: bool = True  # by the policy of one of the domains
    accounts: frozenset[str] = frozenset()  # those that have it probed all the time
    presence: DestinationPresence = field(default_factory=DestinationPresence)
    since: float | None = None  # Unix time: when `presence.seen` last changed
    reason: str = ""  # of the last probe
    probed_at: float | None = None  # Unix time: the end of the last probe
    is_busy: bool = False  # being probed


@dataclass(frozen=True, slots=True)
class UnaskedDrains:
    """The functions by which the watcher starts drains."""

    probe: Callable[[Destination], Awaitable[str]]  # "" if a destination answers, else why not
    greet: Callable[[Destination], Awaitable[str]]  # the same by its greeting alone
    busy: Callable[[], Collection[str]]  # the destinations with a connection from a drain
    start: Callable[[HostedDomain], Awaitable[None]]  # may raise CannotStart or StoreError
    is_draining: Callable[[int], bool]  # by domain id; on any server
    runs_here: Callable[[int], bool]  # by domain id; `drain_ended` is called for these only


@dataclass(frozen=True, slots=True)
class ProbeSettings:
    """How destinations are probed, and where the result is kept. Settings of the last reload."""

    settings: Callable[[], DeliverySettings]  # for those that a policy needs
    presence: Callable[[], PresenceSettings]  # for all
    journal: PresenceJournal


class Watcher:
    """Begins drains without a request."""

    def __init__(
        self,
        *,
        figures: FigureStore,
        duties: DutyStore,
        directory: LiveDirectory,
        drains: UnaskedDrains,
        probing: ProbeSettings,
        log: Log,
        clocks: Clocks,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        self._figures = figures
        self._duties = duties
        self._directory = directory
        self._drains = drains
        self._settings = probing.settings
        self._presence = probing.presence
        self._journal = probing.journal
        self._log = log
        self._now = clocks.now
        self._monotonic = clocks.monotonic
        self._spawn = spawn
        self._jitter = clocks.jitter
        self._waiting: dict[int, _WaitingDomain] = {}  # by domain id
        self._watched: dict[str, _Watched] = {}  # by the destination's text
        self._probing: set[asyncio.Task[None]] = set()
        self._probes = asyncio.Semaphore(PROBES_AT_ONCE)
        self._greetings = asyncio.Semaphore(GREETINGS_AT_ONCE)
        self._greetings_of_absent = asyncio.Semaphore(GREETINGS_AT_ONCE)
        self._busy: Collection[str] = ()
        self._busy_until = float("-inf")  # monotonic
        self._picture: Directory | None = None  # the directory that was last examined
        self._look_at = float("-inf")  # monotonic
        self._looked_at = float("-inf")  # monotonic
        self._agenda: list[
            tuple[float, int, _WaitingDomain | _Watched]
        ] = []  # a heap: due time, order of arrival, item
        self._entries = count()
        self._rounds = Rounds(log, WorkWord.WATCH, clocks.wait)

    # Called by other parts

    def mail_came(self, domain: HostedDomain) -> None:
        """Record that mail was held for a domain. Cheap: it is called for every batch."""
        if domain.id not in self._waiting and self._leaves_unasked(domain, self._now()):
            waiting = self._waiting[domain.id] = _WaitingDomain(domain, self._monotonic())
            self._enter(waiting.drain_at, waiting)
            if domain.policy.hold is HoldPolicy.ON_RETURN:
                self._watch(domain)
            self._rounds.wake()

    def _leaves_unasked(self, domain: HostedDomain, wall: float) -> bool:
        """Tell whether a drain may start without a request, and can."""
        return domain.destination.is_reachable and domain.policy.leaves_unasked(wall)

    def _watch(self, domain: HostedDomain) -> None:
        watched = self._watched.get(domain.destination.text)
        if watched is None:
            watched = self._watched[domain.destination.text] = _Watched(
                domain.destination, [], self._monotonic()
            )
            self._enter(watched.probe_at, watched)
        elif not watched.is_needed:
            self._need(watched)
            self._enter(watched.probe_at, watched)
        if domain not in watched.domains:
            watched.domains.append(domain)

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
        """Take a delivery or refusal for a proof, and a connection without replies for a doubt.

        A drain may have thousands of connections. Those to a destination that is up cost nothing.
        One that was never probed is probed now too: else `status` knows less than the drain.
        """
        watched = self._watched.get(event.destination)
        if watched is None:
            return
        is_up = watched.presence.seen is DestinationState.UP and not watched.presence.is_in_doubt
        if event.delivered or event.refused:
            if not is_up:
                self._note(watched, PROVEN, "")
                self._enter(watched.probe_at, watched)
        elif (is_up or watched.probed_at is None) and not (event.deferred or event.uncertain):
            watched.probe_at = self._monotonic()
            self._enter(watched.probe_at, watched)

    def is_up(self, destination: Destination) -> bool:
        """Return whether a destination is known to answer; False if it is not watched."""
        return self.seen(destination) is DestinationState.UP

    def seen(self, destination: Destination) -> DestinationState:
        """Return the state of a destination, as last seen."""
        watched = self._watched.get(destination.text)
        return watched.presence.seen if watched is not None else DestinationState.UNKNOWN

    def sighting(self, destination: Destination) -> WatchedDestination | None:
        """Return all that is known of a destination, None for one that is not watched."""
        watched = self._watched.get(destination.text)
        if watched is None:
            return None
        next_probe_at = self._now() + watched.probe_at - self._monotonic()
        return WatchedDestination(
            watched.presence.seen, watched.since, next_probe_at, watched.reason, watched.probed_at
        )

    # The task

    async def run(self) -> None:
        """Watch until cancelled."""
        await keep_performing(self._duties, "watch", self._watch_until_cancelled)

    async def _watch_until_cancelled(self) -> None:
        try:
            await self._journal.load()
        except StoreError as error:
            self._log.publish(StoreFailed(error=error, doing=WorkWord.PRESENCE))
        try:
            await self._rounds.run_rounds(self._take_round)
        finally:
            for probing in self._probing:
                probing.cancel()

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

    def _enter(self, at: float, what: _WaitingDomain | _Watched) -> None:
        """Have something considered then. Outdated entries are skipped when they come up."""
        heappush(self._agenda, (at, next(self._entries), what))
        self._rounds.wake()

    def _consider(self, what: _WaitingDomain | _Watched, now: float) -> None:
        if isinstance(what, _Watched):
            if self._watched.get(what.destination.text) is what:
                self._consider_probe(what, now)
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
        settings = self._presence()
        needed: set[str] = set()
        groups: defaultdict[str, list[HostedDomain]] = defaultdict(list)
        for domain in domains:
            if not domain.destination.is_reachable:
                continue
            is_needed = self._is_needed(domain)
            if is_needed or (settings.probes and domain.policy.probe is ProbePolicy.ON):
                text = domain.destination.text
                groups[text].append(domain)
                if is_needed:
                    needed.add(text)
        self._watched = {
            text: self._as_watched(text, group, now, is_needed=text in needed)
            for text, group in groups.items()
        }
        self._journal.end_others(
            {text: watched.accounts for text, watched in self._watched.items()}, wall
        )
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

    def _as_watched(
        self, text: str, domains: list[HostedDomain], now: float, *, is_needed: bool
    ) -> _Watched:
        settings = self._presence()
        watched = self._watched.get(text)
        if watched is None:
            pause = 0.0 if is_needed else self._jitter() * settings.pause
            watched = _Watched(domains[0].destination, domains, now + pause, is_needed)
        elif is_needed and not watched.is_needed:
            self._need(watched)
        watched.domains, watched.is_needed = domains, is_needed
        watched.accounts = frozenset(
            domain.account
            for domain in domains
            if settings.probes and domain.policy.probe is ProbePolicy.ON
        )
        return watched

    def _need(self, watched: _Watched) -> None:
        """Look now at a destination that a policy needs from now on, unless it is up."""
        watched.is_needed = True
        if watched.presence.seen is not DestinationState.UP:
            watched.probe_at = min(watched.probe_at, self._monotonic())

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

    def _after(self, schedule: Schedule, failures: int) -> float:
        at = next_attempt(schedule, failures, self._monotonic(), float("inf"), self._jitter())
        assert at is not None  # there is no deadline
        return at

    # Probes

    def _consider_probe(self, watched: _Watched, now: float) -> None:
        if watched.is_busy or now < watched.probe_at:
            return
        if watched.destination.text in self._busy_destinations(now):
            self._learn(watched, "")
            self._enter(watched.probe_at, watched)
            return
        watched.is_busy = True
        probing = self._spawn(self._look_at_destination(watched))
        self._probing.add(probing)
        probing.add_done_callback(self._probing.discard)

    def _busy_destinations(self, now: float) -> Collection[str]:
        """Return the destinations that drains are connected to, as of this second."""
        if now >= self._busy_until:
            self._busy, self._busy_until = self._drains.busy(), now + _BUSY_SECONDS
        return self._busy

    async def _look_at_destination(self, watched: _Watched) -> None:
        look = self._drains.probe if watched.is_needed else self._drains.greet
        try:
            async with self._lane(watched):
                reason = await look(watched.destination)
        except asyncio.CancelledError:  # it says nothing about the destination
            watched.is_busy = False
            raise
        except Exception:
            self._have_looked(watched, "internal error")
            raise
        self._have_looked(watched, reason)

    def _have_looked(self, watched: _Watched, reason: str) -> None:
        self._learn(watched, reason)
        watched.is_busy = False
        self._enter(watched.probe_at, watched)

    def _lane(self, watched: _Watched) -> asyncio.Semaphore:
        if watched.is_needed:
            return self._probes
        is_absent = watched.presence.seen is DestinationState.AWAY
        return self._greetings_of_absent if is_absent else self._greetings

    def _learn(self, watched: _Watched, reason: str) -> None:
        self._note(watched, watched.presence.after(is_good=not reason), reason)

    def _note(self, watched: _Watched, presence: DestinationPresence, reason: str) -> None:
        before, watched.presence = watched.presence, presence
        watched.probe_at = self._next_probe(watched)
        at = watched.probed_at = self._now()
        watched.reason = reason
        seen = watched.presence.seen
        if seen is not before.seen:
            self._notice_change(watched, before.seen, at)
        if (
            seen is not DestinationState.UNKNOWN
        ):  # told each time: an account may have come to know it
            text = watched.destination.text
            self._journal.note(text, watched.accounts, seen, at, reason)

    def _notice_change(self, watched: _Watched, before: DestinationState, at: float) -> None:
        """Tell and do what follows from a new state; not again after a restart."""
        seen = watched.presence.seen
        known = (
            self._journal.last(watched.destination.text)
            if before is DestinationState.UNKNOWN
            else None
        )
        was_away = before is DestinationState.AWAY or (
            known is not None and known.seen is DestinationState.AWAY
        )
        watched.since = known.at if known is not None and known.seen is seen else at
        if seen is DestinationState.AWAY and not was_away:
            self._tell(PrimaryAway, watched, watched.reason)
        elif seen is DestinationState.UP and was_away:
            self._tell(PrimaryBack, watched, watched.reason)
        if seen is DestinationState.UP:
            self._begin_anew(watched)

    def _next_probe(self, watched: _Watched) -> float:
        """Return when to look again: soon in doubt, and once a minute where it is shown."""
        now, jitter = self._monotonic(), self._jitter()
        settings, presence = self._settings(), self._presence()
        pause = max(presence.pause, len(self._watched) / GREETINGS_A_SECOND)
        shown_at = now + pause * (0.9 + 0.2 * jitter)
        if not watched.is_needed and not watched.presence.is_in_doubt:
            return shown_at
        schedule = Schedule(settings.probe_pause, settings.longest_probe_pause)
        at = watched.presence.next_probe(schedule, now, jitter)
        return min(at, shown_at) if watched.accounts else at

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
            self._log.publish(
                event(
                    destination=watched.destination.text,
                    account=account,
                    domains=tuple(domains[:_DOMAINS_NAMED]),
                    domains_total=len(domains),
                    reason=reason,
                )
            )
