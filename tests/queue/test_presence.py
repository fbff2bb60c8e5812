"""When a destination counts as there, and when it is looked at again."""

import pytest

from restante.queue.presence import DestinationPresence, DestinationState
from restante.queue.retry_schedule import Schedule

SCHEDULE = Schedule(first_retry=10.0, longest_retry=100.0)


def after(marks: str) -> DestinationPresence:
    presence = DestinationPresence()
    for mark in marks:
        presence = presence.after(is_good=mark == "+")
    return presence


@pytest.mark.parametrize(
    ("probes", "seen"),
    [
        ("", DestinationState.UNKNOWN),
        ("+", DestinationState.UNKNOWN),
        ("++", DestinationState.UP),
        ("-", DestinationState.UNKNOWN),
        ("--", DestinationState.AWAY),
        ("+-+-+-", DestinationState.UNKNOWN),
        ("++-", DestinationState.UP),
        ("++-+-+", DestinationState.UP),
        ("++--", DestinationState.AWAY),
        ("--+", DestinationState.AWAY),
        ("--+-+-", DestinationState.AWAY),
        ("--++", DestinationState.UP),
    ],
)
def test_two_of_a_kind_decide(probes: str, seen: DestinationState) -> None:
    assert after(probes).seen is seen


@pytest.mark.parametrize(
    ("probes", "pause"),
    [
        ("", 10),
        ("+", 10),
        ("-", 10),
        ("++", 40),
        ("+++++++", 40),
        ("++-", 10),
        ("--", 10),
        ("---", 20),
        ("------", 100),
        ("-" * 2000, 100),
        ("-----+", 10),
    ],
)
def test_pauses_grow_while_it_is_away_and_are_short_in_doubt(probes: str, pause: int) -> None:
    assert after(probes).next_probe(SCHEDULE, 1000.0, 0.5) == 1000.0 + pause


def test_those_that_went_away_together_are_not_looked_at_together() -> None:
    times = {after("--").next_probe(SCHEDULE, 0.0, jitter) for jitter in (0.0, 0.5, 0.999)}
    assert len(times) == 3
    assert min(times) == 7.5
    assert max(times) < 12.5
