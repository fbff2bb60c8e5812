"""A campaign: servers, databases and the links between them fail under load.

    python -m tests.cluster.campaign FAULTS [SEED]        `make cluster N=100 SEED=7`

Three servers share a database whose commits wait for one of two standbys. Each has a link of its
own to each database. Senders note each 250, and a sink notes each message with the server that
brought it. Every few seconds there is a fault. The seed gives the kind, the target and the times of
each (`fault_plan`), and the plan is printed first:

    kill           SIGKILL of a server, which is started again
    stop           SIGSTOP of a server, mostly for longer than its lease
    crash          the primary ends at once (immediate stop), and is started again
    standby-kill   all processes of a standby get SIGKILL, and it is started again
    standby-stop   all processes of a standby get SIGSTOP for a while
    alone          both standbys end at once, and are started again: no commit is answered meanwhile
    failover       all processes of the primary get SIGKILL, the right standby is promoted, and the
                   former primary comes back as a standby by pg_rewind
    split          the primary gets SIGSTOP, a standby is promoted, and the former primary goes on
                   beside it for a while before it comes back by pg_rewind
    cut            all connections of a server to its databases are reset
    stall          nothing passes between a server and its databases for a while
    half-open      the connections of a server stay open, and nothing passes on them any more
    lost-answer    some transactions of a server are committed, and it never gets the answer

At the end everything is delivered. `campaign_result` asserts:

- Nothing acknowledged is lost.
- The copies are at most those of the unsettled windows.
- The figures are those of a recount.
- 99 % of takeovers take less than 10 s.
- No two live servers deliver mail of one domain at the same time (`live_owners` has the rule).
- No sender gets a 5xx.

The seed repeats the faults and their times. It does not repeat how processes interleave.

Limitations: nothing reaches a disk, as the data is in memory. So processes die here, not machines.
The one that promotes a standby is this program, not Patroni.
"""

# ruff: noqa: T201  it is a program too, and tells what happens

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from typing import Final

import httpx

from restante.delivery.drain_attempt import UNSETTLED_PER_CONNECTION
from tests.cluster.campaign_result import IN_FLIGHT, Result
from tests.cluster.cluster_load import ClusterLoad
from tests.cluster.cluster_site import CONNECTIONS, DOMAINS, ClusterSite, cluster_site, name_of
from tests.cluster.database_link import DatabaseLink
from tests.cluster.fault_plan import SERVERS, Fault, FaultKind, plan_faults
from tests.cluster.live_owners import Stop
from tests.cluster.recording_sink import RecordingSink

SENDERS: Final = 4
WINDOW: Final = UNSETTLED_PER_CONNECTION * CONNECTIONS * len(DOMAINS)  # copies of one fault
ANSWERS: Final = 3  # that one fault loses
END: Final = 180.0  # seconds in which all mail must have left
BACK: Final = 120.0  # seconds in which mail must be accepted again


class ClusterCampaign:
    """One site under load and faults."""

    def __init__(self, site: ClusterSite, seed: int, count: int) -> None:
        self._site = site
        self._random = random.Random(seed)
        self._sink = RecordingSink()
        self._load = ClusterLoad([one.mx_port for one in site.servers], DOMAINS, seed)
        self._away: set[int] = set()  # servers that do not serve, as a fault wants it
        self._doors = [asyncio.Lock() for _ in site.servers]  # of their processes
        self._dead: set[int] = set()  # servers that could not start
        self._killed: list[tuple[int, float]] = []
        self._stops: list[Stop] = []
        self._plan = plan_faults(seed, count)
        self.result = Result(seed, WINDOW)

    @property
    def plan(self) -> Sequence[Fault]:
        """The faults to come."""
        return self._plan

    async def run(self, tell: Callable[[str], None] = lambda _: None) -> Result:
        """Have the faults, then deliver everything, and compare. `tell` gets each fault."""
        async with self._sink, self._site.linked(), asyncio.TaskGroup() as tasks:
            await asyncio.to_thread(self._site.host, self._sink.port)
            sending = [tasks.create_task(self._load.run()) for _ in range(SENDERS)]
            others = [tasks.create_task(work()) for work in (self._keep_asking, self._keep_up)]
            for fault in self._plan:
                await asyncio.sleep(fault.after)
                tell(str(fault))
                self.result.faults.append(fault)
                await self._FAULTS[fault.kind](self, fault)
            await self._when_accepted()
            self._load.stop()
            await asyncio.wait(sending)
            self.result.drift = await self._site.drift()
            await self._deliver_all()
            for task in others:
                task.cancel()
        self._compare()
        return self.result

    # --- faults of servers

    async def _kill(self, fault: Fault) -> None:
        server = self._site.servers[fault.target]
        async with self._doors[fault.target]:
            if server.is_running:
                self._away.add(fault.target)
                self._killed.append((fault.target, time.monotonic()))
                await asyncio.to_thread(server.kill)
            await asyncio.sleep(fault.lasts)
            self._away.discard(fault.target)
            await self._start(fault.target)

    async def _stop(self, fault: Fault) -> None:
        server = self._site.servers[fault.target]
        async with self._doors[fault.target]:
            if not server.is_running:  # it has left by itself, and cannot start yet
                return
            self._away.add(fault.target)
            begun = time.monotonic()
            os.kill(server.pid, signal.SIGSTOP)
            await asyncio.sleep(fault.lasts)
            os.kill(server.pid, signal.SIGCONT)
            self._stops.append(Stop(name_of(fault.target), begun, time.monotonic()))
            self._away.discard(fault.target)

    async def _keep_up(self) -> None:
        """Start servers that have ended, as a service manager does."""
        while True:
            await asyncio.sleep(0.5)
            for number, server in enumerate(self._site.servers):
                if server.is_running or self._doors[number].locked():
                    continue
                async with self._doors[number]:
                    if number not in self._dead:
                        code = await asyncio.to_thread(server.wait_until_it_leaves)
                        self.result.exits[code] += 1
                    await self._start(number)

    async def _start(self, number: int) -> None:
        """Start a server whose end is known; if the database is away, it is tried again."""
        server = self._site.servers[number]
        self._dead.discard(number)
        try:
            await asyncio.to_thread(server.start)
        except AssertionError:
            if not server.is_running:
                await asyncio.to_thread(server.wait_until_it_leaves)
                self._dead.add(number)

    # --- faults of databases

    async def _crash(self, _fault: Fault) -> None:
        primary = self._site.trio.primary
        primary.halt()
        await primary.start_again()
        await self._recover()

    async def _kill_standby(self, fault: Fault) -> None:
        standby = self._site.trio.standbys[fault.target]
        standby.vanish()
        await asyncio.sleep(fault.lasts)
        await standby.start_again()
        await self._site.trio.when_whole()

    async def _stop_standby(self, fault: Fault) -> None:
        standby = self._site.trio.standbys[fault.target]
        standby.freeze()
        await asyncio.sleep(fault.lasts)
        standby.thaw()
        await self._site.trio.when_whole()

    async def _be_alone(self, fault: Fault) -> None:
        for standby in self._site.trio.standbys:
            standby.vanish()
        begun = time.monotonic()
        await asyncio.sleep(fault.lasts)
        assert self._load.acknowledged_at < begun + IN_FLIGHT, "acknowledged without a standby"
        for standby in self._site.trio.standbys:
            await standby.start_again()
        await self._recover()

    async def _fail_over(self, fault: Fault) -> None:
        trio = self._site.trio
        trio.primary.vanish()
        await asyncio.sleep(fault.lasts)
        former = await trio.fail_over()
        self.result.rewound[await former.rejoin(trio.primary)] += 1
        await self._recover()

    async def _split(self, fault: Fault) -> None:
        trio = self._site.trio
        trio.primary.freeze()
        former = await trio.fail_over()
        former.thaw()
        await asyncio.sleep(fault.lasts)
        former.halt()
        self.result.rewound[await former.rejoin(trio.primary)] += 1
        await self._recover()

    async def _recover(self) -> None:
        """Wait until mail is accepted again, and note how long it took; the database is there."""
        await self._site.trio.when_whole()
        begun = time.monotonic()
        await self._when_accepted()
        self.result.recoveries.append(time.monotonic() - begun)

    async def _when_accepted(self) -> None:
        async with asyncio.timeout(BACK):
            await self._load.next_acknowledged()

    # --- faults of links

    def _links(self, fault: Fault) -> list[DatabaseLink]:
        return self._site.links[fault.target]

    async def _cut(self, fault: Fault) -> None:
        for link in self._links(fault):
            link.cut()

    async def _stall(self, fault: Fault) -> None:
        self._away.add(fault.target)
        for link in self._links(fault):
            link.stall()
        await asyncio.sleep(fault.lasts)
        for link in self._links(fault):
            link.go_on()
        self._away.discard(fault.target)

    async def _forget(self, fault: Fault) -> None:
        for link in self._links(fault):
            link.forget()

    async def _lose_answers(self, fault: Fault) -> None:
        for link in self._links(fault):
            link.lose_answers(ANSWERS)

    _FAULTS: Final[dict[FaultKind, Callable[[ClusterCampaign, Fault], Awaitable[None]]]] = {
        FaultKind.KILL: _kill,
        FaultKind.STOP: _stop,
        FaultKind.CRASH: _crash,
        FaultKind.STANDBY_KILL: _kill_standby,
        FaultKind.STANDBY_STOP: _stop_standby,
        FaultKind.ALONE: _be_alone,
        FaultKind.FAILOVER: _fail_over,
        FaultKind.SPLIT: _split,
        FaultKind.CUT: _cut,
        FaultKind.STALL: _stall,
        FaultKind.FORGET: _forget,
        FaultKind.LOSE_ANSWER: _lose_answers,
    }

    # --- work beside

    async def _keep_asking(self) -> None:
        """Ask a server that serves to release all domains, again and again."""
        while True:
            await asyncio.sleep(0.4)
            serving = [one for one in range(SERVERS) if one not in self._away]
            server = self._site.servers[self._random.choice(serving)]
            socket = str(server.socket)
            transport = httpx.AsyncHTTPTransport(uds=socket)
            async with httpx.AsyncClient(transport=transport, timeout=10) as client:
                with suppress(httpx.HTTPError):
                    body = {"targets": list(DOMAINS), "reason": "campaign"}
                    await client.post("http://restante/v1/releases", json=body)

    async def _deliver_all(self) -> None:
        deadline = time.monotonic() + END
        while self._load.acknowledged - {one.token for one in self._sink.taken}:
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(0.2)

    def _compare(self) -> None:
        result = self.result
        result.take_deliveries(self._sink.taken, self._load.acknowledged, self._stops)
        result.replies, result.slowest = self._load.replies, self._load.slowest
        result.answers_lost = sum(one.lost_answers for links in self._site.links for one in links)
        for number, at in self._killed:
            result.takeovers += self._takeovers(name_of(number), at)

    def _takeovers(self, node: str, at: float) -> Iterator[float]:
        """Yield how long each domain that a server was delivering waited for another one."""
        for domain in DOMAINS:
            of_domain = [one for one in self._sink.taken if one.domain == domain]
            if any(one.node == node and at - 0.1 < one.at <= at for one in of_domain):
                yield from [one.begun - at for one in of_domain if one.begun > at + IN_FLIGHT][:1]


def main() -> int:
    """Run one campaign, and print its plan and its result."""
    count = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().getrandbits(32)
    print(f"make cluster N={count} SEED={seed}", *plan_faults(seed, count), sep="\n  ", flush=True)
    begun = time.monotonic()

    def tell(text: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {text}", flush=True)

    with cluster_site() as site:
        result = asyncio.run(ClusterCampaign(site, seed, count).run(tell))
    complaints = list(result.complaints())
    print(result, *complaints, sep="\n")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
