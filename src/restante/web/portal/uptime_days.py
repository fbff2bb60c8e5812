"""The uptime of a domain's destination as its page shows it: a bar a day, and the outages. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from restante.admin.domain_uptime import StretchView, UptimeView
from restante.queue.presence import DestinationState
from restante.tenancy.policy import DAY
from restante.web.portal.page_wording import counted_thing, day, short_span

DAYS: Final = 30
MOST_OUTAGES: Final = 10  # that are listed
BAR_HEIGHT: Final = 40
SLOT: Final = 20  # of the chart's width, for a day
_LEAST: Final = 5.0  # of the height, so that a short outage is seen


@dataclass(frozen=True, slots=True)
class DayBar:
    """A day of the chart: how much of its height is known, and how much was away."""

    left: int
    known: int
    away: float
    text: str


@dataclass(frozen=True, slots=True)
class DestinationOutage:
    """A time in which the destination was away."""

    since: datetime
    until: datetime | None  # None: it lasts
    span: str
    reason: str
    is_from_before: bool  # it began before the span that is shown


def first_moment(now: float) -> float:
    """Return when the first day of the chart begins. Days are of UTC, and the last is today."""
    return now - now % DAY - (DAYS - 1) * DAY


def day_bars(view: UptimeView, now: float) -> list[DayBar]:
    """Return the bars, oldest first. A day of which nothing is known has an empty one."""
    begin = first_moment(now)
    days = [_Day(begin + place * DAY) for place in range(DAYS)]
    for one in view.stretches:
        since, until = one.since.timestamp(), one.until.timestamp()
        first = max(int((since - begin) // DAY), 0)
        for each in days[first : int((until - begin) // DAY) + 1]:
            each.add(min(until, each.start + DAY) - max(since, each.start), one.seen)
    return [_bar(each, place * SLOT, now) for place, each in enumerate(days)]


@dataclass(slots=True)
class _Day:
    """The known seconds of a day."""

    start: float
    up: float = 0.0
    away: float = 0.0
    outages: int = 0

    def add(self, seconds: float, seen: DestinationState) -> None:
        if seconds <= 0:
            return
        if seen is DestinationState.AWAY:
            self.away += seconds
            self.outages += 1
        elif seen is DestinationState.UP:
            self.up += seconds

    def text(self, now: float) -> str:
        name = day(datetime.fromtimestamp(self.start, UTC), now).capitalize()
        if not self.up and not self.away:
            return f"{name}: not known"
        if not self.away:
            return f"{name}: answered all the time"
        return f"{name}: away {short_span(self.away)}, in {counted_thing(self.outages, 'outage')}"


def _bar(one: _Day, left: int, now: float) -> DayBar:
    known = one.up + one.away
    away = max(BAR_HEIGHT * one.away / known, _LEAST) if one.away else 0.0
    return DayBar(left, BAR_HEIGHT if known else 0, round(away, 1), one.text(now))


def outages_of(view: UptimeView) -> list[DestinationOutage]:
    """Return the last outages, newest first."""
    return [_outage(one, view) for one in _away(view.stretches)[:MOST_OUTAGES]]


def _away(stretches: Sequence[StretchView]) -> list[StretchView]:
    return [one for one in stretches if one.seen is DestinationState.AWAY]


def _outage(one: StretchView, view: UptimeView) -> DestinationOutage:
    seconds = (one.until - one.since).total_seconds()
    return DestinationOutage(
        one.since,
        None if one.until >= view.until else one.until,
        short_span(seconds),
        one.reason,
        is_from_before=one.since <= view.since,
    )


def uptime_sentence(view: UptimeView) -> str:
    """Return how long it answered, in a sentence; "" if nothing is known."""
    if view.up_ratio is None:
        return ""
    known = short_span(view.up_seconds + view.away_seconds)
    share = f"{int(view.up_ratio * 10_000) / 100:g} %"  # never rounded up to 100 %
    if not view.outages:
        return f"It answered all the time in the {known} that are known."
    away = short_span(view.away_seconds)
    outages = counted_thing(view.outages, "outage")
    return f"It answered {share} of the {known} that are known. It was away {away}, in {outages}."
