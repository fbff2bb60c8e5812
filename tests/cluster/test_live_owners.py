"""Deliveries at the same time are found, and those of servers that were stopped are told apart."""

from tests.cluster.live_owners import FIRST_LOOK, Overlap, Stop, Taken, is_excused, overlaps


def taken(node: str, begun: float, at: float, domain: str = "d0.example") -> Taken:
    """A delivery."""
    return Taken(f"{node}-{begun}", node, domain, begun, at)


def test_deliveries_one_after_another_are_none_at_the_same_time() -> None:
    assert list(overlaps([taken("a", 0, 1), taken("b", 1, 2), taken("a", 2, 3)])) == []


def test_connections_of_one_server_may_deliver_at_the_same_time() -> None:
    assert list(overlaps([taken("a", 0, 2), taken("a", 1, 3)])) == []


def test_servers_may_deliver_different_domains_at_the_same_time() -> None:
    assert list(overlaps([taken("a", 0, 2), taken("b", 1, 3, "d1.example")])) == []


def test_two_servers_of_one_domain_at_the_same_time_are_found() -> None:
    former, latter = taken("a", 0, 2), taken("b", 1, 3)
    assert list(overlaps([latter, former])) == [Overlap(former, latter)]


def test_a_long_delivery_is_found_behind_short_ones() -> None:
    long, short, other = taken("a", 0, 9), taken("a", 1, 2), taken("b", 3, 4)
    assert list(overlaps([long, short, other])) == [Overlap(long, other)]


def test_only_a_server_that_was_stopped_is_excused() -> None:
    overlap = Overlap(taken("a", 0, 20), taken("b", 15, 16))
    assert is_excused(overlap, [Stop("a", 10, 19)])
    assert not is_excused(overlap, [Stop("b", 1, 2)])
    assert not is_excused(overlap, [Stop("a", 1, 20 - FIRST_LOOK - 0.1)])
    assert not is_excused(overlap, [])
