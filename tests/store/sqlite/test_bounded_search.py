"""A search of a fixed time says how far it came, and finds everything in the end, once."""

from collections.abc import Iterator
from contextlib import closing

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restante.store.sqlite import bounded_search
from restante.store.sqlite.bounded_search import AskConnection, search_within_reach
from restante.store.store_errors import SearchTooLong
from restante.store.stored_form.row_type import Row


@pytest.fixture(scope="module")
def connection() -> Iterator[apsw.Connection]:
    with closing(apsw.Connection(":memory:")) as connection:
        yield connection


@pytest.fixture
def out_of_time() -> Iterator[None]:
    """Each question has used its time after its first slice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounded_search, "QUESTION_SECONDS", 0.0)
        yield


def asking(numbers: set[int], widest: int, *, is_down: bool) -> AskConnection:
    """A question about some numbers, which takes too long for wider slices."""

    def ask(first: int, last: int, limit: int) -> list[Row]:
        if last - first + 1 > widest:
            raise SearchTooLong
        found = sorted(numbers & set(range(first, last + 1)), reverse=is_down)
        return [(number,) for number in found[:limit]]

    return ask


@pytest.mark.usefixtures("out_of_time")
@settings(max_examples=200)
@given(
    numbers=st.sets(st.integers(1, 300)),
    widest=st.integers(1, 400),
    limit=st.integers(1, 20),
    is_down=st.booleans(),
)
def test_one_question_after_the_other_finds_each_row_once_and_in_order(
    connection: apsw.Connection, numbers: set[int], widest: int, limit: int, *, is_down: bool
) -> None:
    ask = asking(numbers, widest, is_down=is_down)
    first, last, found, questions = 1, 300, [], 0
    while True:
        rows, reached = search_within_reach(connection, (first, last), limit, ask, is_down=is_down)
        found += [number for (number,) in rows]
        questions += 1
        if len(rows) == limit:
            reached = found[-1]
        if reached is None:
            break
        first, last = (first, reached - 1) if is_down else (reached + 1, last)
    assert found == sorted(numbers, reverse=is_down)
    assert questions <= 301


def test_a_question_that_is_quick_has_one_slice(connection: apsw.Connection) -> None:
    asked = []

    def ask(first: int, last: int, limit: int) -> list[Row]:
        asked.append((first, last, limit))
        return [(3,)]

    assert search_within_reach(connection, (1, 10**12), 5, ask) == ([(3,)], None)
    assert asked == [(1, 10**12, 5)]


def test_nothing_is_asked_where_the_bounds_leave_nothing(connection: apsw.Connection) -> None:
    def ask(*_given: int) -> list[Row]:
        raise AssertionError

    assert search_within_reach(connection, (5, 4), 5, ask) == ([], None)


def test_a_statement_that_walks_too_far_is_ended_and_a_narrower_one_made(
    connection: apsw.Connection,
) -> None:
    numbers = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
    endless = f"{numbers} SELECT max(x) FROM n"

    def ask(first: int, last: int, _limit: int) -> list[Row]:
        return connection.execute(endless).fetchall() if last > 20 else [(first,)]

    rows, reached = search_within_reach(connection, (1, 100), 1, ask)
    assert (rows, reached) == ([(1,)], None)
