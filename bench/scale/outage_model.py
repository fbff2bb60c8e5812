"""A region's primaries are away for hours and come back within minutes: a seeded simulation.

A second is a step. Each domain gets mail at a rate of its own. While its primary is away, the mail
is held. Some time after its return, the primary asks at a server chosen by chance. The server opens
a drain, in its one lane for drains. The drain waits for a slot, and then sends. Its
rate is limited by its destination, and by the processors of its server and of the database. Its end
goes through the lane too. Beside it, single primaries are away now and then.

The costs are those that bench.scale measures. Limitations: mail flows evenly, a message costs the
same whatever its size, and the network costs only the time of a connection.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, deque
from dataclasses import dataclass, field
from math import exp, log
from typing import Final

DAY: Final = 86_400.0
_LITTLE: Final = 1e-6  # of a message
_BUSY: Final = 0.8  # of the processors may be busy with mail


@dataclass(frozen=True, slots=True)
class Costs:
    """Milliseconds. Those of a message are of processors, those of a lane are time."""

    database_of_held: float = 0.07  # a message of a batch of 50
    database_of_delivered: float = 0.09  # read, settled, and its history
    database_of_drain: float = 5.0  # opened, closed
    database_of_claims: float = 0.0006  # an open drain, each second, for each server
    database_of_requests: float = 0.0008  # an open drain, each second
    server_of_held: float = 0.20
    server_of_delivered: float = 0.20
    server_of_look: float = 0.0012  # an open drain of its own, each second
    lane_of_change: float = 4.0  # a drain is opened or closed, with the sync of a standby


@dataclass(frozen=True, slots=True)
class Scene:
    """The domains, their outage, and the servers."""

    domains: int = 100_000
    messages_a_day: float = 1_000.0  # of a domain, mean
    spread: float = 1.5  # of the logarithms of the rates
    servers: int = 4
    database_processors: int = 8
    drains_limit: int = 200  # of a server
    account_limit: int = 50  # of these
    account_domains: int = 10
    largest_account: float = 0.1  # share of the domains
    region: float = 0.2  # share of the domains that is away
    away: float = 6 * 3600.0
    back_within: float = 300.0
    asks_within: float = 300.0  # after its return
    destination_rate: float = 20.0  # messages a second, median
    connecting: float = 1.0
    single_outages: float = 30 * DAY  # between two of one domain, mean
    single_away: float = 2 * 3600.0  # mean
    before: float = 2 * 3600.0  # seconds that are simulated before the return begins
    at_most: float = 24 * 3600.0


@dataclass(slots=True)
class OutageResult:
    """Times are seconds since the first primary is back."""

    backlog: float = 0.0  # messages held for the region at that time
    arrived: float = 0.0
    delivered: float = 0.0
    held: float = 0.0  # at the end
    drained: list[float] = field(default_factory=list)  # from a return to the last message of it
    over: float = 0.0  # the last domain of the region is drained
    most_open: int = 0
    most_running: int = 0
    longest_lane: float = 0.0  # seconds that a request waited in the lane
    database: list[float] = field(default_factory=list)  # processors busy, by second
    server: float = 0.0  # the busiest second of a server, processors
    rate: float = 0.0  # the most messages delivered in a second


@dataclass(slots=True)
class _Domain:
    rate: float  # messages a second that come
    taken: float  # messages a second that its primary takes
    account: int
    is_of_region: bool = False
    since: float = 0.0  # it is held since then, or counted up to then
    held: float = 0.0
    back_at: float = 0.0
    connected_at: float = 0.0
    is_away: bool = False


@dataclass(slots=True)
class _Server:
    lane: deque[tuple[float, bool, int]] = field(default_factory=deque)  # asked at, opens, domain
    spare: float = 0.0  # milliseconds of the lane that are left over
    waiting: dict[int, deque[int]] = field(default_factory=dict)  # domains, by account
    running: set[int] = field(default_factory=set)
    taken: Counter[int] = field(default_factory=Counter)  # slots, by account
    is_open: set[int] = field(default_factory=set)


class Outage:
    """One run."""

    def __init__(self, scene: Scene, costs: Costs, seed: int) -> None:
        self._scene = scene
        self._costs = costs
        self._chance = random.Random(seed)
        self._events: list[tuple[float, str, int]] = []
        self._servers = [_Server() for _ in range(scene.servers)]
        self._domains = [self._made(number) for number in range(scene.domains)]
        self._places: dict[int, _Server] = {}  # of domains with an open drain
        self._left = 0  # domains of the region that are not drained
        self._ends: list[float] = []  # when the drains of the region ended
        self._rate_away = 0.0  # messages a second that come for those that are away
        self._milliseconds = 0.0  # of the database, in this second
        self.result = OutageResult()

    def run(self) -> OutageResult:
        """Run to the end of the region's last drain."""
        scene, result = self._scene, self.result
        self._begin()
        now = -scene.before
        while now < scene.at_most and (self._left or now <= scene.back_within):
            self._second(now)
            now += 1.0
        result.over = max((one for one in self._ends), default=0.0)
        for domain in self._domains:
            self._count(domain, now)
            result.held += domain.held
        return result

    def _made(self, number: int) -> _Domain:
        scene, chance = self._scene, self._chance
        middle = log(scene.messages_a_day / DAY) - scene.spread**2 / 2
        of_largest = chance.random() < scene.largest_account
        return _Domain(
            rate=exp(chance.gauss(middle, scene.spread)),
            taken=exp(chance.gauss(log(scene.destination_rate), 0.7)),
            account=0 if of_largest else 1 + number // scene.account_domains,
        )

    def _begin(self) -> None:
        scene, chance = self._scene, self._chance
        for number, domain in enumerate(self._domains):
            if chance.random() < scene.region:
                domain.is_of_region = domain.is_away = True
                domain.since = -scene.away
                domain.back_at = chance.uniform(0.0, scene.back_within)
                self.result.backlog += domain.rate * scene.away
                self._rate_away += domain.rate
                self._left += 1
                heapq.heappush(self._events, (domain.back_at, "back", number))
            else:
                at = -scene.before + chance.expovariate(1.0 / scene.single_outages)
                heapq.heappush(self._events, (at, "away", number))

    def _second(self, now: float) -> None:
        self._milliseconds = 0.0
        while self._events and self._events[0][0] <= now:
            _, what, number = heapq.heappop(self._events)
            self._happen(now, what, number)
        for server in self._servers:
            self._change_drains(server, now)
            self._give_slots(server, now)
        self._deliver(now)
        self._look()
        self.result.database.append(self._milliseconds / 1000)

    def _happen(self, now: float, what: str, number: int) -> None:
        scene, domain = self._scene, self._domains[number]
        if what == "away":
            domain.is_away, domain.since = True, now
            self._rate_away += domain.rate
            back_at = now + self._chance.expovariate(1.0 / scene.single_away)
            domain.back_at = back_at
            heapq.heappush(self._events, (back_at, "back", number))
        elif what == "back":
            self._rate_away -= domain.rate
            at = now + self._chance.uniform(0.0, scene.asks_within)
            heapq.heappush(self._events, (at, "asks", number))
        else:
            server = self._chance.choice(self._servers)
            self._places[number] = server
            server.lane.append((now, True, number))

    def _change_drains(self, server: _Server, now: float) -> None:
        """Open and close as many as the lane manages in this second."""
        cost = self._costs.lane_of_change
        spare = server.spare + 1000.0
        while server.lane and spare >= cost:
            spare -= cost
            asked_at, opens, number = server.lane.popleft()
            self._milliseconds += self._costs.database_of_drain / 2
            self.result.longest_lane = max(self.result.longest_lane, now - asked_at)
            account = self._domains[number].account
            if opens:
                server.is_open.add(number)
                server.waiting.setdefault(account, deque()).append(number)
            else:
                server.is_open.discard(number)
                server.running.discard(number)
                server.taken[account] -= 1
                self._end(number, now)
        server.spare = spare if server.lane else 0.0

    def _end(self, number: int, now: float) -> None:
        domain = self._domains[number]
        del self._places[number]
        domain.is_away = False
        at = now + self._chance.expovariate(1.0 / self._scene.single_outages)
        heapq.heappush(self._events, (at, "away", number))
        if domain.is_of_region:
            self._left -= 1
            self._ends.append(now)
            self.result.drained.append(now - domain.back_at)
            domain.is_of_region = False

    def _give_slots(self, server: _Server, now: float) -> None:
        """Give free slots to accounts in turn, within their limit."""
        scene, passed = self._scene, 0
        while (
            server.waiting
            and passed < len(server.waiting)
            and len(server.running) < scene.drains_limit
        ):
            account = next(iter(server.waiting))
            queue = server.waiting.pop(account)
            if server.taken[account] < scene.account_limit:
                number = queue.popleft()
                server.running.add(number)
                server.taken[account] += 1
                self._domains[number].connected_at = now + scene.connecting
                passed = 0
            else:
                passed += 1
            if queue:
                server.waiting[account] = queue

    def _deliver(self, now: float) -> None:
        costs, scene = self._costs, self._scene
        self._milliseconds += self._rate_away * costs.database_of_held
        wanted: list[list[tuple[int, float]]] = []
        for server in self._servers:
            some = []
            for number in sorted(server.running):
                domain = self._domains[number]
                self._count(domain, now)
                if domain.connected_at <= now:
                    some.append((number, min(domain.taken, domain.held)))
            wanted.append(some)
        room = max(0.0, scene.database_processors * 1000 * _BUSY - self._milliseconds)
        total = sum(rate for some in wanted for _, rate in some)
        share = min(1.0, room / (total * costs.database_of_delivered)) if total else 1.0
        delivered = 0.0
        for server, some in zip(self._servers, wanted, strict=True):
            delivered += self._send(server, some, share, now)
        self._milliseconds += delivered * costs.database_of_delivered
        self.result.delivered += delivered
        self.result.rate = max(self.result.rate, delivered)

    def _send(
        self, server: _Server, some: list[tuple[int, float]], share: float, now: float
    ) -> float:
        costs, scene = self._costs, self._scene
        looks = len(server.is_open) * costs.server_of_look
        wanted = sum(rate for _, rate in some) * share
        room = max(0.0, 1000 * _BUSY - looks)
        if wanted:
            share *= min(1.0, room / (wanted * costs.server_of_delivered))
        sent = 0.0
        for number, rate in some:
            domain = self._domains[number]
            domain.held -= rate * share
            sent += rate * share
            if domain.held < _LITTLE:
                server.lane.append((now, False, number))
                domain.connected_at = float("inf")
        busy = (looks + sent * costs.server_of_delivered) / 1000
        self.result.server = max(self.result.server, busy)
        self.result.most_running = max(
            self.result.most_running, sum(len(one.running) for one in self._servers)
        )
        assert len(server.running) <= scene.drains_limit
        return sent

    def _count(self, domain: _Domain, now: float) -> None:
        """Hold what came for a domain while it was away."""
        until = min(now, domain.back_at)
        if domain.is_away and until > domain.since:
            came = domain.rate * (until - domain.since)
            domain.held += came
            self.result.arrived += came
            domain.since = until

    def _look(self) -> None:
        """Count what each server asks once a second."""
        costs, is_open = self._costs, sum(len(server.is_open) for server in self._servers)
        cost = self._scene.servers * costs.database_of_claims + costs.database_of_requests
        self._milliseconds += is_open * cost
        self.result.most_open = max(self.result.most_open, is_open)
