"""`restante domain dns`: the records of DNS to publish for a domain, and their states."""

from collections import Counter
from typing import Annotated, Final

import typer

from restante.admin.published_records import RecordPurpose, RecordState
from restante.cli.api_client import ask, segment
from restante.cli.display import JsonObject, say, screen_width, show_json
from restante.cli.failures import printable
from restante.cli.options import ConfigOption, JsonOption
from restante.cli.table import fold

_INDENT: Final = " " * 9
_MORE: Final = " " * 11


def show_dns(
    name: Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain.")],
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show the records to publish in DNS for a domain, and compare them with DNS.

    The name servers of `[resolver]` are asked. A record that nobody could look up is unknown.
    """
    view = ask(config, "GET", f"/v1/domains/{segment(name)}/dns")
    if as_json:
        show_json(view)
        return
    for row in view["records"]:
        say_record(row)
    say("")
    states = Counter(row["state"] for row in view["records"] if not row["is_optional"])
    words = [f"{states[state]} {state.text}" for state in RecordState if states[state]]
    say(f"needed records: {', '.join(words)}")


def say_record(row: JsonObject) -> None:
    """Print a record: its state and purpose, then the line to copy, and the records found."""
    title = RecordPurpose.text_of(row["purpose"])
    optional = ", optional" if row["is_optional"] else ""
    say(f"{RecordState.text_of(row['state']):7}  {title}{optional}")
    if row["line"]:
        say(f"{_INDENT}{row['line']}")  # to be copied, so it is never folded
    if row["state"] != "present" and row["found"]:
        _say_folded(f"found: {', '.join(row['found'])}")
    if row["note"]:
        _say_folded(row["note"])


def _say_folded(text: str) -> None:
    for line in fold(printable(text), screen_width(), _INDENT, _MORE):
        say(line)
