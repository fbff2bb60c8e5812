"""The pauses of a drain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.queue.retry_schedule import Schedule, next_attempt

SCHEDULE = Schedule(first_retry=5.0, longest_retry=300.0)


def test_pauses_double_up_to_the_longest() -> None:
    times = [next_attempt(SCHEDULE, failures, 1000.0, 10**9, 0.5) for failures in range(1, 10)]
    assert times == [1005, 1010, 1020, 1040, 1080, 1160, 1300, 1300, 1300]


@pytest.mark.parametrize(("jitter", "pause"), [(0.0, 3.75), (0.5, 5.0), (1.0, 6.25)])
def test_jitter_spreads_a_pause_to_both_sides(jitter: float, pause: float) -> None:
    assert next_attempt(SCHEDULE, 1, 0.0, 100.0, jitter) == pause


def test_patience_ends_before_a_pause_that_would_pass_the_deadline() -> None:
    assert next_attempt(SCHEDULE, 1, 1000.0, 1005.0, 0.5) == 1005
    assert next_attempt(SCHEDULE, 1, 1000.0, 1004.9, 0.5) is None
    assert next_attempt(SCHEDULE, 1, 1000.0, 0.0, 0.5) is None


@given(
    st.integers(min_value=0, max_value=10**6), st.floats(min_value=0, max_value=1, exclude_max=True)
)
def test_no_number_of_failures_is_too_many(failures: int, jitter: float) -> None:
    at = next_attempt(SCHEDULE, failures, 0.0, 1e9, jitter)
    assert at is not None
    assert 0 < at <= 375
