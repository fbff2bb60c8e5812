"""Nodes are listed with their work; a live one can be retired, a silent one removed."""

import asyncpg
import pytest

from restante.store.node_store import NodeState
from restante.store.postgres import PostgresStore
from tests.contract.making import hosted

pytestmark = pytest.mark.usefixtures("runner")


def names(store: PostgresStore, other: PostgresStore) -> tuple[str, str]:
    """Give the two nodes names of their own: both are of this process."""
    return f"slot-{store.core.node.key.id}", f"slot-{other.core.node.key.id}"


async def named(store: PostgresStore, other: PostgresStore, url: str) -> tuple[str, str]:
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE node SET name = 'slot-' || id")
    await connection.close()
    return names(store, other)


async def silence(other: PostgresStore, url: str) -> None:
    """Let the lease of a node be over, without its knowledge."""
    connection = await asyncpg.connect(url)
    statement = "UPDATE node SET expires_at = clock_timestamp() - interval '1 s' WHERE id = $1"
    await connection.execute(statement, other.core.node.key.id)
    await connection.close()


async def test_drains_and_duties_are_shown_with_their_node(
    store: PostgresStore, other: PostgresStore, postgres_url: str
) -> None:
    own, others = await named(store, other, postgres_url)
    await store.handover.open_drain(await hosted(store), 1.0, 2.0)
    async with other.duties.perform("reports"):
        listed = {node.name: node for node in await store.nodes.nodes()}
    assert (listed[own].drains, listed[own].duties, listed[own].is_own) == (1, (), True)
    assert (listed[others].drains, listed[others].duties) == (0, ("reports",))
    assert not listed[others].is_own
    assert all(0 <= node.beat_age < 5 and 0 < node.lease_left <= 5 for node in listed.values())


async def test_a_live_node_hears_with_its_next_heartbeat_that_it_must_stop(
    store: PostgresStore, other: PostgresStore, postgres_url: str
) -> None:
    _, others = await named(store, other, postgres_url)
    assert not await store.nodes.remove(others)
    assert await store.nodes.retire(others)
    await other.core.node.beat()
    assert other.nodes.is_retiring
    assert not store.nodes.is_retiring
    [found] = [node for node in await store.nodes.nodes() if node.name == others]
    assert found.state is NodeState.RETIRING


async def test_a_silent_node_is_removed_and_fenced(
    store: PostgresStore, other: PostgresStore, postgres_url: str
) -> None:
    own, others = await named(store, other, postgres_url)
    await silence(other, postgres_url)
    assert not await store.nodes.retire(others)
    [found] = [node for node in await store.nodes.nodes() if node.name == others]
    assert (found.state, found.lease_left) == (NodeState.SILENT, 0.0)
    assert await store.nodes.remove(others)
    assert [node.name for node in await store.nodes.nodes()] == [own]
    await other.core.node.beat()
    assert "another process has the slot" in other.upkeep.failure


async def test_a_node_that_ended_in_good_order_is_not_listed(
    store: PostgresStore, other: PostgresStore, postgres_url: str
) -> None:
    own, _ = await named(store, other, postgres_url)
    await other.close()
    assert [node.name for node in await store.nodes.nodes()] == [own]
