"""Opening: the tables are made once, and a database that does not fit is refused."""

import asyncio

import asyncpg
import pytest
from asyncpg.exceptions import TargetServerAttributeNotMatched

from restante.store.postgres import open_postgres
from restante.store.store_errors import StoreMismatched, StoreUnusable
from tests.contract.making import hold, hosted
from tests.postgres_cluster import ALONE, PostgresCluster

pytestmark = pytest.mark.usefixtures("runner")


async def run(url: str, statement: str) -> None:
    """Run a statement in a database."""
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


async def test_processes_that_begin_together_make_the_tables_once(
    postgres_cluster: PostgresCluster,
) -> None:
    name = await postgres_cluster.create()
    url = postgres_cluster.url(name)
    stores = await asyncio.gather(*(open_postgres(url, ALONE) for _ in range(4)))
    assert len({store.core.node.key.id for store in stores}) == 4
    domain_id = await hosted(stores[0])
    await hold(stores[0], domain_id, 1)
    for store in stores:
        await store.close()
    later = await open_postgres(url, ALONE)
    assert later.figures.usage(domain_id).messages == 1
    await later.close()
    await postgres_cluster.drop(name)


async def test_numbers_go_on_above_those_that_are_known(postgres_url: str) -> None:
    store = await open_postgres(postgres_url, ALONE)
    domain_id = await hosted(store)
    far = 4_000_000_000_000_000 << 8
    await hold(store, domain_id, far)
    await store.close()
    later = await open_postgres(postgres_url, ALONE)
    assert later.reception.numbers().next(1.0) > far
    await later.close()


async def test_another_version_of_the_tables_is_refused(postgres_url: str) -> None:
    await run(postgres_url, "UPDATE restante_schema SET version = 99, oldest = 99")
    with pytest.raises(StoreMismatched, match="schema 99, and this version of Restante"):
        await open_postgres(postgres_url, ALONE)


async def test_another_encoding_is_refused(postgres_cluster: PostgresCluster) -> None:
    await postgres_cluster.execute(
        "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
    )
    with pytest.raises(StoreUnusable, match="encoding LATIN1: make it with"):
        await open_postgres(postgres_cluster.url("latin"), ALONE)
    await postgres_cluster.drop("latin")


@pytest.mark.parametrize("url", ["postgresql:///none?host=/nowhere", "postgresql://[", "x"])
async def test_a_database_that_is_not_there_is_refused(url: str) -> None:
    with pytest.raises(StoreUnusable, match="the database cannot be opened"):
        await open_postgres(url, ALONE)


async def test_a_standby_alone_is_refused(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver's error for that is of a class of its own."""

    async def connect(*_: object, **__: object) -> None:
        raise TargetServerAttributeNotMatched("none of the hosts match")

    monkeypatch.setattr(asyncpg, "connect", connect)
    with pytest.raises(StoreUnusable, match="cannot be opened: none of the hosts match"):
        await open_postgres(postgres_url, ALONE)
