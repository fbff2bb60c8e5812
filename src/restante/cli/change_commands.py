"""`restante change`: changes of destinations and authorized hosts that wait for their time."""

from typing import Annotated

import typer

from restante.cli.api_client import ask
from restante.cli.display import (
    Column,
    JsonObject,
    say,
    show_json,
    show_listing,
    text_column,
    time_column,
)
from restante.cli.options import ConfigOption, JsonOption, OptionalReasonOption

group = typer.Typer(
    name="change", help="Changes of destinations and authorized hosts that wait for their time."
)

ChangeArgument = Annotated[
    int, typer.Argument(metavar="NUMBER", min=1, help="The number; `change list` shows it.")
]


def changed_text(row: JsonObject) -> str:
    """Return the changed fields, before and after."""
    return ", ".join(f"{one['field']}: {one['before']} → {one['after']}" for one in row["changes"])


COLUMNS = (
    Column("NUMBER", lambda row: str(row["id"])),
    text_column("DOMAIN", "domain"),
    text_column("ACCOUNT", "account"),
    time_column("APPLIES", "applies_at"),
    text_column("ASKED BY", "asked_by"),
    text_column("FROM", "acted_from"),
    text_column("REASON", "reason", is_detail=True),
    Column("CHANGES", changed_text, is_detail=True),
)


@group.command("list")
def list_all(
    *,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="Only of this account.")
    ] = None,
    domain: Annotated[
        str | None, typer.Option("--domain", metavar="DOMAIN", help="Only of this domain.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List the changes that wait."""
    wanted = {"account": account, "domain": domain, "limit": 500}
    rows = ask(config, "GET", "/v1/changes", params=wanted)
    show_listing(rows, COLUMNS, as_json=as_json, thing="waiting change")


@group.command("cancel")
def cancel(
    number: ChangeArgument,
    *,
    reason: OptionalReasonOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Cancel a change that waits. The domain stays as it is."""
    done = ask(config, "DELETE", f"/v1/changes/{number}", params={"reason": reason})
    _show(done, "cancelled", as_json=as_json)


@group.command("apply")
def apply(
    number: ChangeArgument,
    *,
    reason: OptionalReasonOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Apply a change before its time."""
    done = ask(config, "POST", f"/v1/changes/{number}/apply", params={"reason": reason})
    _show(done, "applied", as_json=as_json)


def _show(done: JsonObject, end: str, *, as_json: bool) -> None:
    if as_json:
        show_json(done)
    else:
        say(f"change {done['id']} of domain {done['domain']} {end}: {changed_text(done)}")
