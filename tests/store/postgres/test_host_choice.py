"""The first host that serves is taken; one that is silent or refuses keeps nobody waiting."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress

import asyncpg
import pytest
from asyncpg.exceptions import TargetServerAttributeNotMatched

from restante.store.postgres.database_session import open_session
from restante.store.postgres.host_choice import HostOrder, connect_to_first
from tests.postgres_cluster import PostgresCluster

NEVER = 60.0  # seconds

pytestmark = pytest.mark.usefixtures("runner")


class Hosts:
    """Hosts by name: one that serves, is silent, or fails with an error."""

    def __init__(self, **hosts: BaseException | None) -> None:
        self.asked: list[str] = []
        self.broken: list[str] = []
        self.left: list[str] = []
        self.are_silent = asyncio.Event()  # two of them
        self._hosts = hosts

    async def connect(self, name: str) -> "Connected":
        self.asked.append(name)
        if len(self.asked) == 2:
            self.are_silent.set()
        try:
            if name.startswith("silent"):
                await asyncio.Event().wait()
        finally:
            if name.startswith("silent"):
                self.left.append(name)
        if (error := self._hosts.get(name)) is not None:
            raise error
        return Connected(name, self)


class Connected:
    """A connection."""

    def __init__(self, name: str, hosts: Hosts) -> None:
        self.name = name
        self._hosts = hosts

    def terminate(self) -> None:
        self._hosts.broken.append(self.name)


async def test_the_first_host_is_taken_if_it_serves() -> None:
    hosts = Hosts()
    assert (await connect_to_first(["one", "two"], hosts.connect, NEVER)).name == "one"
    assert hosts.asked == ["one"]


async def test_the_next_host_is_asked_at_once_when_one_refuses() -> None:
    hosts = Hosts(one=ConnectionRefusedError(), two=TargetServerAttributeNotMatched("standby"))
    found = await connect_to_first(["one", "two", "three"], hosts.connect, NEVER)
    assert (found.name, hosts.broken) == ("three", [])


async def test_a_silent_host_has_a_head_start_only() -> None:
    hosts = Hosts()
    assert (await connect_to_first(["silent", "two"], hosts.connect, 0.0)).name == "two"
    assert hosts.left == ["silent"]


async def test_the_error_is_that_of_the_host_that_should_have_served() -> None:
    hosts = Hosts(
        one=TargetServerAttributeNotMatched("standby"),
        two=ConnectionRefusedError("off"),
        three=TargetServerAttributeNotMatched("standby"),
    )
    with pytest.raises(ConnectionRefusedError, match="off"):
        await connect_to_first(["one", "two", "three"], hosts.connect, NEVER)


async def test_standbys_alone_are_told() -> None:
    hosts = Hosts(one=TargetServerAttributeNotMatched("standby"))
    with pytest.raises(TargetServerAttributeNotMatched):
        await connect_to_first(["one"], hosts.connect, NEVER)


async def test_nothing_stays_open_if_the_caller_is_cancelled() -> None:
    hosts = Hosts()
    asking = asyncio.create_task(connect_to_first(["silent", "silent2"], hosts.connect, 0.0))
    await hosts.are_silent.wait()
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    assert sorted(hosts.left) == ["silent", "silent2"]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where the kernel accepts connections, and nothing answers: a machine that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


async def test_a_database_is_reached_whose_first_host_hangs(
    postgres_cluster: PostgresCluster, silent_port: int
) -> None:
    hosts = f"127.0.0.1,{postgres_cluster.place}"
    url = f"postgresql:///postgres?host={hosts}&port={silent_port},5432&user=restante"
    async with asyncio.timeout(20):
        session = await open_session(url)
    assert await session.fetch("SELECT 1") == [(1,)]
    await session.close()


async def test_all_hosts_away_is_an_absence(postgres_cluster: PostgresCluster) -> None:
    url = f"postgresql:///postgres?host=/nowhere,{postgres_cluster.place}/none&user=restante"
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await open_session(url)


def test_a_host_without_commits_comes_last() -> None:
    hosts = HostOrder("postgresql://one,two,three/restante")
    hosts.put_last("postgresql://one/restante")
    hosts.put_last("postgresql://three/restante")
    hosts.put_last("")
    assert hosts.urls == [f"postgresql://{name}/restante" for name in ("two", "one", "three")]
