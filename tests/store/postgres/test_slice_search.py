"""A search in slices: complete, in order, and never long."""

import pytest

from restante.store.postgres import PostgresStore, slice_search
from restante.store.postgres.database_session import DatabaseSession, PostgresRow
from restante.store.postgres.slice_search import AskDatabase, SearchReach, search
from restante.store.store_errors import SearchTooLong

SOME = "SELECT number FROM generate_series($1::bigint, $2::bigint) AS number WHERE number % 100 = 0"


def asking(session: DatabaseSession, order: str, slow_above: int = 1 << 40) -> AskDatabase:
    """Ask for the multiples of 100; wide slices take longer than they may."""

    async def ask(first: int, last: int, limit: int) -> list[PostgresRow]:
        if last - first >= slow_above:
            await session.fetch("SELECT pg_sleep(5)")
        return await session.fetch(f"{SOME} ORDER BY number {order} LIMIT {limit}", first, last)

    return ask


@pytest.mark.parametrize("is_down", [False, True])
@pytest.mark.parametrize("slow_above", [1 << 40, 200])
async def test_all_are_found_in_order(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch, *, is_down: bool, slow_above: int
) -> None:
    monkeypatch.setattr(slice_search, "QUESTION_SECONDS", 60.0)

    async def question(session: DatabaseSession) -> SearchReach:
        ask = asking(session, "DESC" if is_down else "ASC", slow_above)
        return await search(session, (1, 1000), 5, ask, is_down=is_down)

    found = await store.core.read(question)
    numbers = [1000, 900, 800, 700, 600] if is_down else [100, 200, 300, 400, 500]
    assert ([number for (number,) in found.rows], found.last) == (numbers, None)


async def test_a_question_tells_how_far_it_came(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slice_search, "QUESTION_SECONDS", 0.0)

    async def question(session: DatabaseSession) -> SearchReach:
        return await search(session, (1, 1000), 99, asking(session, "ASC", 200))

    found = await store.core.read(question)
    assert found.last is not None
    assert 0 < found.last < 1000


async def test_a_statement_that_takes_too_long_is_ended(store: PostgresStore) -> None:
    async def question(session: DatabaseSession) -> None:
        async with slice_search.time_limit(session, 0.01):
            await session.fetch("SELECT pg_sleep(5)")

    with pytest.raises(SearchTooLong, match="name a domain or a time"):
        await store.core.read(question)
