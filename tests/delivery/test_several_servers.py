"""Several servers on one store: one owner for each drain, and no request or message is lost."""

import asyncio
import random
from collections import Counter

import pytest

from restante.delivery.dispatcher import DrainStart
from restante.delivery.drain_attempt import UNSETTLED_PER_CONNECTION
from restante.tenancy.model import HostedDomain
from tests.delivery.cluster import LEASE_SECONDS, Cluster, Server
from tests.delivery.drained import numbers
from tests.delivery.scripted_primary import SILENCE, ScriptedPrimary
from tests.delivery.world import is_idle, only_drain, until

DOMAINS = 3
CONNECTIONS = 2


async def is_silent(primary: ScriptedPrimary) -> None:
    await until(lambda: any(session._is_silent for session in primary.open))


def test_a_request_at_another_server_takes_no_drain_away() -> None:
    """To steal it would send its window a second time."""

    async def main() -> None:
        cluster = Cluster()
        world = cluster.world
        primary = ScriptedPrimary(script={"CONTENT": ["250 OK", SILENCE]})
        async with primary:
            domain = await world.host(primary.port, connections=1)
            await world.hold(domain, 5)
            first, second = await Server(cluster).begin(), await Server(cluster).begin()
            assert await first.dispatcher.start(domain, "test") is DrainStart.STARTED
            await is_silent(primary)
            assert await second.dispatcher.start(domain, "test") is DrainStart.JOINED
            assert second.dispatcher.is_draining(domain.id)
            for server in (second, first, second):
                await server.second()
            assert cluster.takeovers == 0
            assert cluster.owners[domain.id] is first
            drain = only_drain(first.dispatcher)
            assert drain._woken.is_set(), "it was told"
            assert await second.dispatcher.stop(domain.id)
            await first.second()
            await until(lambda: is_idle(first.dispatcher))
            assert world.store.handover.open_drains() == []
            await first.stop()
            await second.stop()

    asyncio.run(main())


@pytest.mark.parametrize("step", [0.0, 7200.0, -7200.0])
def test_the_patience_of_a_drain_that_is_joined_elsewhere_is_no_matter_of_the_wall_clock(
    step: float,
) -> None:
    async def main() -> None:
        cluster = Cluster()
        world = cluster.world
        async with ScriptedPrimary(script={"CONTENT": SILENCE}) as primary:
            domain = await world.host(primary.port, connections=1)
            await world.hold(domain)
            first, second = await Server(cluster).begin(), await Server(cluster).begin()
            await first.dispatcher.start(domain, "test")
            await is_silent(primary)
            world.now += 600.0
            assert await second.dispatcher.start(domain, "test") is DrainStart.JOINED
            world.step(step)
            await first.second()
            drain = only_drain(first.dispatcher)
            assert drain._patience.deadline == world.monotonic + world.settings.patience
            await first.stop()
            await second.stop()

    asyncio.run(main())


def test_the_drain_of_a_dead_server_goes_on_elsewhere_after_its_lease() -> None:
    async def main() -> None:
        cluster = Cluster()
        world = cluster.world
        primary = ScriptedPrimary(script={"CONTENT": ["250 OK"] * 3 + [SILENCE]})
        async with primary:
            domain = await world.host(primary.port, connections=1)
            await world.hold(domain, 20)
            first, second = await Server(cluster).begin(), await Server(cluster).begin()
            await first.dispatcher.start(domain, "test")
            await is_silent(primary)
            await first.kill()
            await second.second()
            assert cluster.takeovers == 0, "it may be alive"
            world.now += LEASE_SECONDS
            await second.second()
            await until(lambda: is_idle(second.dispatcher))
            assert cluster.takeovers == 1
            assert await world.waiting() == []
            assert world.store.handover.open_drains() == []
            await second.stop()
        assert set(numbers(primary)) == set(range(1, 21))

    asyncio.run(main())


def test_the_drain_of_a_server_that_is_stopped_goes_on_elsewhere_at_once() -> None:
    """Also one that rests there, because its end could not be recorded."""

    async def main() -> None:
        cluster = Cluster()
        world = cluster.world
        primary = ScriptedPrimary(script={"CONTENT": ["250 OK"] * 3 + [SILENCE]})
        async with primary:
            domain = await world.host(primary.port, connections=1)
            rested = await world.host(primary.port, name="rested.example")
            await world.hold(domain, 20)
            first, second = await Server(cluster).begin(), await Server(cluster).begin()
            await _rest(first, rested)
            await first.dispatcher.start(domain, "test")
            await is_silent(primary)
            await second.second()
            assert cluster.takeovers == 0
            await first.dispatcher.stop_all()
            await second.second()
            assert cluster.takeovers == 2
            await until(lambda: is_idle(second.dispatcher))
            assert await world.waiting() == []
            assert world.store.handover.open_drains() == []
            await first.stop()
            await second.stop()
        assert set(numbers(primary)) == set(range(1, 21))

    asyncio.run(main())


async def _rest(server: Server, domain: HostedDomain) -> None:
    """Let a drain of a server end without a record of that."""
    await server.dispatcher.start(domain, "test")
    server.is_cut_off = True
    await until(lambda: not server.dispatcher.runs_here(domain.id))
    server.is_cut_off = False
    server.heard_at = server.cluster.world.monotonic
    assert server.dispatcher.is_draining(domain.id)


def test_a_server_that_is_cut_off_stops_sending_before_another_begins() -> None:
    async def main() -> None:
        cluster = Cluster()
        world = cluster.world
        primary = ScriptedPrimary(script={"CONTENT": ["250 OK"] * 3 + [SILENCE]})
        async with primary:
            domain = await world.host(primary.port, connections=1)
            await world.hold(domain, 20)
            first, second = await Server(cluster).begin(), await Server(cluster).begin()
            await first.dispatcher.start(domain, "test")
            await is_silent(primary)
            first.is_cut_off = True
            overlaps = 0
            for _ in range(int(LEASE_SECONDS) + 1):
                await first.second()
                await second.second()
                for _ in range(50):
                    await asyncio.sleep(0)
                overlaps += bool(first.dispatcher._drains and second.dispatcher._drains)
                world.now += 1.0
            await until(lambda: is_idle(second.dispatcher))
            assert overlaps == 0
            assert cluster.takeovers == 1
            assert await world.waiting() == []
            await first.kill()
            await second.stop()
        assert set(numbers(primary)) == set(range(1, 21))

    asyncio.run(main())


class Trial:
    """A run of three servers, by chance."""

    def __init__(self, seed: int, primary: ScriptedPrimary) -> None:
        self.chance = random.Random(seed)
        self.cluster = Cluster()
        self.world = self.cluster.world
        self.primary = primary
        self.numbers_left = self.chance.sample(range(1, 100_000), 2000)
        self.sent: set[int] = set()
        self.losses = 0  # servers that could not settle any more
        self.domains: list[HostedDomain] = []
        self.servers: list[Server] = []

    async def run(self, steps: int) -> None:
        """Begin, let things happen, and see that all is handed over in the end."""
        for ordinal in range(DOMAINS):
            name = f"d{ordinal}.example"
            port = self.primary.port
            self.domains.append(await self.world.host(port, name=name, connections=CONNECTIONS))
        self.servers = [await Server(self.cluster).begin() for _ in range(3)]
        for _ in range(steps):
            await self.step()
            for _ in range(self.chance.randrange(1, 25)):
                await asyncio.sleep(0)
        await self.settle_down()
        for server in self.servers:
            await server.stop()

    async def step(self) -> None:
        """Let one thing happen."""
        acts = [*[self.mail] * 3, *[self.ask] * 5, *[self.second] * 3, self.kill, self.cut]
        await self.chance.choice(acts)(self.chance.choice(self.servers))

    async def mail(self, _server: Server) -> None:
        """Numbers become durable out of their order, as with several that accept mail."""
        domain = self.chance.choice(self.domains)
        for _ in range(self.chance.randrange(1, 30)):
            number = self.numbers_left.pop()
            self.sent.add(number)
            self.world.held = number - 1
            await self.world.hold(domain, 1)

    async def ask(self, server: Server) -> None:
        if not server.is_cut_off:
            await server.dispatcher.start(self.chance.choice(self.domains), "test")

    async def second(self, _server: Server) -> None:
        self.world.now += 1.0
        for server in self.servers:
            await server.second()

    async def kill(self, server: Server) -> None:
        self.losses += 1
        await server.kill()
        place = self.servers.index(server)
        self.servers[place] = await Server(self.cluster).begin()

    async def cut(self, server: Server) -> None:
        self.losses += not server.is_cut_off
        server.is_cut_off = True

    async def settle_down(self) -> None:
        """All links work again, and leases and pauses end: every request is served."""
        for server in self.servers:
            server.is_cut_off = False
        for _ in range(30):
            self.world.now += 60.0
            for server in self.servers:
                server.heard_at = self.world.monotonic
            for server in self.servers:
                await server.second()
            await until(self.is_idle)
        assert self.world.store.handover.open_drains() == []
        for domain in self.domains:
            await self.servers[0].dispatcher.start(domain, "test")
        await until(lambda: not self.world.store.handover.open_drains())
        await until(self.is_idle)
        assert await self.world.waiting() == []

    def is_idle(self) -> bool:
        return all(is_idle(server.dispatcher) for server in self.servers)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_all_mail_arrives_and_few_messages_twice(seed: int) -> None:
    """Mail, requests, kills and cuts at random moments."""

    async def main() -> None:
        async with ScriptedPrimary() as primary:
            trial = Trial(seed, primary)
            await trial.run(steps=150)
        taken = Counter(numbers(primary))
        assert taken.keys() == trial.sent
        window = DOMAINS * CONNECTIONS * UNSETTLED_PER_CONNECTION
        assert taken.total() - len(taken) <= trial.losses * window
        assert max(taken.values()) <= 1 + trial.losses

    asyncio.run(main())
