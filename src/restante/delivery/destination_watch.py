"""Watch destinations: whether they answer, by probes and by the connections of drains.

A destination that a policy of a domain needs is probed after growing pauses. All others are probed
once a minute, so that people can be told whether they answer (`[presence]`, `--probe off`). Such a
probe only reads the greeting. These probes are spread over the minute. Those that wait for a host
that is away have a lane of their own, and hold up no others. A destination that has a connection
from a drain answers, and is not probed. One that took mail is up at once, without a probe.

Decisions follow the state in memory: after a restart, two probes find it again. The journal has the
changes, so that a state that lasts over a restart is one state (presence_journal.py).
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from restante.background.clocks import Clocks
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.presence_journal import PresenceJournal
from restante.delivery.presence_settings import PresenceSettings
from restante.queue.presence import (
    PROVEN,
    DestinationPresence,
    DestinationState,
    WatchedDestination,
)
from restante.queue.retry_schedule import Schedule
from restante.telemetry.event_bus import Log
from restante.telemetry.events import DeliveryAttempt, PrimaryAway, PrimaryBack
from restante.tenancy.model import Destination, HostedDomain
from restante.tenancy.policy import ProbePolicy

PROBES_AT_ONCE: Final = 50  # of destinations that a policy needs
GREETINGS_AT_ONCE: Final = 100  # of others that answer; as many of those that do not
GREETINGS_A_SECOND: Final = 200  # begun at most, on average
_BUSY_SECONDS: Final = 1.0  # for which the list of busy destinations is good
_DOMAINS_NAMED: Final = 20  # in one line of the log


@dataclass(slots=True)
class ProbedDestination:
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
class DestinationProbes:
    """How destinations are probed, and where the result is kept. Settings of the last reload."""

    probe: Callable[[Destination], Awaitable[str]]  # "" if a destination answers, else why not
    greet: Callable[[Destination], Awaitable[str]]  # the same by its greeting alone
    busy: Callable[[], Collection[str]]  # the destinations with a connection from a drain
    settings: Callable[[], DeliverySettings]  # for those that a policy needs
    presence: Callable[[], PresenceSettings]  # for all
    journal: PresenceJournal


class DestinationWatch:
    """The destinations that are watched, and their states."""

    def __init__(
        self,
        probes: DestinationProbes,
        log: Log,
        clocks: Clocks,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        *,
        enter: Callable[[float, ProbedDestination], None],
        on_return: Callable[[Sequence[HostedDomain]], None],
    ) -> None:
        """`enter` has a destination considered at a monotonic time.

        `on_return` gets the domains of a destination that has come up.
        """
        self._probes = probes
        self._settings = probes.settings
        self._presence = probes.presence
        self._journal = probes.journal
        self._log = log
        self._now = clocks.now
        self._monotonic = clocks.monotonic
        self._jitter = clocks.jitter
        self._spawn = spawn
        self._enter = enter
        self._on_return = on_return
        self._watched: dict[str, ProbedDestination] = {}  # by the destination's text
        self._probing: set[asyncio.Task[None]] = set()
        self._needed = asyncio.Semaphore(PROBES_AT_ONCE)
        self._greetings = asyncio.Semaphore(GREETINGS_AT_ONCE)
        self._greetings_of_absent = asyncio.Semaphore(GREETINGS_AT_ONCE)
        self._busy: Collection[str] = ()
        self._busy_until = float("-inf")  # monotonic

    def watch(self, domain: HostedDomain) -> None:
        """Watch the destination of a domain from now on: its policy needs that."""
        watched = self._watched.get(domain.destination.text)
        if watched is None:
            watched = self._watched[domain.destination.text] = ProbedDestination(
                domain.destination, [], self._monotonic()
            )
            self._enter(watched.probe_at, watched)
        elif not watched.is_needed:
            self._need(watched)
            self._enter(watched.probe_at, watched)
        if domain not in watched.domains:
            watched.domains.append(domain)

    def look_around(
        self,
        domains: Iterable[HostedDomain],
        now: float,
        is_needed: Callable[[HostedDomain], bool],
    ) -> None:
        """Find the destinations to watch. `is_needed`: the policy of a domain needs that."""
        settings = self._presence()
        needed: set[str] = set()
        groups: defaultdict[str, list[HostedDomain]] = defaultdict(list)
        for domain in domains:
            if not domain.destination.is_reachable:
                continue
            is_probed = settings.probes and domain.policy.probe is ProbePolicy.ON
            if is_needed(domain):
                needed.add(domain.destination.text)
            elif not is_probed:
                continue
            groups[domain.destination.text].append(domain)
        self._watched = {
            text: self._as_watched(text, group, now, is_needed=text in needed)
            for text, group in groups.items()
        }
        self._journal.end_others(
            {text: watched.accounts for text, watched in self._watched.items()}, self._now()
        )

    @property
    def watched(self) -> Iterable[ProbedDestination]:
        """The destinations that are watched."""
        return self._watched.values()

    def _as_watched(
        self, text: str, domains: list[HostedDomain], now: float, *, is_needed: bool
    ) -> ProbedDestination:
        settings = self._presence()
        watched = self._watched.get(text)
        if watched is None:
            pause = 0.0 if is_needed else self._jitter() * settings.pause
            watched = ProbedDestination(domains[0].destination, domains, now + pause, is_needed)
        elif is_needed and not watched.is_needed:
            self._need(watched)
        watched.domains, watched.is_needed = domains, is_needed
        watched.accounts = frozenset(
            domain.account
            for domain in domains
            if settings.probes and domain.policy.probe is ProbePolicy.ON
        )
        return watched

    def _need(self, watched: ProbedDestination) -> None:
        """Look now at a destination that a policy needs from now on, unless it is up."""
        watched.is_needed = True
        if watched.presence.seen is not DestinationState.UP:
            watched.probe_at = min(watched.probe_at, self._monotonic())

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

    async def load(self) -> None:
        """Read the states from before a restart. Raises StoreError."""
        await self._journal.load()

    def cancel(self) -> None:
        """End the probes that are under way."""
        for probing in self._probing:
            probing.cancel()

    def consider(self, watched: ProbedDestination, now: float) -> None:
        """Probe a destination if that is due."""
        is_outdated = self._watched.get(watched.destination.text) is not watched
        if is_outdated or watched.is_busy or now < watched.probe_at:
            return
        if watched.destination.text in self._busy_destinations(now):
            self._learn(watched, "")
            self._enter(watched.probe_at, watched)
            return
        watched.is_busy = True
        probing = self._spawn(self._look_at(watched))
        self._probing.add(probing)
        probing.add_done_callback(self._probing.discard)

    def _busy_destinations(self, now: float) -> Collection[str]:
        """Return the destinations that drains are connected to, as of this second."""
        if now >= self._busy_until:
            self._busy, self._busy_until = self._probes.busy(), now + _BUSY_SECONDS
        return self._busy

    async def _look_at(self, watched: ProbedDestination) -> None:
        look = self._probes.probe if watched.is_needed else self._probes.greet
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

    def _have_looked(self, watched: ProbedDestination, reason: str) -> None:
        self._learn(watched, reason)
        watched.is_busy = False
        self._enter(watched.probe_at, watched)

    def _lane(self, watched: ProbedDestination) -> asyncio.Semaphore:
        if watched.is_needed:
            return self._needed
        is_absent = watched.presence.seen is DestinationState.AWAY
        return self._greetings_of_absent if is_absent else self._greetings

    def _learn(self, watched: ProbedDestination, reason: str) -> None:
        self._note(watched, watched.presence.after(is_good=not reason), reason)

    def _note(self, watched: ProbedDestination, presence: DestinationPresence, reason: str) -> None:
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

    def _notice_change(
        self, watched: ProbedDestination, before: DestinationState, at: float
    ) -> None:
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
            self._on_return(watched.domains)

    def _next_probe(self, watched: ProbedDestination) -> float:
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

    def _tell(
        self, event: type[PrimaryAway | PrimaryBack], watched: ProbedDestination, reason: str
    ) -> None:
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
