"""Sessions: as many as there may be, in order, and replaced when they are lost."""

import asyncio
from collections.abc import Iterator
from functools import partial

import asyncpg
import pytest

from restante.store.postgres.database_session import open_session
from restante.store.postgres.lanes import Lane


@pytest.fixture
def lane(postgres_url: str, runner: asyncio.Runner) -> Iterator[Lane]:
    """A lane with one session."""
    lane = Lane(partial(open_session, postgres_url), 1)
    yield lane
    runner.run(lane.close())


async def process(lane: Lane) -> int:
    """Return the process of the database that serves the next one."""
    async with lane.session() as session:
        [(number,)] = await session.fetch("SELECT pg_backend_pid()")
    return int(number)


async def test_a_session_is_used_again(lane: Lane) -> None:
    assert await process(lane) == await process(lane)


async def test_others_wait_in_their_order(lane: Lane) -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        async with lane.session() as session:
            await session.fetch("SELECT 1")
            done.append(number)

    await asyncio.gather(*map(work, range(5)))
    assert done == [0, 1, 2, 3, 4]


async def test_nobody_works_while_it_is_quiet(lane: Lane) -> None:
    async with lane.quiet():
        waiting = asyncio.create_task(process(lane))
        await asyncio.wait([waiting], timeout=0.05)
        assert not waiting.done()
    await waiting


async def test_a_session_that_was_lost_is_replaced(lane: Lane) -> None:
    first = await process(lane)
    async with lane.session() as session:
        session.abort()
    assert await process(lane) != first


async def test_a_session_that_is_left_in_a_transaction_is_not_used_again(lane: Lane) -> None:
    first = await process(lane)
    async with lane.session() as session:
        await session._command("BEGIN")
    assert await process(lane) != first


async def test_a_session_that_says_it_takes_no_changes_is_not_used_again(lane: Lane) -> None:
    first = await process(lane)
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with lane.session():
            raise asyncpg.ReadOnlySQLTransactionError("in a test")
    assert await process(lane) != first


async def test_sessions_are_replaced_at_a_renewal_idle_or_at_work(lane: Lane) -> None:
    first = await process(lane)
    lane.renew()
    second = await process(lane)
    async with lane.session() as session:
        lane.renew()
        assert await session.fetch("SELECT 1") == [(1,)]
    assert len({first, second, await process(lane)}) == 3
