"""The uptime of a destination, from its changes."""

import pytest

from restante.queue.presence import DestinationState, PresenceChange
from restante.queue.uptime import StateStretch, Uptime, stretches, uptime

MARKS = {"+": DestinationState.UP, "-": DestinationState.AWAY, "?": DestinationState.UNKNOWN}


def changes(*marks: str) -> list[PresenceChange]:
    """Return changes such as `+10`, given in the order of time."""
    found = [PresenceChange("a", "b:25", float(mark[1:]), MARKS[mark[0]]) for mark in marks]
    return found[::-1]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ((), Uptime()),
        (("+0",), Uptime(100.0, 0.0)),
        (("-0",), Uptime(0.0, 100.0, 1)),
        (("+150",), Uptime(50.0, 0.0)),  # unknown before
        (("+0", "-120", "+130"), Uptime(90.0, 10.0, 1)),
        (("-0", "+120", "-190"), Uptime(70.0, 30.0, 2)),
        (("+0", "?150"), Uptime(50.0, 0.0)),
        (("-0", "+50"), Uptime(100.0, 0.0)),  # the outage was over before
        (("-0", "+100"), Uptime(100.0, 0.0)),
        (("+0", "-200"), Uptime(100.0, 0.0)),
        (("+0", "-250"), Uptime(100.0, 0.0)),
    ],
)
def test_each_second_counts_for_the_state_of_its_time(
    marks: tuple[str, ...], expected: Uptime
) -> None:
    assert uptime(changes(*marks), 100.0, 200.0) == expected


def test_the_ratio_is_of_the_known_time() -> None:
    assert Uptime(30.0, 10.0).ratio == 0.75
    assert Uptime().ratio is None


def test_stretches_are_cut_at_the_ends_and_say_why() -> None:
    away = PresenceChange("a", "b:25", 50.0, DestinationState.AWAY, "refused")
    back = PresenceChange("a", "b:25", 150.0, DestinationState.UP)
    assert list(stretches([back, away], 100.0, 200.0)) == [
        StateStretch(150.0, 200.0, DestinationState.UP),
        StateStretch(100.0, 150.0, DestinationState.AWAY, "refused"),
    ]
