"""A turnaround begins where the last one of its account stopped."""

from restante.delivery.turnaround_order import TriedMail, TurnPlaces, places_after
from restante.tenancy.model import AuthorizedHosts, Destination, HostedDomain

DOMAINS = [
    HostedDomain(number, f"{number}.example", "alpha", Destination("p"), AuthorizedHosts(), 0.0)
    for number in (1, 2, 3)
]


def order(places: TurnPlaces) -> list[int]:
    return [domain.id for domain in places.in_turn(DOMAINS)]


def test_the_next_one_begins_with_the_domains_tried_longest_ago_and_behind_the_last_messages() -> (
    None
):
    first = places_after(TurnPlaces(), TriedMail({1: 10, 2: 0, 3: 0}, 1, is_whole=False))
    assert order(TurnPlaces()) == [1, 2, 3]
    assert order(first) == [2, 3, 1]
    assert [first.behind(one) for one in (1, 2)] == [10, 0]
    second = places_after(first, TriedMail({2: 5, 3: 7, 1: 0}, 3, is_whole=False))
    assert order(second) == [1, 2, 3]
    assert [second.behind(one) for one in (1, 2, 3)] == [10, 5, 7]


def test_a_domain_that_was_tried_again_at_the_end_comes_last() -> None:
    after = places_after(TurnPlaces(), TriedMail({1: 12, 2: 5, 3: 0}, 1, is_whole=False))
    assert order(after) == [3, 2, 1]


def test_one_that_tried_nothing_changes_nothing() -> None:
    before = TurnPlaces({1: 1.0}, {1: 10.0})
    assert places_after(before, TriedMail({1: 0, 2: 0}, None, is_whole=False)) == before


def test_a_whole_one_forgets_the_places_of_its_domains() -> None:
    before = TurnPlaces({1: 1.0, 2: 2.0}, {1: 10.0, 2: 5.0})
    after = places_after(before, TriedMail({1: 12, 3: 0}, 1, is_whole=True))
    assert after == TurnPlaces({2: 2.0}, {2: 5.0})


def test_a_number_beyond_the_precision_of_a_float_is_never_begun_again() -> None:
    for low in range(256):
        number = (1_795_000_000_000_000 << 8) + low
        after = places_after(TurnPlaces(), TriedMail({1: number}, 1, is_whole=False))
        assert number <= after.behind(1) < number + 256
