"""`restante domain snippet`: lines for the primary, so that its filters judge the real client."""

from collections.abc import Sequence
from typing import Annotated

import typer

from restante.cli.api_client import ask, segment
from restante.cli.display import JsonObject, say, screen_width, show_json
from restante.cli.failures import printable
from restante.cli.options import ConfigOption, JsonOption
from restante.cli.table import fold
from restante.readiness.primary_snippets import PrimaryProgram


def show_snippet(
    name: Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain.")],
    program: Annotated[
        PrimaryProgram,
        typer.Option("--for", metavar="PROGRAM", help=f"One of {', '.join(PrimaryProgram)}."),
    ],
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show lines for the primary, so that its filters judge the original client of held mail.

    They have the addresses from which this server connects to the destination.
    """
    path = f"/v1/domains/{segment(name)}/snippets"
    [snippet] = ask(config, "GET", path, params={"for": program.value})
    if as_json:
        show_json(snippet)
        return
    say_snippet_parts(snippet["parts"])
    notes = [f"Danger: {snippet['danger']}"]
    if not snippet["is_tried"]:
        source = f"These lines follow the documentation of {snippet['title']}"
        notes.append(f"{source}; try them before you rely on them.")
    notes.append(f"Check with: restante domain check {name}")
    for note in notes:
        for line in fold(printable(note), screen_width(), "", ""):
            say(line)


def say_snippet_parts(parts: Sequence[JsonObject], indent: str = "") -> None:
    """Print lines to copy, each group below the place that it belongs to."""
    for part in parts:
        say(f"{indent}In {part['place']}:")
        say("")
        for line in part["text"].splitlines():
            print(f"{indent}{printable(line)}")  # noqa: T201  to be copied: never folded
        say("")
