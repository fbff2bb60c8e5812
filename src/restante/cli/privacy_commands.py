"""`restante privacy`: export or erase what is kept about one person."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from restante.cli.api_client import connected
from restante.cli.display import say, show_json
from restante.cli.failures import Exit, Failure
from restante.cli.options import (
    ConfigOption,
    JsonOption,
    ReasonOption,
    ReasonUnlessDryOption,
    reason_for,
)
from restante.cli.progress import progress
from restante.store.person_store import LEFT, PersonPlace

group = typer.Typer(
    name="privacy",
    help="Export or erase the data that is kept about one person.",
    no_args_is_help=True,
)

_SECONDS: Final = 900.0  # without a line of the answer
PersonArgument = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="The person's mail address.")
]


@group.command("export")
def export(address: PersonArgument, *, reason: ReasonOption, config: ConfigOption = None) -> None:
    """Write all data about a person to standard output, as JSON.

    Content is not included: `restante queue export --recipient ADDRESS` writes held mail.
    """
    rows: dict[str, list[Any]] = defaultdict(list)

    def take(line: dict[str, Any]) -> None:
        if "facts" in line:
            rows[line["place"]].append(line["facts"])

    end = asyncio.run(_exchange(config, "export", {"address": address, "reason": reason}, take))
    show_json({"address": address, **rows, "elsewhere": end["elsewhere"]})


@group.command("erase")
def erase(
    address: PersonArgument,
    *,
    reason: ReasonUnlessDryOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be erased, and erase nothing.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Replace a person's address by a mark in history, audit trail, releases and notices.

    Entries of recipient lists are removed. Mail, open drains, waiting changes and records are
    listed and stay.
    """
    found: dict[str, int] = {}
    left: dict[str, list[str]] = defaultdict(list)

    def take(line: dict[str, Any]) -> None:
        if "left" in line:
            left[line["place"]].append(line["left"])
        elif "found" in line:
            found[line["place"]] = line["found"]

    stated = reason_for("privacy erase", reason, is_dry_run=dry_run)
    body = {"address": address, "reason": stated, "dry_run": dry_run}
    end = asyncio.run(_exchange(config, "erase", body, take))
    erased = {place: count for place, count in found.items() if place not in LEFT}
    if as_json:
        document = {"mark": end["mark"], "is_dry_run": dry_run, "erased": erased, "left": left}
        show_json({**document, "elsewhere": end["elsewhere"]})
    else:
        _show_erased(erased, left, end, is_dry_run=dry_run)


def _show_erased(
    erased: Mapping[str, int],
    left: Mapping[str, Sequence[str]],
    end: Mapping[str, Any],
    *,
    is_dry_run: bool,
) -> None:
    for place, count in erased.items():
        say(f"{PersonPlace.text_of(place)}: {count} {'would be ' if is_dry_run else ''}erased")
    for place, names in left.items():
        say(f"left in {PersonPlace.text_of(place)}: {', '.join(names)}")
    say("not erased, because the server cannot reach it:")
    for one in end["elsewhere"]:
        say(f"  {one}")
    if end["mark"]:
        say(f"the address is now {end['mark']}")


async def _exchange(
    config: Path | None, verb: str, body: dict[str, Any], take: Any
) -> dict[str, Any]:
    """Make a request, hand on its lines, and return the last. Raises Failure without that."""
    end: dict[str, Any] | None = None
    async with connected(config, seconds=_SECONDS, is_streaming=True) as api:
        with progress("rows looked at") as advance:
            seen: dict[str, int] = {}
            async for line in api.lines(f"/v1/privacy/{verb}", body=body):
                if "looked_at" in line:
                    advance(line["looked_at"] - seen.get(line["place"], 0))
                    seen[line["place"]] = line["looked_at"]
                if "elsewhere" in line:
                    end = line
                else:
                    take(line)
    if end is None:
        error = "privacy: the server stopped before the end"
        raise Failure(Exit.TRY_LATER, f"{error}; run the same command again")
    return end
