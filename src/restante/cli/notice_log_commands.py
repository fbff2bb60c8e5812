"""`restante notice log` and `resend`: notices that were sent or given up."""

from typing import Annotated, Final

import typer

from restante.cli.api_client import ask, segment
from restante.cli.display import Column, JsonObject, say, show_listing, text_column, time_column
from restante.cli.options import ConfigOption, JsonOption

COLUMNS: Final = (
    time_column("ENDED", "ended_at"),
    text_column("CHANNEL", "channel"),
    Column("ACCOUNT", lambda row: row["account"] or "(the operator's)"),
    text_column("KIND", "kind"),
    Column("RESULT", lambda row: "sent" if row["is_sent"] else "given up"),
    text_column("ID", "id", is_detail=True),
    text_column("TEXT", "text", is_detail=True),
    text_column("REPLY", "reply", is_detail=True),
)


def show_log(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The channel; without it, all channels.")
    ] = None,
    *,
    account: Annotated[
        str | None,
        typer.Option("--account", metavar="ACCOUNT", help="Only channels of this account."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=20_000, help="Maximum number of rows.")
    ] = 100,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show the notices that were sent or given up, newest first: the last 200 of each channel."""
    params = {"account": account, "channel": name}
    rows: list[JsonObject] = ask(config, "GET", "/v1/notices/past", params=params, most=limit)
    show_listing(rows, COLUMNS, as_json=as_json, thing="notice")


def send_again(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The channel.")],
    notice: Annotated[
        str, typer.Argument(metavar="ID", help="The notice, as `notice log` shows it.")
    ],
    *,
    account: Annotated[
        str, typer.Option("--account", metavar="ACCOUNT", help="The account of the channel.")
    ] = "",
    config: ConfigOption = None,
) -> None:
    """Send a past notice again, with the same id, so that receivers recognize it."""
    path = f"/v1/notices/channels/{segment(name)}/again"
    ask(config, "POST", path, params={"account": account}, body={"id": notice})
    say(f"notice {notice}: is sent again by channel {name}; `notice log` shows the result")
