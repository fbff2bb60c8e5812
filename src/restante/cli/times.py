"""Times as people read them: how long ago, how long still, and since when a primary is away."""

from datetime import datetime

from restante.cli.display import Row, human_time

_DAY, _HOUR, _MINUTE = 86400, 3600, 60


def span(seconds: float | None) -> str:
    """Spell a time: 12s, 5m 03s, 3h 20m, 9d 4h."""
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


def ago(moment: str | None, now: float) -> float | None:
    """Return how many seconds an ISO time is past; `now` is Unix time."""
    return None if moment is None else max(0.0, now - unix_time(moment))


def until(moment: str | None, now: float) -> str:
    """Spell how long it is till an ISO time."""
    return "" if moment is None else span(unix_time(moment) - now)


def unix_time(moment: str) -> float:
    """Read an ISO time."""
    return datetime.fromisoformat(moment).timestamp()


def error_text(drain: Row) -> str:
    """Spell a drain's last error, and what it is a sign of."""
    sign = drain.get("hindrance", "")
    return f"{sign}: {drain['last_error']}" if sign else str(drain["last_error"])


def last_drain_text(drain: Row, now: float) -> str:
    """Spell how a domain's last drain went: `given up 3m 00s ago (operator): patience is over; 5 delivered`."""
    counts = [
        f"{drain[name]} {name}" for name in ("delivered", "deferred", "refused") if drain[name]
    ]
    words = (
        drain["last_words"]
        if drain["last_words"] and drain["last_words"] not in drain["reason"]
        else ""
    )
    ended = f"{drain['end']} {span(ago(drain['ended_at'], now))} ago, asked for by {drain['requested_by']}"
    return "; ".join(
        [f"{ended}: {drain['reason']}", *counts, *([f"last error: {words}"] if words else [])]
    )


def primary_text(primary: Row, now: float) -> str:
    """Spell what is known of a primary: `away 3h 20m, look in 45s`. Nothing of one that is not watched."""
    if primary["next_probe_at"] is None:
        return ""
    since = span(ago(primary["since"], now))
    pause = until(primary["next_probe_at"], now)
    look = "look now" if pause == "0s" else f"look in {pause}"
    return f"{primary['seen']} {since}".rstrip() + f", {look}"


def primary_fields(primary: Row) -> list[tuple[str, str]]:
    """Spell the same as a record: with times, and with what the last probe met."""
    if primary["next_probe_at"] is None:
        return [("primary", "not watched")]
    since = f" since {human_time(primary['since'])}" if primary["since"] else ""
    fields = [
        ("primary", f"{primary['seen']}{since}"),
        ("next probe", human_time(primary["next_probe_at"])),
    ]
    return [*fields, ("last probe", primary["reason"])] if primary["reason"] else fields
