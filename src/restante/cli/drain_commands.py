"""`restante drain`: list and stop drains."""

import time
from collections.abc import Sequence
from typing import Annotated

import typer

from restante.cli.api_client import ask, segment
from restante.cli.display import (
    Column,
    Row,
    number_column,
    say,
    set_apart_columns,
    show_json,
    show_listing,
    text_column,
)
from restante.cli.options import ConfigFile, Json, Reason
from restante.cli.times import ago, error_text, span, until
from restante.mail.quantity import counted

group = typer.Typer(
    name="drain", help="Drains: deliveries of a domain's held mail, running or waiting to retry."
)


@group.command("list")
def list_drains(*, as_json: Json = False, config: ConfigFile = None) -> None:
    """List the drains that are running or waiting to retry, oldest first."""
    drains = ask(config, "GET", "/v1/drains")
    show_listing(drains, _columns(drains, time.time()), as_json=as_json, thing="drain")


@group.command("stop")
def stop_drain(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain.")],
    *,
    reason: Reason = "",
    as_json: Json = False,
    config: ConfigFile = None,
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


def _columns(drains: Sequence[Row], now: float) -> list[Column]:
    return [
        text_column("DRAIN", "domain"),
        text_column("STATE", "state"),
        Column("FOR", lambda row: span(ago(row["started_at"], now)), is_number=True),
        number_column("DELIVERED", "delivered"),
        number_column("DEFERRED", "deferred"),
        number_column("REFUSED", "refused"),
        *set_apart_columns(drains),
        Column("RETRY IN", lambda row: until(row["next_attempt_at"], now), is_number=True),
        Column("LAST ERROR", error_text, is_detail=True),
    ]
