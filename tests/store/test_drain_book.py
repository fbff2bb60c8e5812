"""The drains on record: numbers that fence, requests to an owner, and unclaimed drains."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.store.drain_book import (
    DrainBook,
    DrainRecord,
    asked_of,
    open_drains,
    unclaimed,
)
from restante.store.handover_store import Drain, DrainRequests, JoinedDrain
from restante.store.store_errors import LeaseLost


def opened(book: DrainBook, domain_id: int = 1) -> Drain:
    """Open a drain where there is none."""
    drain = book.open(domain_id, 0.0, 60.0)
    assert isinstance(drain, Drain)
    return drain


@pytest.mark.parametrize(("deadline", "later"), [(50.0, 60.0), (60.0, 60.0), (90.0, 90.0)])
def test_a_request_joins_the_open_drain_with_the_later_deadline(
    deadline: float, later: float
) -> None:
    book = DrainBook()
    opened(book)
    book.ask_stop(1, "no more")
    joined = book.open(1, 5.0, deadline)
    assert joined == JoinedDrain(Drain(1, 1, 0.0, later), 1)
    assert book.records[1] == DrainRecord(joined.drain, times=1, stop="")


def test_a_drain_taken_over_is_not_in_force_for_its_earlier_owner() -> None:
    book = DrainBook()
    first = opened(book)
    book.open(1, 5.0, 60.0)
    book.ask_stop(1, "no more")
    taken = book.take_over(first)
    assert taken == Drain(1, 2, 0.0, 60.0)
    assert book.records[1] == DrainRecord(taken, times=0, stop="no more")
    assert book.take_over(first) is None
    with pytest.raises(LeaseLost, match="drain 1 of domain 1"):
        book.check(first)
    book.check(taken)


def test_nobody_is_asked_to_stop_what_is_not_open() -> None:
    book = DrainBook()
    assert not book.ask_stop(1, "no more")
    book.close(opened(book))
    assert not book.ask_stop(1, "no more")


def test_a_domain_that_was_forgotten_begins_anew() -> None:
    book = DrainBook()
    opened(book)
    book.forget(1)
    book.forget(1)
    assert book.records == {}
    assert opened(book).number == 1


def test_numbers_go_on_where_a_store_left_them() -> None:
    assert opened(DrainBook({1: 41}), 1).number == 42


def test_an_open_drain_with_another_number_is_unclaimed() -> None:
    book = DrainBook()
    one, two, three = (opened(book, number) for number in (3, 2, 1))
    book.take_over(two)
    assert unclaimed(book.records, [one, two]) == [three, book.records[2].drain]
    assert [drain.domain_id for drain in open_drains(book.records)] == [1, 2, 3]


def test_an_owner_is_told_of_requests_and_losses_and_of_nothing_else() -> None:
    book = DrainBook()
    quiet, joined, stopped, lost = (opened(book, number) for number in (1, 2, 3, 4))
    book.open(2, 5.0, 90.0)
    book.ask_stop(3, "no more")
    book.take_over(lost)
    gone = Drain(9, 1, 0.0, 60.0)
    assert asked_of(book.records, [quiet, joined, stopped, lost, gone]) == [
        DrainRequests(2, 1, 90.0, ""),
        DrainRequests(3, 0, 60.0, "no more"),
        DrainRequests(4, 0, 60.0, "", is_lost=True),
        DrainRequests(9, 0, 60.0, "", is_lost=True),
    ]


@given(steps=st.lists(st.sampled_from(["open", "take over", "close"]), max_size=20))
def test_a_number_never_comes_back_and_one_owner_at_most_is_in_force(steps: list[str]) -> None:
    book = DrainBook()
    seen: list[Drain] = []
    for step in steps:
        record = book.records.get(1)
        if step == "open":
            answer = book.open(1, 0.0, 60.0)
            seen += [answer] if isinstance(answer, Drain) else []
        elif record is not None and step == "take over":
            taken = book.take_over(record.drain)
            assert taken is not None
            seen.append(taken)
        elif record is not None:
            assert book.close(record.drain) > record.drain.number
        assert sum(book.is_in_force(drain) for drain in seen) == (1 in book.records)
    numbers = [drain.number for drain in seen]
    assert numbers == sorted(set(numbers))
