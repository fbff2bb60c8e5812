"""The number of connections of a drain. A path maps connections to messages per second."""

from collections.abc import Callable

import pytest

from restante.delivery.connection_ramp import FREELY, MANY, ConnectionRamp, connections_needed

Road = Callable[[int], float]


def wanted_after(road: Road, seconds: float, most: int = 20) -> int:
    """Send over a path for some time; new connections are open at once."""
    ramp, now = ConnectionRamp(most), 0.0
    while now < seconds:
        now += 1 / road(ramp.wanted)
        ramp.deliver(ramp.wanted, now)
    return ramp.wanted


def long_road(connections: int) -> float:
    """Each connection waits for a round trip of 100 ms for every message."""
    return 10.0 * connections


def busy_destination(_: int) -> float:
    """However many, it takes so much."""
    return 1500.0


def test_on_a_long_road_all_are_made() -> None:
    assert wanted_after(long_road, 10) == 20


def test_where_more_carry_no_more_few_are_made() -> None:
    """Twice as many as are made freely: that they carry no more has to be seen."""
    assert wanted_after(busy_destination, 60) == 2 * FREELY


def test_they_stop_growing_where_the_destination_is_full() -> None:
    assert wanted_after(lambda connections: min(10.0 * connections, 100.0), 60, most=64) == 16


def test_the_first_few_are_made_as_soon_as_one_message_got_through() -> None:
    ramp = ConnectionRamp(20)
    assert ramp.wanted == 1
    assert ramp.deliver(1, 0.0)
    assert ramp.wanted == FREELY


def test_each_step_is_judged_by_two_bursts_of_each_connection() -> None:
    """Pipelined messages get replies in bursts: one burst alone says nothing."""
    ramp = ConnectionRamp(20)
    ramp.deliver(1, 0.0)
    steps = [ramp.deliver(FREELY, float(second // 64), together=64) for second in range(1000)]
    assert steps.index(True) == 2 * 64 * FREELY - 1


def test_there_are_never_more_than_the_destination_allows() -> None:
    assert wanted_after(long_road, 60, most=3) == 3


def test_connections_on_their_way_prove_nothing() -> None:
    ramp = ConnectionRamp(20)
    ramp.deliver(1, 0.0)
    assert not any(ramp.deliver(1, 0.0) for _ in range(100))


def test_after_a_loss_it_takes_a_while_until_another_is_tried() -> None:
    ramp = ConnectionRamp(20)
    ramp.deliver(1, 0.0)
    ramp.lose(3)
    tries = 0
    while not ramp.deliver(3, 0.0):
        tries += 1
    assert tries == 500 + 3 - 1


def test_it_is_settled_where_no_message_can_change_it() -> None:
    ramp = ConnectionRamp(2)
    states = [ramp.is_settled]
    assert ramp.deliver(1, 0.0)
    states.append(ramp.is_settled)  # there are as many as may be
    ramp.lose(left=1)
    assert [*states, ramp.is_settled] == [False, True, False]


@pytest.mark.parametrize(
    ("round_trip", "window", "needed"),
    [
        (0.1, 0.107, 16),  # idle for most of the time
        (0.02, 0.025, 5),
        (0.1, 0.2, 2),
        (0.1, 1.5, 2),  # slow itself
        (0.001, 0.005, 2),
        (0.1, 0.1, MANY),  # too quick to be measured
        (0.1, 0.09, MANY),
    ],
)
def test_as_many_are_needed_as_keep_the_destination_busy(
    round_trip: float, window: float, needed: int
) -> None:
    assert connections_needed(round_trip, window) == needed


def test_as_many_as_are_needed_are_wanted_together_and_once() -> None:
    ramp = ConnectionRamp(20)
    assert ramp.need(12)
    assert ramp.wanted == 12
    assert not ramp.need(15)
    assert ramp.wanted == 12


def test_fewer_than_there_are_change_nothing() -> None:
    ramp = ConnectionRamp(20, 8)
    assert not ramp.need(3)
    assert ramp.wanted == 8


@pytest.mark.parametrize(("most", "at_once", "wanted"), [(20, None, 20), (7, None, 7), (20, 6, 6)])
def test_no_more_are_made_together_than_are_allowed_or_were_taken_lately(
    most: int, at_once: int | None, wanted: int
) -> None:
    ramp = ConnectionRamp(most, at_once=at_once)
    assert ramp.need(MANY)
    assert ramp.wanted == wanted


def test_after_a_loss_none_are_made_together() -> None:
    ramp = ConnectionRamp(20)
    ramp.lose(3)
    assert not ramp.need(MANY)
    assert ramp.wanted == 3
