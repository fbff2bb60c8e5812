"""Search rows by number in slices (`store/slice_walk`), with a time limit of the connection."""

import time
from collections.abc import Callable
from typing import NamedTuple

import apsw

from restante.store.slice_walk import QUESTION_SECONDS, SLICE_SECONDS, RowSlice, SliceWalk
from restante.store.sqlite import engine
from restante.store.store_errors import SearchTooLong
from restante.store.stored_form.row_type import Row

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
    rows: list[Row] = []
    walk = SliceWalk(*bounds, limit, time.monotonic() + QUESTION_SECONDS, is_down)
    while (part := walk.next_slice()) is not None:
        found = _read(connection, part, ask)
        if found is None:
            walk.give_up()
        else:
            rows += found
            walk.go_on(len(found), time.monotonic())
    return SearchedRows(rows, walk.last_read)


def _read(connection: apsw.Connection, part: RowSlice, ask: AskConnection) -> list[Row] | None:
    """Return the matching rows of a slice, None if it is too wide."""
    if part.is_one_row:
        return ask(*part)
    try:
        with engine.time_limit(connection, SLICE_SECONDS):
            return ask(*part)
    except SearchTooLong:
        return None
