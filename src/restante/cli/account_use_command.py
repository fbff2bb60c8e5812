"""`restante account usage`: how much accounts used the server, by month."""

import asyncio
import codecs
import sys
from typing import Annotated, Final

import typer

from restante.cli.api_client import Params, ask, connected
from restante.cli.display import (
    Column,
    number_column,
    show_listing,
    size_column,
    text_column,
)
from restante.cli.options import ConfigOption, JsonOption

COLUMNS: Final = (
    text_column("ACCOUNT", "account"),
    text_column("MONTH", "month"),
    number_column("RECEIVED", "received"),
    size_column("SIZE", "received_octets"),
    number_column("DELIVERED", "delivered"),
    Column("MIB DAYS", lambda row: f"{row['octet_days'] / 2**20:,.1f}", is_number=True),
)


def show_usage(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The account; without it, all accounts.")
    ] = None,
    *,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="YYYY-MM",
            help="The first month. Default: this month; for one account, a year.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="YYYY-MM", help="The last month. Default: this month."),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV, such as for bills.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show how much accounts used the server, by month of UTC.

    Figures are kept for 26 months, also for removed accounts. The last five minutes may be missing.
    """
    if as_csv and as_json:
        raise typer.BadParameter("give --csv or --json, not both")
    params = {"account": name, "since": since, "until": until}
    if as_csv:
        asyncio.run(_write_csv(config, params | {"format": "csv"}))
        return
    rows = ask(config, "GET", "/v1/account-uses", params=params | {"limit": 500})
    show_listing(rows, COLUMNS, as_json=as_json, thing="month of an account", things="months")


async def _write_csv(config: ConfigOption, params: Params) -> None:
    """Write the table of the API."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    async with connected(config, is_streaming=True) as api:
        async for block in api.receive("GET", "/v1/account-uses", params=params):
            sys.stdout.write(decoder.decode(block))
