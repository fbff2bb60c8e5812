"""Search rows by number in slices (`store/slice_walk`), with the time limit of the database."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from restante.store.postgres import sqlstate
from restante.store.postgres.database_session import DatabaseSession, PostgresRow
from restante.store.slice_walk import QUESTION_SECONDS, SLICE_SECONDS, RowSlice, SliceWalk

SEARCH_SECONDS: Final = 5.0  # the longest search by sender, Message-ID or pattern

AskDatabase = Callable[[int, int, int], Awaitable[list[PostgresRow]]]
"""Read at most so many matching rows from one number to another, both included."""


class SearchReach(NamedTuple):
    """The rows of a question, and the last number that it looked at; None: it looked at all."""

    rows: list[PostgresRow]
    last: int | None


@asynccontextmanager
async def time_limit(session: DatabaseSession, seconds: float) -> AsyncIterator[None]:
    """Have the database end each statement of the block after so long."""
    async with session.transaction("READ ONLY"):
        await session.fetch(
            "SELECT set_config('statement_timeout', $1, true)", str(round(seconds * 1000))
        )
        yield


async def search(
    session: DatabaseSession,
    bounds: tuple[int, int],
    limit: int,
    ask: AskDatabase,
    *,
    is_down: bool = False,
) -> SearchReach:
    """Search between two numbers, both included: upwards, or downwards."""
    rows: list[PostgresRow] = []
    walk = SliceWalk(*bounds, limit, time.monotonic() + QUESTION_SECONDS, is_down)
    while (part := walk.next_slice()) is not None:
        found = await _read(session, part, ask)
        if found is None:
            walk.give_up()
        else:
            rows += found
            walk.go_on(len(found), time.monotonic())
    return SearchReach(rows, walk.last_read)


async def _read(
    session: DatabaseSession, part: RowSlice, ask: AskDatabase
) -> list[PostgresRow] | None:
    """Return the matching rows of a slice, None if it is too wide."""
    if part.is_one_row:
        return await ask(*part)
    try:
        async with time_limit(session, SLICE_SECONDS):
            return await ask(*part)
    except Exception as error:
        if sqlstate.is_timeout(error):
            return None
        raise
