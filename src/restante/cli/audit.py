"""`restante audit`: who asked for what, from where, what was answered, and the true reason."""

from typing import Annotated

import typer

from restante.cli.display import show_listing, text_column, time_column
from restante.cli.exchange import ask
from restante.cli.options import ConfigFile, Json

COLUMNS = (
    time_column("AT", "at"),
    text_column("ACTION", "action"),
    text_column("ACTOR", "actor"),
    text_column("SUBJECT", "subject"),
    text_column("ACCOUNT", "account"),
    text_column("FROM", "origin"),
    text_column("ANSWER", "answer"),
    text_column("REASON", "reason"),
)


def audit(
    *,
    account: Annotated[str | None, typer.Option("--account", metavar="NAME", help="Only this account's.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=100_000, help="At most so many.")] = 100,
    as_json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Show the newest entries of the audit trail."""
    show_listing(ask(config, "GET", "/v1/audit", params={"account": account, "limit": limit}), COLUMNS, as_json=as_json)
