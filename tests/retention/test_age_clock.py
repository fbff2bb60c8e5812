"""The clock for ages: no leap of the wall clock makes anything old before the wait is over."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.retention.age_clock import LEAP_SECONDS, WAIT_SECONDS, AgeClock
from restante.tenancy.policy import DAY

START = 1_700_000_000.0
YEAR = 365 * DAY


class Machine:
    """A machine whose wall clock can be set."""

    def __init__(self, known_at: float | None = START, *, wall: float = START) -> None:
        self.wall = wall
        self.monotonic = 5.0
        self.ages = AgeClock(known_at, lambda: self.wall, lambda: self.monotonic)

    def run(self, seconds: float, *, steps: int = 1) -> None:
        for _ in range(steps):
            self.wall += seconds / steps
            self.monotonic += seconds / steps
            self.ages.now()


def test_without_a_known_time_any_clock_is_believed() -> None:
    machine = Machine(None, wall=START + 10 * YEAR)
    assert machine.ages.doubt() is None
    assert machine.ages.now() == machine.wall


@pytest.mark.parametrize("pause", [0.0, 3600.0, LEAP_SECONDS])
def test_a_start_after_a_short_pause_is_no_leap(pause: float) -> None:
    machine = Machine(wall=START + pause)
    machine.run(3 * DAY, steps=100)
    assert machine.ages.doubt() is None
    assert machine.ages.now() == machine.wall


@pytest.mark.parametrize("pause", [2 * DAY, 40 * DAY, 10 * YEAR])
def test_a_start_far_ahead_is_believed_after_the_wait(pause: float) -> None:
    machine = Machine(wall=START + pause)
    doubt = machine.ages.doubt()
    assert doubt is not None
    assert (doubt.leap, doubt.trusted_from) == (pause, machine.wall + WAIT_SECONDS)
    machine.run(WAIT_SECONDS - 1, steps=50)
    assert machine.ages.now() == START + WAIT_SECONDS - 1
    assert machine.ages.newest_trusted() == START
    machine.run(1)
    assert machine.ages.doubt() is None
    assert machine.ages.now() == machine.wall
    assert machine.ages.newest_trusted() == machine.wall


def test_a_clock_that_is_set_right_is_believed_at_once() -> None:
    machine = Machine(wall=START + 10 * YEAR)
    machine.run(600)
    assert machine.ages.doubt() is not None
    machine.wall -= 10 * YEAR
    assert machine.ages.doubt() is None
    assert machine.ages.now() == START + 600


def test_another_leap_begins_another_wait() -> None:
    machine = Machine(wall=START + YEAR)
    machine.run(WAIT_SECONDS - 60)
    machine.wall += YEAR
    machine.run(WAIT_SECONDS - 60)
    assert machine.ages.doubt() is not None
    machine.run(60)
    assert machine.ages.doubt() is not None, "nobody looked at the moment of the second leap"
    machine.run(WAIT_SECONDS)
    assert machine.ages.doubt() is None


def test_a_clock_that_is_behind_makes_nothing_older_and_is_in_doubt() -> None:
    machine = Machine(wall=START - 5 * YEAR)
    doubt = machine.ages.doubt()
    assert doubt is not None
    assert doubt.leap == -5 * YEAR
    assert machine.ages.now() == machine.wall


steps = st.tuples(st.floats(1, 5 * DAY), st.one_of(st.just(0.0), st.floats(-20 * YEAR, 20 * YEAR)))


@given(st.floats(-20 * YEAR, 20 * YEAR), st.lists(steps, max_size=12))
def test_whatever_the_clock_is_set_to_ages_follow_it_after_the_wait_only(
    at_start: float, story: Sequence[tuple[float, float]]
) -> None:
    machine = Machine(wall=START + at_start)
    trusted_offset, offset, even_since = 0.0, at_start, machine.monotonic
    machine.ages.now()
    for seconds, set_by in story:
        machine.wall += set_by
        offset += set_by
        if abs(set_by) > LEAP_SECONDS:
            even_since = machine.monotonic
        machine.ages.now()
        machine.run(seconds)
        ages, expected = machine.ages.now(), START + trusted_offset + machine.monotonic - 5.0
        assert ages <= machine.wall
        if machine.monotonic - even_since < WAIT_SECONDS:
            assert ages <= expected + LEAP_SECONDS + 1
        if machine.ages.doubt() is None:
            trusted_offset = offset
