"""Times, spans and amounts as the pages of the portal say them. Pure. All times are UTC."""

import re
from datetime import UTC, datetime
from typing import Final

_SPANS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP: Final = 1024  # as in the shell, and in the amounts that people give
_FEW: Final = 10  # below it, an amount is shown with one decimal
_LONG: Final = 24  # characters of an address: a longer one may need two lines
_BREAK_AFTER: Final = re.compile(r"(?<=[@.=+_-])(?=[^@.=+_-])")
_FEW_SPANS: Final = 2  # of a unit: below it, the smaller unit says more


def short_span(seconds: float) -> str:
    """Return a span in one unit, such as `5 h`."""
    seconds = max(seconds, 0)
    for length, unit in _SPANS:
        if seconds >= length * _FEW_SPANS or (seconds >= length and not seconds % length):
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def span_in_words(seconds: float) -> str:
    """Return a span of a policy, such as `30 days`."""
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            amount = f"{seconds / length:.1f}".removesuffix(".0")
            return f"{amount} {unit}{'' if amount == '1' else 's'}"
    return f"{seconds:.0f} seconds"


def short_octets(amount: float) -> str:
    """Return a number of octets, such as `88 MiB`."""
    size = float(amount)
    for unit in _UNITS:
        if round(size) < _STEP or unit == _UNITS[-1]:
            break
        size /= _STEP
    shown = f"{size:.1f}" if unit != "B" and size < _FEW else f"{size:.0f}"
    return f"{shown.removesuffix('.0')} {unit}"


def number(amount: int) -> str:
    """Return a number with separators, such as `1,204`."""
    return f"{amount:,}"


def counted_thing(amount: int, thing: str, things: str = "") -> str:
    """Return a number with its noun, such as `1,204 messages`."""
    return f"{amount:,} {thing if amount == 1 else things or thing + 's'}"


def clock(at: datetime, now: float) -> str:
    """Return a moment as people say it: `03:12`, `yesterday 03:12`, `28 Nov 03:12`."""
    at, today = at.astimezone(UTC), datetime.fromtimestamp(now, UTC)
    days = (today.date() - at.date()).days
    if days == 0:
        return f"{at:%H:%M}"
    if days == 1:
        return f"yesterday {at:%H:%M}"
    year = "" if at.year == today.year else f" {at.year}"
    return f"{at.day} {at:%b}{year} {at:%H:%M}"


def day(at: datetime, now: float) -> str:
    """Return the day of a moment: `today`, `yesterday`, `28 Nov`."""
    at, today = at.astimezone(UTC), datetime.fromtimestamp(now, UTC)
    match (today.date() - at.date()).days:
        case 0:
            return "today"
        case 1:
            return "yesterday"
    return f"{at.day} {at:%b}{'' if at.year == today.year else f' {at.year}'}"


def time_ago(at: datetime, now: float) -> str:
    """Return how long ago a moment is, such as `40 s ago`."""
    return f"{short_span(now - at.timestamp())} ago"


def exact(at: datetime) -> str:
    """Return a moment to the second: `2026-11-28 03:12:07`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def address_pieces(path: str) -> list[str]:
    """Return the pieces of an address between which a line may end: words stay whole."""
    return _BREAK_AFTER.split(path) if len(path) > _LONG else [path]
