"""Search rows by number in slices, so that one question never occupies a reader for long.

A filter that matches little would walk through all rows. So a search has a fixed time, and says how
far it came: the next question goes on there. The first slice is everything, which is enough for
most questions. A slice that takes too long is given up, and a narrower one is tried. A slice of one
row has no limit, so each question comes further.
"""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

import apsw

from restante.store.sqlite import engine
from restante.store.store_errors import SearchTooLong
from restante.store.stored_form.row_type import Row

SLICE_SECONDS: Final = 0.015
QUESTION_SECONDS: Final = 0.05  # about: a slice that has begun is finished
_NARROWER: Final = 16
_WIDER: Final = 4

AskConnection = Callable[[int, int, int], list[Row]]
"""Read at most so many matching rows from one number to another, both included.

In the direction of the search."""


class SearchedRows(NamedTuple):
    """The rows of a question, and the last number that it looked at; None: it looked at all."""

    rows: list[Row]
    last: int | None


def search_within_reach(
    connection: apsw.Connection,
    bounds: tuple[int, int],
    limit: int,
    ask: AskConnection,
    *,
    is_down: bool = False,
) -> SearchedRows:
    """Search between two numbers, both included: upwards, or downwards."""
    first, last = bounds
    ends_at = time.monotonic() + QUESTION_SECONDS
    rows: list[Row] = []
    width = last - first + 1
    while first <= last and len(rows) < limit:
        width = min(width, last - first + 1)
        begin = last - width + 1 if is_down else first
        found = _slice(connection, begin, width, limit - len(rows), ask)
        if found is None:
            width = max(1, width // _NARROWER)
            continue
        rows += found
        first, last = (first, begin - 1) if is_down else (begin + width, last)
        if time.monotonic() >= ends_at and first <= last and len(rows) < limit:
            return SearchedRows(rows, begin if is_down else first - 1)
        width *= _WIDER
    return SearchedRows(rows, None)


def _slice(
    connection: apsw.Connection, first: int, size: int, limit: int, ask: AskConnection
) -> list[Row] | None:
    """Return the matching rows of a slice, None if it is too wide."""
    if size == 1:
        return ask(first, first, limit)
    try:
        with engine.time_limit(connection, SLICE_SECONDS):
            return ask(first, first + size - 1, limit)
    except SearchTooLong:
        return None
