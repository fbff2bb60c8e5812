"""A store behind a link that fails: changes without an answer are made once, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from restante.store.handover_store import Drain
from restante.store.postgres import PostgresStore, open_postgres
from restante.store.store_errors import StoreError, StoreUnreachable
from tests.acceptance.peers.ports import free_port
from tests.cluster.database_link import HOST, DatabaseLink
from tests.cluster.unguarded import be_impatient
from tests.contract.making import (
    NOTED,
    account,
    delivered,
    held_numbers,
    hosted,
    message,
    opened,
)
from tests.postgres_cluster import ALONE, ROLE, PostgresCluster

SHORT = 1.0  # seconds


@asynccontextmanager
async def linked(
    cluster: PostgresCluster, url: str
) -> AsyncIterator[tuple[DatabaseLink, PostgresStore]]:
    """Have a store behind a link for the block."""
    database = url.partition("?")[0].rpartition("/")[2]
    async with DatabaseLink(cluster.place / ".s.PGSQL.5432", free_port()) as link:
        place = f"postgresql://{ROLE}@{HOST}:{link.port}/{database}?sslmode=disable"
        store = await open_postgres(place, ALONE)
        try:
            yield link, store
        finally:
            link.go_on()
            await store.close()


async def test_mail_is_acknowledged_whose_commit_was_made_without_an_answer(
    postgres_cluster: PostgresCluster, postgres_url: str
) -> None:
    async with linked(postgres_cluster, postgres_url) as (link, store):
        domain_id = await hosted(store)
        link.lose_answers(part=b"INSERT INTO message")
        assert await store.reception.hold([message(1, domain_id)]) == {}
        assert link.lost_answers == 1
        assert await held_numbers(store, domain_id) == [1]
        assert store.figures.usage(domain_id).messages == 1


async def test_a_record_is_written_once_if_its_answer_is_lost(
    postgres_cluster: PostgresCluster, postgres_url: str
) -> None:
    async with linked(postgres_cluster, postgres_url) as (link, store):
        link.lose_answers(part=b"INSERT INTO account")
        await store.records.put_account(account(), NOTED)
        assert link.lost_answers == 1
        assert await store.audit.audit() == [NOTED]


async def test_a_drain_has_one_owner_if_the_answer_is_lost(
    postgres_cluster: PostgresCluster, postgres_url: str
) -> None:
    async with linked(postgres_cluster, postgres_url) as (link, store):
        domain_id = await hosted(store)
        link.lose_answers(part=b"INTO drain")
        drain = await store.handover.open_drain(domain_id, 0.0, 60.0)
        assert link.lost_answers == 1
        assert isinstance(drain, Drain)
        assert await store.handover.claimable_drains([drain]) == []
        assert await store.handover.finish_drain(drain)


async def test_an_outcome_can_be_settled_again_if_the_answer_is_lost(
    postgres_cluster: PostgresCluster, postgres_url: str
) -> None:
    async with linked(postgres_cluster, postgres_url) as (link, store):
        domain_id = await hosted(store)
        await store.reception.hold([message(1, domain_id), message(2, domain_id)])
        drain = await opened(store, domain_id)
        link.lose_answers(part=b"DELETE FROM message")
        with pytest.raises(StoreUnreachable):
            await store.handover.settle(drain, [delivered(1)])
        assert link.lost_answers == 1
        await store.handover.settle(drain, [delivered(1)])
        assert await held_numbers(store, domain_id) == [2]
        await store.core.look_again()
        assert store.figures.usage(domain_id).messages == 1


async def test_connections_that_are_cut_are_replaced(
    postgres_cluster: PostgresCluster, postgres_url: str
) -> None:
    async with linked(postgres_cluster, postgres_url) as (link, store):
        domain_id = await hosted(store)
        link.cut()
        await until_held(store, domain_id)
        assert await held_numbers(store, domain_id) == [1]


async def test_connections_whose_way_has_vanished_are_given_up(
    postgres_cluster: PostgresCluster, postgres_url: str
) -> None:
    """No end of the connection is seen: the patience with a statement ends."""
    async with linked(postgres_cluster, postgres_url) as (link, store):
        domain_id = await hosted(store)
        be_impatient(store, SHORT)
        await store.reception.hold([message(2, domain_id)])
        link.forget()
        await until_held(store, domain_id)
        assert await held_numbers(store, domain_id) == [1, 2]


async def until_held(store: PostgresStore, domain_id: int) -> None:
    """Hold a message; repeat that while it is refused for the moment."""
    async with asyncio.timeout(60):
        while True:
            try:
                assert await store.reception.hold([message(1, domain_id)]) == {}
            except StoreError:
                continue
            return


async def test_nothing_passes_a_link_that_stalls(
    postgres_cluster: PostgresCluster, postgres_url: str
) -> None:
    async with linked(postgres_cluster, postgres_url) as (link, store):
        domain_id = await hosted(store)
        link.stall()
        holding = asyncio.create_task(store.reception.hold([message(1, domain_id)]))
        done, _ = await asyncio.wait({holding}, timeout=0.1)
        assert not done
        connection = await asyncpg.connect(postgres_url)
        assert await connection.fetchval("SELECT count(*) FROM message") == 0
        await connection.close()
        link.go_on()
        assert await holding == {}
