"""RPO 0 on real servers: refused where no commit waits for a standby, at start and later."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import pytest

from restante.server.store_watch import StoreWatch
from restante.store.database_access import DatabaseAccess
from restante.store.postgres import PostgresStore, open_postgres
from restante.store.postgres.commit_safety import parse_standby_names
from restante.store.postgres.lane_set import SessionKind
from restante.store.store_errors import StoreUnreachable, StoreUnusable
from restante.telemetry.events import StoreAway, StoreBack
from tests.contract.making import NOTED, account, hold, hosted, message
from tests.log_lines import Lines
from tests.postgres_cluster import ALONE, ROLE, PostgresCluster
from tests.store.postgres.conftest import PostgresPair

STRICT: Final = DatabaseAccess()
WAITING: Final = "'ANY 1 (standby1)'"
_LOOKS: Final = 5000
_SOMEBODY_WAITS: Final = "SELECT 1 FROM pg_sleep(0.01), pg_locks WHERE NOT granted"


async def set_names(pair: PostgresPair, value: str) -> None:
    """Set `synchronous_standby_names`, and wait until sessions and standby follow."""
    await pair.primary.execute(f"ALTER SYSTEM SET synchronous_standby_names = {value}")
    await pair.primary.execute("SELECT pg_reload_conf()")
    state = "async" if value == "''" else "quorum"
    await until(pair, f"sync_state = '{state}'")


async def until(pair: PostgresPair, condition: str) -> None:
    """Look until the primary sees its standby so."""
    connection = await asyncpg.connect(pair.primary.url("postgres"))
    question = f"SELECT 1 FROM pg_stat_replication WHERE {condition}"
    for _ in range(_LOOKS):
        if await connection.fetchval(question):
            break
    else:
        raise AssertionError(f"the standby never had {condition}")
    await connection.close()


async def until_alone(pair: PostgresPair) -> None:
    """Look until the primary knows that its standby has ended."""
    connection = await asyncpg.connect(pair.primary.url("postgres"))
    for _ in range(_LOOKS):
        if not await connection.fetchval("SELECT count(*) FROM pg_stat_replication"):
            break
    await connection.close()


@asynccontextmanager
async def without_standby(pair: PostgresPair) -> AsyncIterator[None]:
    """Halt the standby meanwhile. A test that fails leaves it running: fixtures wait for it."""
    pair.standby.halt()
    try:
        await until_alone(pair)
        yield
    finally:
        await pair.standby.start_again()


@pytest.fixture
def pair(postgres_pair: PostgresPair, runner: asyncio.Runner) -> PostgresPair:
    """The pair, with the standby connected and waited for."""
    runner.run(until(postgres_pair, "state = 'streaming'"))
    runner.run(set_names(postgres_pair, WAITING))
    return postgres_pair


@pytest.fixture
def url(pair: PostgresPair, runner: asyncio.Runner) -> Iterator[str]:
    """The URL of an empty database."""
    name = runner.run(pair.primary.create())
    yield pair.primary.url(name)
    runner.run(pair.primary.drop(name))


@pytest.fixture
def store(url: str, runner: asyncio.Runner) -> Iterator[PostgresStore]:
    """An empty store that may lose nothing."""
    store = runner.run(open_postgres(url, STRICT))
    assert store.core.node._timer is not None
    store.core.node._timer.cancel()  # the tests beat
    yield store
    runner.run(store.close())


async def test_mail_is_held_where_each_commit_waits_for_a_standby(store: PostgresStore) -> None:
    domain_id = await hosted(store)
    await store.core.node.beat()
    assert store.upkeep.absence == ""
    await hold(store, domain_id, 1)
    assert store.figures.usage(domain_id).messages == 1


async def test_without_names_of_standbys_the_store_is_refused(pair: PostgresPair, url: str) -> None:
    await set_names(pair, "''")
    with pytest.raises(StoreUnusable, match="lost: no commit waits for a standby; set syn"):
        await open_postgres(url, STRICT)
    store = await open_postgres(url, ALONE)
    await hold(store, await hosted(store), 1)
    await store.close()


async def test_a_server_that_syncs_nothing_is_refused(postgres_url: str) -> None:
    with pytest.raises(StoreUnusable, match="fsync = off"):
        await open_postgres(postgres_url)


async def test_names_that_are_taken_away_end_the_acceptance_of_mail_until_they_are_back(
    pair: PostgresPair, store: PostgresStore
) -> None:
    """As Patroni does in its mode that is not strict."""
    domain_id = await hosted(store)
    log = Lines()
    watch = StoreWatch(store.upkeep, log, monotonic=lambda: 0.0, on_failure=pytest.fail)
    await set_names(pair, "''")
    await store.core.node.beat()
    watch.look()
    [away] = log.of(StoreAway)
    assert "no commit waits for a standby" in away["reason"]
    assert store.upkeep.is_reachable
    with pytest.raises(StoreUnreachable, match="acknowledged mail could be lost"):
        await store.reception.hold([message(1, domain_id)])
    assert store.handover.lease_left() > 0
    await set_names(pair, WAITING)
    await store.core.node.beat()
    watch.look()
    assert len(log.of(StoreBack)) == 1
    await hold(store, domain_id, 1)


async def test_nothing_is_written_in_vain_while_the_standby_is_away(
    pair: PostgresPair, url: str, store: PostgresStore
) -> None:
    domain_id = await hosted(store)
    async with without_standby(pair):
        await store.core.node.beat()
        assert "waits for 1 synchronous standby(s), and 0" in store.upkeep.absence
        with pytest.raises(StoreUnusable, match="waits for 1 synchronous standby"):
            await open_postgres(url, STRICT)
    await until(pair, "sync_state = 'quorum'")
    await store.core.node.beat()
    assert store.upkeep.absence == ""
    await hold(store, domain_id, 1)


async def test_a_change_that_waits_for_the_standby_is_known_to_be_made_when_it_is_back(
    pair: PostgresPair, store: PostgresStore
) -> None:
    """The session was aborted meanwhile, and the database went on waiting."""
    async with store.core._lanes[SessionKind.WORK].session() as session:
        session._patience = 0.3
    async with without_standby(pair):
        change = asyncio.create_task(store.records.put_account(account(), NOTED))
        connection = await asyncpg.connect(pair.primary.url("postgres"))
        for _ in range(_LOOKS):
            if await connection.fetchval(_SOMEBODY_WAITS):
                break
        else:
            raise AssertionError("nobody looks whether the change was made")
        await connection.close()
        assert not change.done()
    await change
    assert await store.audit.audit() == [NOTED]


async def test_a_role_that_may_not_see_standbys_is_told_what_it_needs(
    pair: PostgresPair, url: str
) -> None:
    await pair.primary.execute("DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN")
    name = url.removeprefix("postgresql:///").partition("?")[0]
    await pair.primary.execute(f"ALTER DATABASE {name} OWNER TO plain")
    with pytest.raises(StoreUnusable, match=r"may not see the standbys.*GRANT pg_read_all_stats"):
        await open_postgres(url.replace(f"user={ROLE}", "user=plain"), STRICT)
    await pair.primary.execute("GRANT pg_read_all_stats TO plain")
    await (await open_postgres(url.replace(f"user={ROLE}", "user=plain"), STRICT)).close()


async def test_no_setting_of_the_role_keeps_commits_from_waiting(
    pair: PostgresPair, url: str
) -> None:
    name = url.removeprefix("postgresql:///").partition("?")[0]
    await pair.primary.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    store = await open_postgres(url, STRICT)
    assert await store.core.fetch("SHOW synchronous_commit") == [("on",)]
    await store.close()
    chosen = await open_postgres(url, ALONE)
    assert await chosen.core.fetch("SHOW synchronous_commit") == [("off",)]
    await chosen.close()


@pytest.mark.usefixtures("runner")
@pytest.mark.parametrize(
    "value",
    [
        *("s1", "s1, s2", "*", "2", "2 (s1, s2)", "first 1 (S1)", "any\t1 ( 7 )", " s1 "),
        *('ANY 1 ("a ""b"", (c)", "ANY")', "FIRST 2 (s1, *)", "first, any"),
        *(" ", ",", "s1,", "s1 s2", "()", "(s1)", "ANY 0 (s1)", "ANY 1 s1", "ANY 1 (s1"),
        *("ALL 1 (s1)", "a-b", '"a', "ANY 1 (s1,, s2)", "s1)", '"2" (s1)'),
    ],
)
async def test_names_are_read_if_the_database_reads_them(
    postgres_cluster: PostgresCluster, value: str
) -> None:
    setting = value.replace("'", "''")
    try:
        await postgres_cluster.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{setting}'")
    except asyncpg.PostgresError:
        is_read = False
    else:
        is_read = True
        await postgres_cluster.execute("ALTER SYSTEM RESET synchronous_standby_names")
    assert (parse_standby_names(value) is not None) == is_read
