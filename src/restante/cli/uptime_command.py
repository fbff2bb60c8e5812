"""`restante domain uptime`: when a domain's destination answered, and when it was away."""

from typing import Annotated

import typer

from restante.cli.api_client import ask, segment
from restante.cli.display import (
    JsonObject,
    human_time,
    say,
    show_json,
    show_record,
    show_table,
    text_column,
    time_column,
)
from restante.cli.options import ConfigOption, JsonOption, SinceOption, UntilOption, time_span
from restante.cli.times import primary_text, span, unix_time

CHANGES = (
    time_column("AT", "at"),
    text_column("STATE", "seen"),
    text_column("REASON", "reason", is_detail=True),
)


def show_uptime(
    name: Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain.")],
    *,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[
        int,
        typer.Option("--limit", metavar="N", min=1, max=1000, help="Maximum number of changes."),
    ] = 100,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show when a domain's destination answered and when it was away, for 30 days by default.

    Changes are kept for `[presence] days`. They begin when the account first used the destination.
    """
    params = time_span(since, until) | {"limit": limit}
    view = ask(config, "GET", f"/v1/domains/{segment(name)}/uptime", params=params)
    if as_json:
        show_json(view)
        return
    now = primary_text(view["primary"], unix_time(view["until"])) if until is None else ""
    facts = [
        ("destination", view["destination"]),
        *([("now", now)] if now else []),
        ("from", human_time(view["since"])),
        ("to", human_time(view["until"])),
        ("answered", _answered(view)),
        ("outages", f"{view['outages']}, {span(view['away_seconds'])} in all"),
    ]
    show_record(facts)
    if view["changes"]:
        say("")
        show_table(view["changes"], CHANGES)


def _answered(view: JsonObject) -> str:
    """Return the part of the known time in which it answered."""
    if view["up_ratio"] is None:
        return "unknown"
    return f"{view['up_ratio']:.2%} of {span(view['up_seconds'] + view['away_seconds'])}"
