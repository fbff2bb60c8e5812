"""`restante status`: health, held mail by domain, running drains, open listeners."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from restante.cli.api_client import STATUS_SECONDS, ask
from restante.cli.display import (
    Column,
    JsonObject,
    amounts,
    destination_words,
    drain_state_words,
    human_size,
    number_column,
    say,
    set_apart_columns,
    show_json,
    show_table,
    size_column,
    text_column,
)
from restante.cli.failures import Exit, Failure
from restante.cli.node_commands import NODES
from restante.cli.options import ConfigOption, JsonOption
from restante.cli.times import (
    age_of,
    error_text,
    last_drain_text,
    primary_text,
    span,
    unix_time,
    until,
)
from restante.mail.quantity import agreeing, counted

CRITICAL, UNKNOWN = 2, 3
LEVELS: Final = {"ok": 0, "warning": 1, "critical": CRITICAL}

LISTENERS = (
    text_column("LISTENER", "service"),
    text_column("ADDRESS", "address"),
    text_column("TLS FROM", "tls_minimum"),
    number_column("SESSIONS", "sessions"),
)


def status(
    domains: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DOMAIN]", help="Only these domains.", show_default=False),
    ] = None,
    *,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="Only this account.")
    ] = None,
    is_all: Annotated[
        bool, typer.Option("--all", help="All domains, not only those with mail or problems.")
    ] = False,
    is_check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Print one line for a monitoring system. Exit codes: 0 ok, 1 warning, 2 critical,"
            " 3 unknown.",
        ),
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Show health, held mail by domain, running drains and listeners.

    Domains without mail and without problems are only counted.
    """
    if is_check:
        return _check(config)
    params = {"domain": domains or None, "account": account, "everything": is_all or None}
    view = ask(config, "GET", "/v1/status", params=params, seconds=STATUS_SECONDS)
    if as_json:
        show_json(view)
    else:
        _show(view)
    return Exit.DONE


def _show(view: JsonObject) -> None:
    for line, mark in health_lines(view):
        say(line, mark=mark)
    say(f"{amounts(view)}; restante {view['version']}")
    now = unix_time(view["at"])
    _show_room(view["room"])
    _show_shed(view["door"])
    _show_backlog(view["reports"], now, "report to a sender waits", "reports to senders wait")
    _show_backlog(view["notices"], now, "notice waits", "notices wait")
    if unseen := (view["configuration"] or {}).get("unseen"):
        say(f"edits of the configuration file cannot be seen ({unseen}); restart after an edit")
    for title, columns in (
        ("domains", _domains(view, now)),
        ("drains", _drains(view["drains"], now)),
        ("listeners", LISTENERS),
        ("nodes", NODES),
    ):
        if view[title]:
            say("")
            show_table(view[title], columns)
    if others := view["domains_left_out"]:
        say("")
        say(
            f"{counted(others, 'more domain has', 'more domains have')} mail or problems"
            " (--all shows all)"
        )
    if others := view["domains_not_shown"]:
        say("")
        say(
            f"{counted(others, 'other domain has', 'other domains have')} no mail and no problems"
            " (--all shows all)"
        )


def health_lines(view: JsonObject) -> list[tuple[str, str]]:
    """Return the line of health, and one for each problem; each with the part that is its level."""
    health = view["health"]
    level = health["level"].upper()
    return [
        (f"{view['hostname']}: {level}", level),
        *(
            (f"{problem['level']}: {problem['text']}", problem["level"])
            for problem in health["problems"]
        ),
    ]


def _check(config: Path | None) -> int:
    """Print one line for a monitoring system, and return its exit code."""
    try:
        view = ask(
            config,
            "GET",
            "/v1/status",
            seconds=STATUS_SECONDS,
            needs_server="status --check",
        )
    except Failure as failure:
        is_away = failure.code in (Exit.UNAVAILABLE, Exit.TRY_LATER)
        say(f"RESTANTE {'CRITICAL' if is_away else 'UNKNOWN'} - {'; '.join(failure.texts)}")
        return CRITICAL if is_away else UNKNOWN
    health = view["health"]
    texts = [problem["text"] for problem in health["problems"]] or [amounts(view)]
    oldest = age_of(view["oldest_at"], unix_time(view["at"])) or 0.0
    figures = {
        "held": view["held"],
        "refused": view["refused"],
        "uncertain": view["uncertain"],
        "damaged": view["store"]["damaged_messages"],
        "octets": f"{view['octets']}B",
        "oldest": f"{oldest:.0f}s",
        "drains": len(view["drains"]),
    }
    measured = " ".join(f"{name}={value}" for name, value in figures.items())
    say(f"RESTANTE {health['level'].upper()} - {'; '.join(texts)} | {measured}")
    return LEVELS[health["level"]]


def _show_room(room: JsonObject | None) -> None:
    """Print the room on the disk, where somebody knows it."""
    if room is None or room["free_octets"] is None:
        return
    free, reserve = human_size(room["free_octets"]), human_size(room["disk_reserve"])
    say(f"disk: {free} free; mail is taken down to {reserve}")


def _show_shed(door: JsonObject | None) -> None:
    """Print how many connections were turned away, and by which limits, if any."""
    if door is None or not any(door["shed"].values()):
        return
    causes = ", ".join(f"{number} by {cause}" for cause, number in door["shed"].items() if number)
    count = counted(sum(door["shed"].values()), "connection was", "connections were")
    say(f"{count} turned away with 421 since the start: {causes}")


def _show_backlog(backlog: JsonObject, now: float, waits: str, wait: str) -> None:
    """Print how many reports or notices wait to be sent, and for how long, if any."""
    if backlog["waiting"]:
        since = (
            f"{agreeing(backlog['waiting'], 'for', 'the oldest for')}"
            f" {span(age_of(backlog['oldest_at'], now))}"
        )
        say(f"{counted(backlog['waiting'], waits, wait)} to be sent, {since}")


def _domains(view: JsonObject, now: float) -> list[Column]:
    """Return the columns of the domains, with times as spans to fit a screen."""
    columns = [
        text_column("DOMAIN", "domain"),
        text_column("ACCOUNT", "account"),
        number_column("HELD", "held"),
        size_column("SIZE", "octets"),
        number_column("REFUSED", "refused"),
        *set_apart_columns(view["domains"]),
        _ago("OLDEST", "oldest_at", now),
        _ago("ASKED FOR", "last_request_at", now),
        Column("DESTINATION", destination_words, is_detail=True),
    ]
    if any(domain["hold"] == "suspended" for domain in view["domains"]):
        columns.append(Column("SUSPENDED", _suspended_for, is_detail=True))
    if any(domain["last_drain"] for domain in view["domains"]):
        columns.append(
            Column("LAST DRAIN", lambda domain: _last_drain(domain, now), is_detail=True)
        )
    if any(domain["drill"] for domain in view["domains"]):
        columns.append(Column("DRILL", lambda domain: domain["drill"], is_detail=True))
    if any(domain["next_drill_at"] for domain in view["domains"]):
        columns.append(
            Column(
                "NEXT DRILL",
                lambda domain: until(domain["next_drill_at"], now),
                is_detail=True,
            )
        )
    if any(domain["primary"]["next_probe_at"] for domain in view["domains"]):
        columns.append(Column("PRIMARY", lambda domain: primary_text(domain["primary"], now)))
    return columns


def _suspended_for(domain: JsonObject) -> str:
    return domain["suspended_for"] or "yes" if domain["hold"] == "suspended" else ""


def _last_drain(domain: JsonObject, now: float) -> str:
    return last_drain_text(domain["last_drain"], now) if domain["last_drain"] else ""


def _drains(drains: Sequence[JsonObject], now: float) -> list[Column]:
    return [
        text_column("DRAIN", "domain"),
        Column("STATE", drain_state_words),
        _ago("FOR", "started_at", now),
        number_column("DELIVERED", "delivered"),
        number_column("DEFERRED", "deferred"),
        number_column("REFUSED", "refused"),
        *set_apart_columns(drains),
        number_column("CONN", "connections"),
        Column("RETRY IN", lambda drain: until(drain["next_attempt_at"], now), is_number=True),
        Column("LAST ERROR", error_text, is_detail=True),
    ]


def _ago(title: str, key: str, now: float) -> Column:
    return Column(title, lambda row: span(age_of(row[key], now)), is_number=True)
