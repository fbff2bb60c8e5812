"""Show times to people: ages, remaining times, and the state of a primary."""

from datetime import datetime
from typing import Final

from restante.cli.display import JsonObject, human_time
from restante.queue.deferral_cause import DeferralCause
from restante.queue.drain_word import DrainEnd

_DAY, _HOUR, _MINUTE = 86400, 3600, 60


def span(seconds: float | None) -> str:
    """Return a span as text: 12s, 5m 03s, 3h 20m, 9d 4h."""
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m {whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d {whole % _DAY // _HOUR}h"


def age_of(moment: str | None, now: float) -> float | None:
    """Return the age of an ISO time in seconds. `now` is Unix time."""
    return None if moment is None else max(0.0, now - unix_time(moment))


def until(moment: str | None, now: float) -> str:
    """Return the time until an ISO time as text."""
    return "" if moment is None else span(unix_time(moment) - now)


def unix_time(moment: str) -> float:
    """Return an ISO time as Unix time."""
    return datetime.fromisoformat(moment).timestamp()


def error_text(drain: JsonObject) -> str:
    """Return a drain's last error, with its likely cause before it."""
    sign = drain.get("hindrance")
    error = str(drain["last_error"])
    return f"{DeferralCause.text_of(sign)}: {error}" if sign else error


_AFTER_REFUSALS: Final = (
    "correct the destination, then `restante queue release --domain DOMAIN` and"
    " `restante release DOMAIN`"
)


def last_drain_text(drain: JsonObject, now: float) -> str:
    """Return the result of a domain's last drain: end, age, requester, reason and counts.

    Counts that the reason has are not repeated.
    """
    moves = ("delivered", "deferred", "refused", "uncertain")
    counts = (f"{drain[name]} {name}" for name in moves if drain[name])
    said = drain["reason"].replace(": ", ", ").split(", ")
    words = (
        drain["last_error"]
        if drain["last_error"] and drain["last_error"] not in drain["reason"]
        else ""
    )
    ended = (
        f"{DrainEnd.text_of(drain['end'])} {span(age_of(drain['ended_at'], now))} ago, asked for by"
        f" {drain['requested_by']}"
    )
    return "; ".join(
        [
            f"{ended}: {drain['reason']}",
            *(one for one in counts if one not in said),
            *([f"last error: {words}"] if words else []),
            *([_AFTER_REFUSALS] if drain["end"] == DrainEnd.REFUSED else []),
        ]
    )


def primary_text(primary: JsonObject, now: float) -> str:
    """Return the state of a probed primary, such as `answers (40s ago)`. Otherwise nothing."""
    if primary["next_probe_at"] is None:
        return ""
    pause = until(primary["next_probe_at"], now)
    look = "look now" if pause == "0s" else f"look in {pause}"
    probed = span(age_of(primary["probed_at"], now))
    words = f" ({primary['reason']})" if primary["reason"] else ""
    match primary["seen"]:
        case "up" if not words:
            return f"answers ({probed} ago)"
        case "up":
            return f"did not answer {probed} ago{words}, {look}"
        case "away" if words:
            return f"away since {_clock(primary['since'], now)}{words}"
        case "away":
            return f"away since {_clock(primary['since'], now)}, answered {probed} ago"
    return f"unknown, {look}"


def _clock(moment: str, now: float) -> str:
    """Return an ISO time as hours and minutes in UTC, with the date if it is a day ago."""
    day, _, clock = human_time(moment).partition(" ")
    clock = f"{clock[:5]}Z"
    return clock if (age_of(moment, now) or 0.0) < _DAY else f"{day} {clock}"


def primary_fields(primary: JsonObject) -> list[tuple[str, str]]:
    """Return the same as a record, with times and the result of the last probe."""
    if primary["next_probe_at"] is None:
        return [("primary", "not probed")]
    since = f" since {human_time(primary['since'])}" if primary["since"] else ""
    result = primary["reason"] or "it answered"
    last = f"{human_time(primary['probed_at'])}: {result}" if primary["probed_at"] else "none yet"
    return [
        ("primary", f"{primary['seen']}{since}"),
        ("last probe", last),
        ("next probe", human_time(primary["next_probe_at"])),
    ]
