"""The uptime of a domain's page: a bar for each of 30 days, and the outages with their times."""

import pytest

from restante.admin.auditing import moment
from restante.admin.domain_uptime import StretchView, UptimeView
from restante.queue.presence import DestinationState, PresenceChange
from restante.queue.uptime import stretches, uptime
from restante.tenancy.policy import DAY
from restante.web.portal.uptime_days import (
    BAR_HEIGHT,
    DAYS,
    day_bars,
    first_moment,
    outages_of,
    uptime_sentence,
)
from tests.admin.admin_world import NOW

HOST = "mail.alpha.example:25"
TODAY = NOW - NOW % DAY
STATES = {
    "up": DestinationState.UP,
    "away": DestinationState.AWAY,
    "unknown": DestinationState.UNKNOWN,
}


def uptime_of(*changes: tuple[str, float]) -> UptimeView:
    """Return the uptime after changes such as ("away", Unix time), given in the order of time."""
    recorded = [
        PresenceChange("alpha", HOST, at, STATES[seen], "timed out" * (seen == "away"))
        for seen, at in reversed(changes)
    ]
    begin = first_moment(NOW)
    spent = uptime(recorded, begin, NOW)
    return UptimeView.model_construct(
        since=moment(begin),
        until=moment(NOW),
        up_seconds=spent.up,
        away_seconds=spent.away,
        up_ratio=spent.ratio,
        outages=spent.outages,
        stretches=[
            StretchView(
                since=moment(one.since), until=moment(one.until), seen=one.seen, reason=one.reason
            )
            for one in stretches(recorded, begin, NOW)
        ],
    )


def test_there_is_a_bar_for_each_day_and_the_last_is_today() -> None:
    bars = day_bars(uptime_of(), NOW)
    assert len(bars) == DAYS
    assert {(one.known, one.away) for one in bars} == {(0, 0.0)}
    assert bars[-1].text == "Today: not known"
    assert first_moment(NOW) == TODAY - 29 * DAY


def test_an_outage_has_its_part_of_each_day_that_it_touched() -> None:
    begin = TODAY - 3 * DAY + DAY / 2  # at noon, until 06:00 two days later
    view = uptime_of(("up", TODAY - 5 * DAY), ("away", begin), ("up", begin + 1.75 * DAY - DAY / 2))
    by_day = {place - DAYS + 1: bar for place, bar in enumerate(day_bars(view, NOW))}
    assert by_day[-6].known == 0
    assert (by_day[-4].away, by_day[-4].text[-21:]) == (0.0, "answered all the time")
    assert by_day[-3].away == BAR_HEIGHT / 2
    assert by_day[-2].away == BAR_HEIGHT * 0.75
    assert by_day[-2].text.endswith("away 18 h, in 1 outage")
    assert by_day[-1].away == 0.0


def test_a_short_outage_can_be_seen() -> None:
    at = TODAY - 2 * DAY + 60
    bars = day_bars(uptime_of(("up", at - DAY), ("away", at), ("up", at + 60)), NOW)
    assert bars[-3].away == 5.0


def test_an_outage_of_many_days_reaches_over_all_bars() -> None:
    bars = day_bars(uptime_of(("away", NOW - 90 * DAY)), NOW)
    assert {one.away for one in bars} == {BAR_HEIGHT}


def test_an_outage_says_from_when_to_when_and_why() -> None:
    view = uptime_of(
        ("up", NOW - 9 * DAY),
        ("away", NOW - 8 * DAY),
        ("up", NOW - 8 * DAY + 7200),
        ("away", NOW - 300),
    )
    last, first = outages_of(view)
    assert (last.since.timestamp(), last.until, last.span) == (NOW - 300, None, "5 min")
    assert last.reason == "timed out"
    assert first.until is not None
    assert (first.until - first.since).total_seconds() == 7200
    assert not first.is_from_before


def test_an_outage_from_before_is_told_as_such() -> None:
    [outage] = outages_of(uptime_of(("away", NOW - 90 * DAY)))
    assert outage.is_from_before
    assert outage.until is None


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ([], ""),
        ([("up", NOW - 4 * DAY)], "It answered all the time in the 4 d that are known."),
        (
            [("up", NOW - 4 * DAY), ("away", NOW - DAY)],
            "It answered 75 % of the 4 d that are known. It was away 1 d, in 1 outage.",
        ),
        (
            [("up", NOW - 4 * DAY), ("away", NOW - DAY), ("up", NOW - DAY + 1)],
            "It answered 99.99 % of the 4 d that are known. It was away 1 s, in 1 outage.",
        ),
    ],
    ids=["unknown", "up", "away", "nearly all"],
)
def test_the_sentence_never_rounds_up_to_all(changes: list[tuple[str, float]], text: str) -> None:
    assert uptime_sentence(uptime_of(*changes)) == text
