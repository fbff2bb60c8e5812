"""A turnaround begins where the last one of its account stopped."""

import pytest

from restante.delivery import turnaround_order
from restante.delivery.turnaround_order import TurnaroundOrder
from restante.tenancy.model import AuthorizedHosts, Destination, HostedDomain

DOMAINS = [
    HostedDomain(number, f"{number}.example", "alpha", Destination("p"), AuthorizedHosts(), 0.0)
    for number in (1, 2, 3)
]


def order(places: TurnaroundOrder, account: str = "alpha") -> list[int]:
    return [domain.id for domain in places.in_turn(account, DOMAINS)]


def test_the_next_one_begins_behind_the_last_domain_and_the_last_messages() -> None:
    places = TurnaroundOrder()
    assert order(places) == [1, 2, 3]
    assert places.behind(1) == 0
    places.ended("alpha", 1, {1: 10, 2: 0}, is_whole=False)
    assert order(places) == [2, 3, 1]
    assert order(places, "beta") == [1, 2, 3]
    assert (places.behind(1), places.behind(2)) == (10, 0)
    places.ended("alpha", 3, {3: 7}, is_whole=False)
    assert order(places) == [1, 2, 3]
    assert places.behind(1) == 10


def test_one_that_tried_nothing_changes_nothing() -> None:
    places = TurnaroundOrder()
    places.ended("alpha", 1, {1: 10}, is_whole=False)
    places.ended("alpha", None, {1: 0, 2: 0}, is_whole=False)
    assert order(places) == [2, 3, 1]
    assert places.behind(1) == 10


def test_a_whole_one_is_forgotten() -> None:
    places = TurnaroundOrder()
    places.ended("alpha", 1, {1: 10, 2: 5}, is_whole=False)
    places.ended("alpha", 1, {1: 12}, is_whole=True)
    assert order(places) == [1, 2, 3]
    assert (places.behind(1), places.behind(2)) == (0, 5)


def test_a_domain_that_has_left_is_passed_over() -> None:
    places = TurnaroundOrder()
    places.ended("alpha", 9, {9: 10}, is_whole=False)
    assert order(places) == [1, 2, 3]


def test_the_places_unused_for_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnaround_order, "MOST_PLACES", 2)
    places = TurnaroundOrder()
    for domain_id in (1, 2, 1, 3):
        places.ended(f"account {domain_id}", domain_id, {domain_id: 4}, is_whole=False)
    assert [places.behind(domain_id) for domain_id in (1, 2, 3)] == [4, 0, 4]
    assert order(places, "account 2") == [1, 2, 3]
    assert order(places, "account 1") == [2, 3, 1]
