"""`restante export-config`: write the records as a file that `restante apply` takes."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from restante.cli.api_client import connected
from restante.cli.configuration_reading import EntryFields
from restante.cli.configuration_writing import as_csv, as_document, entries_as_toml, joined
from restante.cli.display import show_json
from restante.cli.options import ConfigOption, OptionalReasonOption


def export_config(
    *,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="Only this account.")
    ] = None,
    with_secrets: Annotated[
        bool,
        typer.Option(
            "--with-secrets",
            help="Include passwords and keys, encrypted with the server's key file.",
        ),
    ] = False,
    as_table: Annotated[
        bool, typer.Option("--csv", help="Write CSV: a line for each domain, without secrets.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    reason: OptionalReasonOption = None,
    config: ConfigOption = None,
) -> None:
    """Write accounts, logins, domains, recipients and channels to standard output."""
    if as_table and (with_secrets or as_json):
        raise typer.BadParameter("give --csv without --with-secrets and --json")
    params = {
        "account": account,
        "with_secrets": True if with_secrets else None,
        "reason": reason,
    }
    entries = joined(asyncio.run(_entries(config, params)))
    if as_json:
        show_json(as_document(entries))
    else:
        sys.stdout.write(as_csv(entries) if as_table else entries_as_toml(entries))


async def _entries(config: Path | None, params: dict[str, Any]) -> list[EntryFields]:
    async with connected(config, is_streaming=True) as api:
        return [entry async for entry in api.lines("/v1/configuration", params=params)]
