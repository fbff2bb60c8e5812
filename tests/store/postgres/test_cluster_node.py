"""The slots of processes, their leases, and the loss of a slot."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from restante.store.database_access import RecoveryPoint
from restante.store.postgres import PostgresStore, cluster_node, open_postgres, postgres_opening
from restante.store.postgres.cluster_node import LEASE, MARGIN
from restante.store.postgres.database_session import DatabaseSession
from restante.store.postgres.lane_set import SessionKind
from restante.store.store_errors import StoreError, StoreUnreachable
from tests.contract.making import hosted, opened
from tests.postgres_cluster import ALONE, PostgresCluster

EXPIRE = "UPDATE node SET expires_at = $2::text::timestamptz WHERE id = $1"
GIVEN_BACK = "-infinity"
OVER = "2020-01-01"  # its process may still live


async def expire(url: str, store: PostgresStore, at: str = GIVEN_BACK) -> None:
    """Let the lease of a process end, as if it had been stopped."""
    connection = await asyncpg.connect(url)
    await connection.execute(EXPIRE, store.core.node.key.id, at)
    await connection.close()


async def test_each_process_has_a_slot_of_its_own(
    store: PostgresStore, other: PostgresStore
) -> None:
    assert store.core.node.key.id != other.core.node.key.id


async def test_a_slot_is_used_again_with_the_next_epoch(
    store: PostgresStore, postgres_url: str
) -> None:
    before = store.core.node.key
    await store.close()
    later = await open_postgres(postgres_url, ALONE)
    assert later.core.node.key == (before.id, before.epoch + 1)
    await later.close()


async def test_the_lease_is_shorter_than_what_others_wait_for(store: PostgresStore) -> None:
    await store.core.node.beat()
    assert LEASE - MARGIN - 2 < store.handover.lease_left() <= LEASE - MARGIN


async def test_a_process_whose_slot_was_taken_changes_nothing_more(
    store: PostgresStore, postgres_url: str
) -> None:
    await expire(postgres_url, store)
    later = await open_postgres(postgres_url, ALONE)
    assert later.core.node.key.id == store.core.node.key.id
    await store.core.node.beat()
    assert "another process has the slot" in store.upkeep.failure
    with pytest.raises(StoreError, match="another process has the slot"):
        await hosted(store)
    await later.close()


async def test_a_drain_of_a_living_process_is_not_claimable(
    store: PostgresStore, other: PostgresStore, postgres_url: str
) -> None:
    drain = await opened(store, await hosted(store))
    assert await other.handover.claimable_drains([]) == []
    assert await other.handover.take_over(drain) is None
    await expire(postgres_url, store)
    assert await other.handover.claimable_drains([]) == [drain]
    taken = await other.handover.take_over(drain)
    assert taken is not None
    assert (await store.handover.asked([drain]))[0].is_lost


async def test_a_drain_that_is_given_back_is_anothers_at_once(
    store: PostgresStore, other: PostgresStore
) -> None:
    drain = await opened(store, await hosted(store))
    await store.handover.give_back([drain])
    assert await other.handover.claimable_drains([]) == [drain]
    assert await other.handover.take_over(drain) is not None


async def test_after_an_absence_nobody_is_judged_before_two_heartbeats(
    store: PostgresStore, other: PostgresStore, postgres_url: str
) -> None:
    """All leases have ended meanwhile."""
    await opened(store, await hosted(store))
    await expire(postgres_url, store, OVER)
    node = other.core.node
    assert node._timer is not None
    node._timer.cancel()  # the test beats
    node._beats = 0
    seen = []
    for _ in range(3):
        seen.append(len(await other.handover.claimable_drains([])))
        await node.beat()
    assert seen == [0, 0, 1]


async def test_nothing_is_claimed_without_a_fresh_heartbeat(store: PostgresStore) -> None:
    await opened(store, await hosted(store))
    store.core.node._beaten_at -= LEASE
    assert store.handover.lease_left() == 0
    assert await store.handover.claimable_drains([]) == []


async def test_the_absence_of_the_database_is_told_and_ends(store: PostgresStore) -> None:
    node = store.core.node

    class Away:
        def __getitem__(self, _kind: object) -> None:
            raise ConnectionRefusedError("refused")

    lanes, node._lanes = node._lanes, Away()  # type: ignore[assignment]
    await node.beat()
    assert "cannot be reached" in store.upkeep.absence
    assert not store.upkeep.is_reachable
    node._lanes = lanes
    await node.beat()
    assert store.upkeep.absence == ""
    assert store.upkeep.is_reachable


async def test_a_heartbeat_that_waits_for_too_long_is_an_absence(store: PostgresStore) -> None:
    store.core.node._beaten_at -= LEASE
    assert "does not answer the heartbeat" in store.upkeep.absence
    await store.core.node.beat()
    assert store.upkeep.absence == ""


async def test_a_lease_that_ended_and_was_renewed_is_a_lapse(store: PostgresStore) -> None:
    """Others may have taken the process for ended meanwhile."""
    node = store.core.node
    await node.beat()
    assert node.lapses == 0
    node._beaten_at -= LEASE
    await node.beat()
    await node.beat()
    assert node.lapses == 1


async def test_a_database_that_does_not_answer_at_all_is_away_too(store: PostgresStore) -> None:
    node = store.core.node
    node._beaten_at -= LEASE
    assert "does not answer the heartbeat" in store.upkeep.absence
    assert not store.upkeep.is_reachable
    await node.beat()
    assert (store.upkeep.absence, store.upkeep.is_reachable) == ("", True)


async def test_after_a_new_session_of_the_heartbeat_no_other_session_is_used_again(
    store: PostgresStore,
) -> None:
    """The primary may have changed, and the former one may still answer."""
    ask = "SELECT pg_backend_pid()"
    await store.core.node.beat()
    before = await store.core.fetch(ask)
    await store.core.node.beat()
    assert await store.core.fetch(ask) == before
    async with store.core.node._lanes[SessionKind.NODE].session() as session:
        session.abort()
    await store.core.node.beat()
    assert await store.core.fetch(ask) != before


async def test_a_process_that_begins_judges_nobody_at_once(
    store: PostgresStore, other: PostgresStore, postgres_url: str
) -> None:
    """The database may have been away until now: then all leases have ended."""
    drain = await opened(store, await hosted(store))
    await expire(postgres_url, store, OVER)
    assert other.core.node._beats == 0
    assert await other.handover.take_over(drain) is None
    await expire(postgres_url, store)
    assert await other.handover.take_over(drain) is not None


async def test_a_slot_whose_lease_has_just_ended_is_left_to_its_process(
    store: PostgresStore, postgres_url: str
) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("UPDATE node SET expires_at = now() - interval '9 seconds'")
    await connection.close()
    later = await open_postgres(postgres_url, ALONE)
    assert later.core.node.key.id != store.core.node.key.id
    await later.close()


async def test_a_heartbeat_does_not_wait_for_what_is_read_after_the_last_one(
    store: PostgresStore,
) -> None:
    node = store.core.node
    assert node._timer is not None
    node._timer.cancel()
    begun, going_on = asyncio.Event(), asyncio.Event()

    def note() -> None:
        """Do nothing at the next time."""

    async def read() -> None:
        begun.set()
        await going_on.wait()

    first = asyncio.create_task(node._beat_and(read, note))
    await begun.wait()
    before = node._beaten_at
    await node._beat_and(read, note)
    assert node._beaten_at > before
    assert not first.done()
    going_on.set()
    await first


async def test_a_change_by_another_process_is_heard_at_once(
    store: PostgresStore, other: PostgresStore
) -> None:
    is_heard = asyncio.Event()
    other.records.on_change(is_heard.set)
    await other.core.node.beat()  # its session listens from now on
    await hosted(store)
    async with asyncio.timeout(60):
        await is_heard.wait()


async def test_a_former_primary_that_still_runs_is_left_for_another_host(
    postgres_cluster: PostgresCluster,
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its commits have no answer. The same server by another path stands for it."""
    former = tmp_path / "former"
    former.symlink_to(postgres_cluster.place)
    name = urlsplit(postgres_url).path
    url = f"postgresql://{name}?host={former},{postgres_cluster.place}&user=restante"
    store = await open_postgres(url, ALONE)
    risk_of, left = cluster_node.risk_of, []

    async def risk_there(session: DatabaseSession, recovery_point: RecoveryPoint) -> str:
        if "former" in session.host_url:
            left.append(session)
            raise StoreUnreachable("no standby is there")
        return await risk_of(session, recovery_point)

    monkeypatch.setattr(cluster_node, "risk_of", risk_there)
    node = store.core.node
    await node.beat()
    assert (node.absence, left[0].is_lost) == ("no standby is there", False), "the lease goes on"
    node._beaten_at -= LEASE
    for absence in ("no standby is there", ""):
        await node.beat()
        assert node.absence == absence
    await hosted(store)
    await store.close()
    monkeypatch.setattr(postgres_opening, "risk_of", risk_there)
    await (await open_postgres(url, ALONE)).close()
