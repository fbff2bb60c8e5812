"""`restante drain`: list and stop drains."""

import time
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from restante.cli.api_client import PAGE, ask, segment
from restante.cli.display import (
    Column,
    JsonObject,
    by_atrn,
    drain_state_words,
    number_column,
    say,
    set_apart_columns,
    show_json,
    show_listing,
    text_column,
    time_column,
)
from restante.cli.options import (
    ConfigOption,
    JsonOption,
    ReasonOption,
    SinceOption,
    UntilOption,
    time_span,
)
from restante.cli.times import age_of, error_text, span, until
from restante.mail.quantity import counted
from restante.queue.drain_word import DrainEnd

_ROWS: Final = 100

group = typer.Typer(
    name="drain", help="Drains: deliveries of a domain's held mail, running or waiting to retry."
)


@group.command("list")
def list_drains(
    *,
    is_past: Annotated[
        bool,
        typer.Option(
            "--past", help="List the requests to release mail and their results, newest first."
        ),
    ] = False,
    domain: Annotated[
        str | None,
        typer.Option(
            "--domain", metavar="DOMAIN", help="Only requests for this domain, with --past."
        ),
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", metavar="N", min=1, help="Maximum number of rows, with --past. Default: 100."
        ),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List the drains that are running or waiting to retry, oldest first.

    With --past, list the requests to release mail by logins, operators and policies. They are
    known for `[history] release_days`.
    """
    if is_past:
        wanted = {"domain": domain, **time_span(since, until)}
        rows = ask(config, "GET", "/v1/releases", params=wanted, most=limit or _ROWS)
        show_listing(rows, _PAST, as_json=as_json, thing="release")
        return
    if any(value is not None for value in (domain, since, until, limit)):
        raise typer.BadParameter("--domain, --since, --until and --limit need --past")
    drains = ask(config, "GET", "/v1/drains", params={"limit": PAGE})
    show_listing(drains, _columns(drains, time.time()), as_json=as_json, thing="drain")


@group.command("stop")
def stop_drain(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain.")],
    *,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Stop a domain's drain. The remaining mail stays held until the next request."""
    drain = ask(config, "POST", f"/v1/drains/{segment(domain)}/stop", body={"reason": reason})
    if as_json:
        show_json(drain)
    else:
        delivered = counted(drain["delivered"], "message")
        say(
            f"{drain['domain']}: the drain stops after {delivered} handed over; the rest stays held"
        )


def _end_text(release: JsonObject) -> str:
    """Return the ends of its drains; without any, whether it runs."""
    ends = ", ".join(map(DrainEnd.text_of, release["ends"]))
    return ends or (str(release["state"]) if release["drains"] else "")


_PAST: Final = (
    text_column("RELEASE", "id"),
    time_column("AT", "at"),
    text_column("TARGET", "target"),
    text_column("RESULT", "result"),
    number_column("PENDING", "pending"),
    number_column("DELIVERED", "delivered"),
    number_column("REFUSED", "refused"),
    number_column("LEFT", "left"),
    Column("END", _end_text),
    Column(
        "BY",
        lambda row: f"{row['requested_by']}, {row['acted_from']}{by_atrn(row)}",
        is_detail=True,
    ),
)


def _columns(drains: Sequence[JsonObject], now: float) -> list[Column]:
    return [
        text_column("DRAIN", "domain"),
        Column("STATE", drain_state_words),
        Column("FOR", lambda row: span(age_of(row["started_at"], now)), is_number=True),
        number_column("DELIVERED", "delivered"),
        number_column("DEFERRED", "deferred"),
        number_column("REFUSED", "refused"),
        *set_apart_columns(drains),
        Column("RETRY IN", lambda row: until(row["next_attempt_at"], now), is_number=True),
        Column("LAST ERROR", error_text, is_detail=True),
    ]
