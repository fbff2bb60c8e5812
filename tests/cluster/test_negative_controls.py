"""Each guard is needed: without it, the harm comes, and these tests see it.

A scenario of a few steps runs twice: with the guard, where nothing may happen, and without it,
where the harm must be found. So no campaign is green because it cannot see.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, Final, cast

import asyncpg
import pytest

from restante.delivery.drain_claims import DrainClaims
from restante.store.database_access import DatabaseAccess, RecoveryPoint
from restante.store.handover_store import Drain, DrainRequests
from restante.store.postgres import PostgresStore, open_postgres, postgres_core
from restante.store.store_errors import LeaseLost, StoreError, StoreUnusable
from restante.tenancy.model import HostedDomain
from tests.cluster.unguarded import (
    be_impatient,
    stop_beating,
    without_barrier,
    without_count,
    without_share_lock,
)
from tests.contract.making import delivered, held_numbers, hosted, message, opened
from tests.postgres_cluster import ALONE, PostgresCluster, PostgresStandby
from tests.store.postgres.waiting import when_one_waits

STRICT: Final = DatabaseAccess()
LOOSE: Final = DatabaseAccess(recovery_point=RecoveryPoint.ACCEPT_LOSS)
SHORT: Final = 1.0  # seconds: a COMMIT has no end in these scenarios
_LOOKS: Final = 5000
_END_LEASE: Final = "UPDATE node SET expires_at = '-infinity' WHERE id = $1"
_IN_SYNC: Final = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'"
_WAITING_HOLD: Final = """
    SELECT pid FROM pg_stat_activity
    WHERE wait_event = 'SyncRep' AND query LIKE '%INSERT INTO message%'
"""


# --- the loss of the primary


class DoomedPair:
    """A primary and its standby, and the numbers that were acknowledged."""

    def __init__(self) -> None:
        synced = {"fsync": "on", "full_page_writes": "on"}
        self.primary = PostgresCluster(**synced)
        self.standby = PostgresStandby(self.primary, "s1", **synced)
        self.acknowledged: set[int] = set()

    async def name(self, names: str) -> None:
        """Set the standbys for which each commit waits."""
        await self.primary.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        await self.primary.execute("SELECT pg_reload_conf()")

    async def until(self, statement: str) -> int:
        """Return the first true value of a statement at the primary."""
        for _ in range(_LOOKS):
            if value := await self.primary.value(statement):
                return int(value)
        raise AssertionError(f"never: {statement}")

    async def hold(self, store: PostgresStore, domain_id: int, number: int) -> bool:
        """Hold a message; tell whether a sender would get 250."""
        try:
            assert await store.reception.hold([message(number, domain_id)]) == {}
        except StoreError:
            return False
        self.acknowledged.add(number)
        return True

    async def lose_primary(self, database: str) -> set[int]:
        """Promote the standby, which was away; return the numbers that were lost."""
        self.primary.vanish()
        await self.standby.start_again()
        await self.standby.promote()
        url = self.standby.url(database)
        connection = await asyncpg.connect(url)
        found = {number for (number,) in await connection.fetch("SELECT number FROM message")}
        await connection.close()
        return self.acknowledged - found

    def stop(self) -> None:
        """End both."""
        self.standby.stop()
        self.primary.stop()


@pytest.fixture
def pair() -> Iterator[DoomedPair]:
    """A pair for one loss."""
    pair = DoomedPair()
    yield pair
    pair.stop()


async def test_commits_that_wait_for_no_standby_are_lost_with_the_primary(
    pair: DoomedPair, runner: asyncio.Runner
) -> None:
    database = await pair.primary.create()
    url = pair.primary.url(database)
    with pytest.raises(StoreUnusable, match="no commit waits for a standby"):
        await open_postgres(url, STRICT)
    await pair.name("ANY 1 (s1)")
    await pair.until(_IN_SYNC)
    strict, loose = [await open_postgres(url, access) for access in (STRICT, LOOSE)]
    domain_id = await hosted(strict)
    assert await pair.hold(strict, domain_id, 1)
    be_impatient(strict, SHORT)
    for store in (strict, loose):
        await stop_beating(store)
    pair.standby.vanish()
    assert not await pair.hold(strict, domain_id, 2), "with the guard"
    await pair.name("")
    assert await pair.hold(loose, domain_id, 3), "without it"
    await close(strict, loose)
    assert await pair.lose_primary(database) == {3}


async def test_a_look_without_a_barrier_acknowledges_what_no_standby_has(
    pair: DoomedPair, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session ends while its commit waits. Then the commit can be seen at the primary."""
    database = await pair.primary.create()
    await pair.name("ANY 1 (s1)")
    await pair.until(_IN_SYNC)
    store = await open_postgres(pair.primary.url(database), STRICT)
    domain_id = await hosted(store)
    assert await pair.hold(store, domain_id, 1)
    be_impatient(store, SHORT)
    monkeypatch.setattr(postgres_core, "_PAUSES", (0.01,))  # between looks at a lost answer
    await stop_beating(store)
    pair.standby.vanish()
    assert not await hold_and_end_session(pair, store, domain_id, 2), "with the guard"
    without_barrier(store, monkeypatch)
    assert await hold_and_end_session(pair, store, domain_id, 3), "without it"
    await close(store)
    assert await pair.lose_primary(database) == {3}


async def hold_and_end_session(
    pair: DoomedPair, store: PostgresStore, domain_id: int, number: int
) -> bool:
    """Hold a message, and end the session while its COMMIT waits for the standby."""
    holding = asyncio.create_task(pair.hold(store, domain_id, number))
    process_id = await pair.until(_WAITING_HOLD)
    await pair.primary.execute(f"SELECT pg_terminate_backend({process_id})")
    return await holding


async def close(*stores: PostgresStore) -> None:
    """Close stores whose database does not answer any more."""
    for store in stores:
        be_impatient(store, SHORT)
        await store.close()


# --- copies


@asynccontextmanager
async def two_stores(url: str) -> AsyncIterator[tuple[PostgresStore, PostgresStore]]:
    """Have the stores of two processes for the block."""
    one, other = [await open_postgres(url, ALONE) for _ in range(2)]
    try:
        yield one, other
    finally:
        await one.close()
        await other.close()


async def end_lease(url: str, store: PostgresStore) -> None:
    """Let others take over from a process."""
    await stop_beating(store)
    connection = await asyncpg.connect(url)
    await connection.execute(_END_LEASE, store.core.node.key.id)
    await connection.close()


async def copies_beside_a_settlement(url: str) -> int:
    """Take a drain over while its owner is settling; return how many messages both deliver."""
    async with two_stores(url) as (one, other):
        domain_id = await hosted(one)
        await one.reception.hold([message(1, domain_id)])
        drain = await opened(one, domain_id)
        another = await asyncpg.connect(url)
        block = another.transaction()
        await block.start()
        await another.execute("SELECT 1 FROM usage FOR UPDATE")  # the last thing that it locks
        settling = asyncio.create_task(one.handover.settle(drain, [delivered(1)]))
        await when_one_waits(another)
        await end_lease(url, one)
        taken = await other.handover.take_over(drain)
        again = [] if taken is None else await held_numbers(other, domain_id)
        await block.rollback()
        await another.close()
        await settling
        return len(again)


async def test_a_drain_is_not_taken_over_beside_a_settlement(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await copies_beside_a_settlement(postgres_url) == 0
    without_share_lock(monkeypatch)
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("TRUNCATE drain, domain, account, usage CASCADE")
    await connection.close()
    assert await copies_beside_a_settlement(postgres_url) == 1


async def test_a_drain_that_asks_its_cursor_alone_leaves_mail_behind(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process commits a number that is below the cursor."""
    async with two_stores(postgres_url) as (one, other):
        domain_id = await hosted(one)
        late = other.reception.numbers().next(1.0)
        await one.reception.hold([message(one.reception.numbers().next(2.0), domain_id)])
        drain = await opened(one, domain_id)
        [cursor] = await held_numbers(one, domain_id)
        await one.handover.settle(drain, [delivered(cursor)])
        await other.reception.hold([message(late, domain_id)])
        assert await one.handover.held(domain_id, cursor, 10, 1 << 20) == []
        assert not await one.handover.finish_drain(drain), "with the guard"
        without_count(monkeypatch)
        assert await one.handover.finish_drain(drain), "without it"
        assert await held_numbers(one, domain_id) == [late]
        assert not one.handover.is_draining(domain_id), "nobody delivers it"


class Claimer:
    """A task that takes up drains, and knows of those that it has taken up itself."""

    def __init__(self, store: PostgresStore) -> None:
        self.taken: list[Drain] = []
        self.delivered: list[int] = []
        self._store = store
        directory = SimpleNamespace(now=SimpleNamespace(domain_by_id=lambda _: "a domain"))
        clocks = SimpleNamespace(monotonic=lambda: 0.0, wait=None)
        context = SimpleNamespace(store=store, directory=directory, clocks=clocks, log=None)
        self.claims = DrainClaims(cast(Any, context), lambda: self.taken, self._take_up, self._obey)

    async def _take_up(self, recorded: Drain, _domain: HostedDomain) -> None:
        """Take it over, and deliver all its mail, without settling yet."""
        taken = await self._store.handover.take_over(recorded)
        if taken is not None:
            self.taken.append(taken)
            self.delivered += await held_numbers(self._store, taken.domain_id)

    async def _obey(self, _asked: DrainRequests) -> None:
        """Do nothing."""


async def copies_of_claimers(url: str, claimers: Callable[[PostgresStore], list[Claimer]]) -> int:
    """Let claimers of one process look, one after another; return the copies."""
    async with two_stores(url) as (dead, store):
        domain_id = await hosted(dead)
        await dead.reception.hold([message(one, domain_id) for one in (1, 2)])
        await opened(dead, domain_id)
        await end_lease(url, dead)
        made = claimers(store)
        for claimer in made:
            await claimer.claims.look()
        sent = [number for claimer in {*made} for number in claimer.delivered]
        with_lease = 0
        for claimer in {*made}:
            with_lease += await is_settled(store, claimer)
        assert with_lease == 1
        return len(sent) - len(set(sent))


async def is_settled(store: PostgresStore, claimer: Claimer) -> bool:
    """Record what a claimer has delivered; tell whether it was still the owner."""
    [drain] = claimer.taken
    try:
        await store.handover.settle(drain, [delivered(one) for one in claimer.delivered])
    except LeaseLost:
        return False
    return True


def one_claimer(store: PostgresStore) -> list[Claimer]:
    """One that looks twice."""
    return [Claimer(store)] * 2


def two_claimers(store: PostgresStore) -> list[Claimer]:
    """Two that look once each, and do not know of each other."""
    return [Claimer(store), Claimer(store)]


async def test_one_claimer_of_a_process_delivers_once(postgres_url: str) -> None:
    assert await copies_of_claimers(postgres_url, one_claimer) == 0


async def test_two_claimers_of_one_process_deliver_twice(postgres_url: str) -> None:
    assert await copies_of_claimers(postgres_url, two_claimers) == 2
