"""Records that two processes add at once: the second is told, and overwrites nothing."""

import asyncio
from collections.abc import Awaitable

import asyncpg
import pytest

from restante.store.postgres import PostgresStore
from restante.store.record_store import ABSENT
from restante.store.store_errors import Conflict, Overtaken
from tests.contract.making import NOTED, account, login
from tests.store.postgres.waiting import when_one_waits


async def refuse_behind(url: str, statement: str, adding: Awaitable[None]) -> None:
    """Add while another process, which has added the same, has not committed yet."""
    another = await asyncpg.connect(url)
    block = another.transaction()
    await block.start()
    await another.execute(statement)
    task = asyncio.ensure_future(adding)
    await when_one_waits(another)
    await block.commit()
    with pytest.raises(Conflict, match="is there already"):
        await task
    await another.close()


async def test_an_account_that_another_process_adds_is_not_overwritten(
    store: PostgresStore, postgres_url: str
) -> None:
    statement = """
        INSERT INTO account (name, created_at, empty_reply, note, quota, report_details, history,
            change_lock)
        SELECT 'beta', created_at, empty_reply, 'theirs', quota, report_details, history,
            change_lock FROM account
    """
    await store.records.put_account(account(), NOTED)
    await refuse_behind(postgres_url, statement, store.records.put_account(account("beta"), NOTED))
    assert (await store.records.directory()).accounts["beta"].note == "theirs"


async def test_a_login_that_another_process_adds_is_not_overwritten(
    store: PostgresStore, postgres_url: str
) -> None:
    statement = """
        INSERT INTO login ("user", account, password_hash, created_at)
        VALUES ('alice', 'alpha', 'theirs', 1)
    """
    await store.records.put_account(account(), NOTED)
    await refuse_behind(postgres_url, statement, store.records.put_login(login(), NOTED))
    [(kept,)] = await store.core.fetch("SELECT password_hash FROM login")
    assert kept == "theirs"


async def test_an_addition_waits_for_all_changes_of_records(
    store: PostgresStore, postgres_url: str
) -> None:
    """There is no row of its own that it could wait for, so it is told that it was overtaken."""
    await store.records.put_account(account(), NOTED)
    another = await asyncpg.connect(postgres_url)
    block = another.transaction()
    await block.start()
    await another.execute("UPDATE counter SET value = value + 1 WHERE name = 'change-number'")
    await another.execute("UPDATE account SET name = 'beta'")
    adding = asyncio.ensure_future(store.records.put_account(account("beta"), NOTED, ABSENT))
    await when_one_waits(another)
    await block.commit()
    with pytest.raises(Overtaken):
        await adding
    await another.close()
