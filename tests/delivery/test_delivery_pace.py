"""The pace of a drain is that of its last half minute of progress."""

import pytest

from restante.delivery.delivery_pace import DeliveryPace


def paced(*moments: float) -> DeliveryPace:
    """Return the pace of an attempt that began at 0 and delivered at these times."""
    pace = DeliveryPace()
    pace.begin_attempt(0.0)
    for at in moments:
        pace.delivered(at)
    return pace


def test_nothing_has_no_pace() -> None:
    assert DeliveryPace().rate(9.0) == 0.0
    assert paced().rate(9.0) == 0.0


def test_the_wait_before_the_primary_was_back_does_not_count() -> None:
    pace = paced()
    for at in (60.0, 180.0, 300.0):
        pace.begin_attempt(at)
    for at in range(9):
        pace.delivered(300.5 + at / 2)
    assert pace.rate(306.0) == pytest.approx(1.5)


def test_only_the_last_half_minute_counts() -> None:
    pace = paced(*(at / 10 for at in range(1000)))  # ten a second for 100 s
    assert pace.rate(100.0) == pytest.approx(10.0, rel=0.05)
    assert pace.rate(115.0) == pytest.approx(5.0, rel=0.1)
    assert pace.rate(140.0) == 0.0


def test_a_first_second_is_no_exaggeration() -> None:
    assert paced(0.001).rate(0.002) == 1.0


def test_short_attempts_of_a_limited_rate_count_with_their_pauses() -> None:
    pace = paced(*(0.1 * number for number in range(10)))
    pace.begin_attempt(61.0)
    for number in range(10):
        pace.delivered(61.0 + 0.1 * number)
    assert pace.rate(100.0 - 38.0) == pytest.approx(20 / 62)
    assert pace.rate(61.0 + 31.0) == 0.0  # nothing came for half a minute


def test_a_drain_without_attempts_begins_with_its_first_message() -> None:
    pace = DeliveryPace()
    for at in (500.0, 501.0, 502.0, 503.0):
        pace.delivered(at)
    assert pace.rate(504.0) == 1.0
