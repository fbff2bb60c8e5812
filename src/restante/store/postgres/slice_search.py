"""Search rows by number in slices, so that one question never occupies a session for long.

The same way as the store on SQLite has (`sqlite/bounded_search`), with the time limit of the
database. A search has a fixed time, and says how far it came.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from restante.store.postgres import sqlstate
from restante.store.postgres.database_session import DatabaseSession, PostgresRow

SEARCH_SECONDS: Final = 5.0  # the longest search by sender, Message-ID or pattern
SLICE_SECONDS: Final = 0.015
QUESTION_SECONDS: Final = 0.05  # about: a slice that has begun is finished
_NARROWER: Final = 16
_WIDER: Final = 4

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
    first, last = bounds
    ends_at = time.monotonic() + QUESTION_SECONDS
    rows: list[PostgresRow] = []
    width = last - first + 1
    while first <= last and len(rows) < limit:
        width = min(width, last - first + 1)
        begin = last - width + 1 if is_down else first
        found = await _slice(session, begin, width, limit - len(rows), ask)
        if found is None:
            width = max(1, width // _NARROWER)
            continue
        rows += found
        first, last = (first, begin - 1) if is_down else (begin + width, last)
        if time.monotonic() >= ends_at and first <= last and len(rows) < limit:
            return SearchReach(rows, begin if is_down else first - 1)
        width *= _WIDER
    return SearchReach(rows, None)


async def _slice(
    session: DatabaseSession, first: int, size: int, limit: int, ask: AskDatabase
) -> list[PostgresRow] | None:
    """Return the matching rows of a slice, None if it is too wide."""
    if size == 1:
        return await ask(first, first, limit)
    try:
        async with time_limit(session, SLICE_SECONDS):
            return await ask(first, first + size - 1, limit)
    except Exception as error:
        if sqlstate.is_timeout(error):
            return None
        raise
