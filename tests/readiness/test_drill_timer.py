"""The time of the next drill, the age of a proof, and whose turn it is."""

from collections import Counter

import pytest

from restante.readiness.drill_facts import NO_DRILL, DrillFacts
from restante.readiness.drill_timer import (
    AGAIN_SECONDS,
    EARLIEST,
    FIRST_SECONDS,
    DrillObstacles,
    DueDrill,
    age_step,
    fair_choice,
    may_drill,
    next_drill,
)

DAY = 86_400.0
NOW = 20_000 * DAY
MONTH = 30 * DAY


def test_without_a_timer_there_is_no_next_drill() -> None:
    assert next_drill("a.example", None, DrillFacts(NOW, 1.0, timed_since=NOW)) is None
    assert next_drill("a.example", MONTH, NO_DRILL) is None  # nobody has seen the timer yet


@pytest.mark.parametrize("every", [DAY, MONTH])
def test_the_first_drills_of_many_domains_are_spread(every: float) -> None:
    facts, width = DrillFacts(timed_since=NOW), min(every, FIRST_SECONDS)
    times = [next_drill(f"d{number}.example", every, facts) for number in range(10_000)]
    parts = Counter(int((at - NOW) / width * 100) for at in times if at is not None)
    assert set(parts) == set(range(100))
    assert max(parts.values()) < 200  # of 100 in the mean


def test_domains_that_were_drilled_together_drift_apart() -> None:
    facts = DrillFacts(NOW, 1.0, timed_since=NOW - MONTH)
    times = {next_drill(f"d{number}.example", MONTH, facts) for number in range(100)}
    assert len(times) == 100
    assert all(at and EARLIEST * MONTH <= at - NOW <= MONTH for at in times)


def test_a_drill_that_failed_is_made_again_after_a_day() -> None:
    failed = DrillFacts(NOW - MONTH, 1.0, NOW, timed_since=NOW - MONTH)
    at = next_drill("a.example", MONTH, failed)
    assert at is not None
    assert EARLIEST * AGAIN_SECONDS <= at - NOW <= AGAIN_SECONDS


def test_a_timer_that_is_set_long_after_the_last_drill_is_spread_too() -> None:
    facts = DrillFacts(NOW - 300 * DAY, 1.0, timed_since=NOW)
    at = next_drill("a.example", MONTH, facts)
    assert at is not None
    assert NOW <= at <= NOW + FIRST_SECONDS


@pytest.mark.parametrize(
    ("every", "passed_days", "timed_days", "step"),
    [
        (None, None, None, 0),
        (None, 89, None, 0),
        (None, 91, None, 1),
        (None, 200, None, 2),
        (None, 365, None, 4),
        (MONTH, None, 59, 0),
        (MONTH, None, 61, 1),
        (MONTH, 61, 90, 1),
        (MONTH, 300, 10, 0),  # the timer is new
        (MONTH, 10, 300, 0),
        (MONTH, 250, 300, 4),
        (DAY, 2.5, 30, 1),
    ],
)
def test_a_proof_is_old_after_a_limit_and_each_time_that_doubles(
    every: float | None, passed_days: float | None, timed_days: float | None, step: int
) -> None:
    passed, timed = (
        None if days is None else NOW - days * DAY for days in (passed_days, timed_days)
    )
    assert age_step(every, DrillFacts(passed, 1.0, timed_since=timed), NOW) == step


@pytest.mark.parametrize(
    "obstacle",
    [
        {"is_suspended": True},
        {"is_reachable": False},
        {"awaits_proof": True},
        {"is_draining": True},
        {"has_failed_drain": True},
        {"is_down": True},
    ],
)
def test_each_obstacle_keeps_the_timer_from_drilling(obstacle: dict[str, bool]) -> None:
    assert may_drill(DrillObstacles())
    assert not may_drill(DrillObstacles(**obstacle))


def test_accounts_take_turns_and_the_longest_due_are_first() -> None:
    due = [DueDrill(number, "many", NOW - 100 + number) for number in range(50)]
    due += [DueDrill(100, "one", NOW), DueDrill(101, "two", NOW - 200)]
    assert [one.domain_id for one in fair_choice(due, 5)] == [101, 0, 100, 1, 2]
