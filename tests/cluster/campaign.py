"""A campaign: servers on one database are killed and stopped under load, and the database crashes.

    python -m tests.cluster.campaign FAULTS [SEED]        `make cluster N=100`

Three servers share a database whose commits wait for a standby. Senders note each 250, and a sink
notes each message with the server that brought it. Every few seconds there is a fault:

    kill      SIGKILL of a server, which is started again after a while
    stop      SIGSTOP of a server for longer than its lease
    crash     the database ends at once, and is started again

At the end everything is delivered. Asserted are: nothing acknowledged is lost, the copies are at
most those of the unsettled windows, and the figures are those of a recount.

Limitations: there is no failover to the standby, and no fault of a single link. Nothing reaches a
disk: the data is in memory, so only processes crash here.
"""

# ruff: noqa: T201  it is a program too, and tells what happens

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import asyncpg
import httpx

from restante.delivery.drain_attempt import UNSETTLED_PER_CONNECTION
from tests.acceptance.installation import Installation
from tests.acceptance.peers.eventually import eventually
from tests.cluster.cluster_load import ClusterLoad
from tests.cluster.recording_sink import RecordingSink
from tests.postgres_cluster import PostgresCluster, PostgresStandby

SERVERS: Final = 3
SENDERS: Final = 4
CONNECTIONS: Final = 2  # of one drain
DOMAINS: Final = tuple(f"d{number}.example" for number in range(4))
WINDOW: Final = UNSETTLED_PER_CONNECTION * CONNECTIONS * len(DOMAINS)  # copies of one fault
BETWEEN: Final = 3.0  # seconds between two faults
AWAY: Final = 2.0  # seconds until a killed server is started again
STOPPED: Final = 8.0  # seconds: longer than a lease
TAKEOVER: Final = 10.0  # seconds
IN_FLIGHT: Final = 0.5  # seconds in which the sink still takes what a killed server has sent
END: Final = 90.0  # seconds in which all mail must have left
FAULTS: Final = {"kill": 5, "stop": 2, "crash": 2}  # how often
_RECOUNT: Final = """
    SELECT domain_id, sum(messages), sum(octets) FROM (
        SELECT domain_id, messages, octets FROM usage
        UNION ALL SELECT domain_id, -1, -size FROM message
    ) AS both_ways GROUP BY domain_id HAVING sum(messages) <> 0 OR sum(octets) <> 0
"""


@dataclass(slots=True)
class Result:
    """The results of a campaign."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    lost: set[str] = field(default_factory=set)
    copies: int = 0
    most_of_one: int = 0  # copies of one message
    drift: int = 0  # domains whose figures are not those of a recount
    takeovers: list[float] = field(default_factory=list)  # seconds

    @property
    def copies_allowed(self) -> int:
        """How many copies the faults may have made."""
        return self.faults.total() * WINDOW

    def __str__(self) -> str:
        slowest = f"{max(self.takeovers):.2f} s" if self.takeovers else "none measured"
        faults = ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items()))
        return (
            f"seed {self.seed}: {faults}; {self.acknowledged} acknowledged, {len(self.lost)} lost,"
            f" {self.copies} copies (at most {self.copies_allowed}, {self.most_of_one} of one"
            f" message), {self.drift} figures wrong; {len(self.takeovers)} takeovers,"
            f" slowest {slowest}"
        )


class ClusterSite:
    """A database with a standby, and servers on it."""

    def __init__(self, stack: ExitStack) -> None:
        names = {"fsync": "on", "full_page_writes": "on"}
        self.primary = PostgresCluster(**names)
        stack.callback(self.primary.stop)
        standby = PostgresStandby(self.primary, "s1")
        stack.callback(standby.stop)
        for change in (
            "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (s1)'",
            "SELECT pg_reload_conf()",
        ):
            asyncio.run(self.primary.execute(change))
        self.url = self.primary.url(asyncio.run(self.primary.create()))
        self.servers = [
            stack.enter_context(Installation(database=self.url, rpo="zero")) for _ in range(SERVERS)
        ]
        for number, server in enumerate(self.servers):
            text = server.config.read_text()
            server.config.write_text(text.replace("mx2.example.net", self.name(number)))
            server.start()

    @staticmethod
    def name(number: int) -> str:
        """Return the name of a server."""
        return f"mx{number}.example.net"

    def host(self, port: int) -> None:
        """Host the domains, and wait until all servers know them."""
        for domain in DOMAINS:
            options = ("--connections", str(CONNECTIONS))
            self.servers[0].hosts(domain, f"127.0.0.1:{port}", *options)
        for server in self.servers:
            eventually(partial(_knows, server, DOMAINS[-1]), what="the domains at each server")


def _knows(server: Installation, domain: str) -> bool:
    return domain in server.do("domain", "list")


class ClusterCampaign:
    """One site under load and faults."""

    def __init__(self, site: ClusterSite, seed: int) -> None:
        self._site = site
        self._random = random.Random(seed)
        self._sink = RecordingSink()
        self._away: dict[int, float] = {}  # servers that do not serve, since when
        self._killed: list[tuple[int, float]] = []
        self.result = Result(seed)

    async def run(self, faults: int) -> Result:
        """Have so many faults, then deliver everything, and compare."""
        async with self._sink, asyncio.TaskGroup() as tasks:
            await asyncio.to_thread(self._site.host, self._sink.port)
            ports = [server.mx_port for server in self._site.servers]
            load = ClusterLoad(ports, DOMAINS, self.result.seed)
            sending = [tasks.create_task(load.run()) for _ in range(SENDERS)]
            asking = tasks.create_task(self._keep_asking())
            for _ in range(faults):
                await asyncio.sleep(BETWEEN)
                await self._fault()
            await asyncio.sleep(BETWEEN)
            load.stop()
            await asyncio.wait(sending)
            self.result.drift = await self._drift()
            await self._deliver_all(load.acknowledged)
            asking.cancel()
        self._compare(load.acknowledged)
        return self.result

    async def _fault(self) -> None:
        kind = self._random.choices(list(FAULTS), list(FAULTS.values()))[0]
        self.result.faults[kind] += 1
        number = self._random.randrange(SERVERS)
        server = self._site.servers[number]
        match kind:
            case "kill":
                self._away[number] = time.monotonic()
                self._killed.append((number, time.monotonic()))
                server.kill()
                await asyncio.sleep(AWAY)
                await asyncio.to_thread(server.start)
            case "stop":
                self._away[number] = time.monotonic()
                os.kill(server.pid, signal.SIGSTOP)
                await asyncio.sleep(STOPPED)
                os.kill(server.pid, signal.SIGCONT)
                await self._outlive_fence(number)
            case _:
                await asyncio.to_thread(self._site.primary.halt)
                await self._site.primary.start_again()
        self._away.pop(number, None)

    async def _outlive_fence(self, number: int) -> None:
        """Start a server again if it found its place taken and left, as a service manager does."""
        await asyncio.sleep(BETWEEN)
        server = self._site.servers[number]
        if not server.is_running:
            server.wait_until_it_leaves()
            await asyncio.to_thread(server.start)

    async def _keep_asking(self) -> None:
        """Ask a server that serves to release all domains, again and again."""
        while True:
            await asyncio.sleep(0.4)
            serving = [one for one in range(SERVERS) if one not in self._away]
            server = self._site.servers[self._random.choice(serving)]
            socket = str(server.directory / "state/control.sock")
            transport = httpx.AsyncHTTPTransport(uds=socket)
            async with httpx.AsyncClient(transport=transport, timeout=10) as client:
                with suppress(httpx.HTTPError):
                    body = {"targets": list(DOMAINS), "reason": "campaign"}
                    await client.post("http://restante/v1/releases", json=body)

    async def _drift(self) -> int:
        connection = await asyncpg.connect(self._site.url)
        try:
            return len(await connection.fetch(_RECOUNT))
        finally:
            await connection.close()

    async def _deliver_all(self, acknowledged: set[str]) -> None:
        deadline = time.monotonic() + END
        while acknowledged - {one.token for one in self._sink.taken}:
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(0.2)

    def _compare(self, acknowledged: set[str]) -> None:
        counts = Counter(one.token for one in self._sink.taken)
        self.result.acknowledged = len(acknowledged)
        self.result.lost = acknowledged - counts.keys()
        self.result.copies = counts.total() - len(counts)
        self.result.most_of_one = max(counts.values(), default=0) - 1
        for number, at in self._killed:
            self.result.takeovers += self._takeovers(self._site.name(number), at)

    def _takeovers(self, node: str, at: float) -> Iterator[float]:
        """Yield how long each domain that a server was delivering waited for another one."""
        for domain in DOMAINS:
            of_domain = [one for one in self._sink.taken if one.domain == domain]
            if any(one.node == node and at - 0.1 < one.at <= at for one in of_domain):
                yield from [one.at - at for one in of_domain if one.at > at + IN_FLIGHT][:1]


@contextmanager
def site() -> Iterator[ClusterSite]:
    """Have a site for the block."""
    with ExitStack() as stack:
        yield ClusterSite(stack)


def main() -> int:
    """Run one campaign, and print its result."""
    faults = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().getrandbits(32)
    with site() as made:
        result = asyncio.run(ClusterCampaign(made, seed).run(faults))
    print(result)
    is_good = not result.lost and not result.drift and result.copies <= result.copies_allowed
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
