"""The tables are brought to a newer version while servers of the older one work on them."""

import asyncio

import asyncpg
import pytest

from restante import __version__
from restante.store.database_access import DatabaseAccess
from restante.store.postgres import PostgresCare, open_postgres
from restante.store.postgres.database_session import DatabaseSession, open_session
from restante.store.postgres.postgres_schema import VERSION
from restante.store.postgres.schema_upgrade import (
    STEPS,
    SchemaStep,
    check_schema,
    plan_schema,
    upgrade_schema,
)
from restante.store.store_errors import StoreMismatched, StoreUnusable
from tests.postgres_cluster import ALONE, PostgresCluster

pytestmark = pytest.mark.usefixtures("runner")
_FORMER = """
DROP TABLE failed_login, content_object, object_mark, oldest_mail, data_key;
DROP INDEX message_aged, message_unheld, message_suspect, message_deferred;
ALTER TABLE usage DROP COLUMN removals;
ALTER TABLE last_reply DROP COLUMN tried_at, DROP COLUMN attempts;
ALTER TABLE login DROP COLUMN turnaround, DROP COLUMN certificates, DROP COLUMN turnaround_at;
ALTER TABLE drain DROP COLUMN way;
ALTER TABLE release DROP COLUMN way;
ALTER TABLE history DROP COLUMN origin;
ALTER TABLE restante_schema DROP COLUMN program;
UPDATE restante_schema SET version = 1, oldest = 1
"""
_FORMS = """
    SELECT table_name || '.' || column_name, data_type, coalesce(column_default, ''), is_nullable
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION SELECT indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
"""
_WAITS = """
    SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%' AND wait_event_type = 'Lock'
        AND query_start < clock_timestamp() - interval '2.1 seconds'
"""
TWO_STEPS = {
    VERSION: SchemaStep("ALTER TABLE node ADD COLUMN a integer; CREATE TABLE b (c integer)", 1),
    VERSION + 1: SchemaStep("DROP TABLE b", VERSION + 1),
}


def test_there_is_a_step_from_each_version_and_it_says_what_it_does() -> None:
    assert sorted(STEPS) == list(range(1, VERSION))
    assert all(step.text.endswith(".") for step in STEPS.values())


@pytest.mark.parametrize(
    ("version", "oldest", "problem"),
    [
        (1, 1, "run `restante store upgrade` once"),
        (2, 1, ""),
        (3, 2, ""),  # another server was upgraded already
        (4, 3, "install the version of Restante that upgraded it, or a later one, or restore a"),
    ],
)
def test_a_program_works_with_tables_that_it_can_know(
    version: int, oldest: int, problem: str
) -> None:
    if not problem:
        check_schema(version, oldest, known=2)
        return
    with pytest.raises(StoreMismatched, match=problem):
        check_schema(version, oldest, known=2)


async def test_tables_of_the_first_version_get_all_that_they_lack(postgres_url: str) -> None:
    session = await open_session(postgres_url)
    today = await forms(session)
    await session.script(_FORMER)
    assert await forms(session) != today
    plan = await plan_schema(session)
    assert [step.schema for step in plan.steps] == list(range(2, VERSION + 1))
    assert plan.steps[2].text.endswith("Builds message_aged of all mail first.")
    assert await forms(session) != today
    assert await upgrade_schema(session) == (1, VERSION)
    assert await forms(session) == today
    await session.close()
    await (await open_postgres(postgres_url, ALONE)).close()


async def forms(session: DatabaseSession) -> set[tuple[str, ...]]:
    """Return all columns and indexes of the tables."""
    return {tuple(row) for row in await session.fetch(_FORMS)}


async def test_all_steps_that_are_due_are_taken_once(postgres_url: str) -> None:
    session = await open_session(postgres_url)
    newest = VERSION + 2
    assert await upgrade_schema(session, TWO_STEPS, newest) == (VERSION, newest)
    assert await upgrade_schema(session, TWO_STEPS, newest) == (newest, newest)
    [(count,)] = await session.fetch("SELECT count(a) FROM node")
    assert count == 0
    await session.close()
    with pytest.raises(StoreMismatched, match=f"install a later state of Restante {__version__}"):
        await open_postgres(postgres_url, ALONE)


async def test_a_server_of_the_former_version_starts_after_the_first_step(
    postgres_url: str,
) -> None:
    session = await open_session(postgres_url)
    await upgrade_schema(session, TWO_STEPS, VERSION + 1)
    await session.close()
    await (await open_postgres(postgres_url, ALONE)).close()


async def former_tables(session: DatabaseSession) -> None:
    """Bring the tables to the version before the index of unheld mail."""
    await session.script(
        "DROP TABLE oldest_mail, data_key;"
        " DROP INDEX message_unheld, message_suspect, message_deferred;"
        " ALTER TABLE usage DROP COLUMN removals; ALTER TABLE login DROP COLUMN turnaround_at;"
        " ALTER TABLE history DROP COLUMN origin;"
        " ALTER TABLE restante_schema DROP COLUMN program;"
        " UPDATE restante_schema SET version = 8"
    )


async def test_mail_is_held_while_an_index_of_all_mail_is_built(postgres_url: str) -> None:
    """The build waits here for a transaction, for longer than any other statement may take."""
    session = await open_session(postgres_url, patience=2.0)
    await former_tables(session)
    writer, other = await asyncpg.connect(postgres_url), await open_session(postgres_url)
    block = writer.transaction(isolation="repeatable_read")
    await block.start()
    await writer.fetch("SELECT FROM message")
    upgrade = asyncio.create_task(upgrade_schema(session))
    while not await other.fetch(_WAITS):
        assert not upgrade.done()
        await asyncio.sleep(0.01)
    await other.script("LOCK message, usage, release IN ROW EXCLUSIVE MODE NOWAIT")
    with pytest.raises(StoreUnusable, match="the database is building an index"):
        await upgrade_schema(other)
    assert not upgrade.done()
    await block.commit()
    assert await upgrade == (8, VERSION)
    [(timeout,)] = await session.fetch("SHOW lock_timeout")
    assert timeout == "8s"
    for one in (writer, other, session):
        await one.close()


async def test_an_index_whose_build_was_interrupted_is_built_again(postgres_url: str) -> None:
    session = await open_session(postgres_url)
    today = await forms(session)
    await former_tables(session)
    await session.script(
        "CREATE INDEX message_unheld ON message (size); UPDATE pg_index SET indisvalid = false"
        " WHERE indexrelid = 'message_unheld'::regclass"
    )
    assert await upgrade_schema(session) == (8, VERSION)
    assert await forms(session) == today
    assert not await session.fetch("SELECT FROM pg_index WHERE NOT indisvalid")
    await session.close()


async def test_a_step_that_fails_changes_nothing(postgres_url: str) -> None:
    session = await open_session(postgres_url)
    steps = {**TWO_STEPS, VERSION + 1: SchemaStep("DROP TABLE nothing", 1)}
    with pytest.raises(asyncpg.UndefinedTableError):
        await upgrade_schema(session, steps, VERSION + 2)
    rows = await session.fetch("SELECT version FROM restante_schema")
    assert [tuple(row) for row in rows] == [(VERSION,)]
    await session.close()


def test_an_empty_database_is_not_upgraded(postgres_cluster: PostgresCluster) -> None:
    with pytest.raises(StoreUnusable, match="the first start of a server makes one"):
        PostgresCare(postgres_cluster.url("postgres"), DatabaseAccess()).upgrade()


def test_a_database_that_is_not_there_is_named() -> None:
    with pytest.raises(StoreUnusable, match="the database cannot be opened"):
        PostgresCare("postgresql:///x?host=/nonexistent&user=x", DatabaseAccess()).upgrade()
