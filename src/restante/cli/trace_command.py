"""`restante trace`: was it delivered? Held mail, and the outcome for each recipient that left."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

import typer

from restante.cli.api_client import ask, connected
from restante.cli.audit_commands import two_lines
from restante.cli.display import (
    Column,
    JsonObject,
    by_atrn,
    host_name_words,
    human_time,
    paths_text,
    say,
    screen_width,
    show_json,
    show_table,
    status_of_mail,
    text_column,
    time_column,
)
from restante.cli.failures import Exit, complain, printable
from restante.cli.options import (
    ConfigOption,
    JsonOption,
    SinceOption,
    UntilOption,
    time_span,
    with_options,
)
from restante.cli.table import INDENT, fold
from restante.mail.message_origin import PtrStatus
from restante.mail.quantity import counted
from restante.queue.drain_word import DrainWay

PAGE: Final = 1000  # rows of each kind that the API gives at once
USUAL_ROWS: Final = 100
MOST_ROWS: Final = 100_000
_FOUND: Final = ("held", "left", "releases")


def _last_reply(row: JsonObject) -> str:
    return next((one["reply"] for one in row["recipients"] if one["reply"]), "")


def _client(row: JsonObject) -> str:
    """Return where mail came from: the address alone for entries of earlier versions."""
    origin = row.get("origin")
    if origin is None:
        return str(row["client"])
    port = f" port {origin['port']}" if origin["port"] else ""
    name = f" ({host_name_words(origin)})" if origin["ptr"] != PtrStatus.NOT_LOOKED_UP else ""
    hello = f", EHLO {origin['hello']}" if origin["hello"] else ""
    return f"{origin['address']}{port}{name}{hello}, {origin['tls'] or 'no TLS'}"


def _verdicts(row: JsonObject) -> str:
    """Return the verdicts of checks when the mail came."""
    origin = row.get("origin") or {"verdicts": {}}
    return "; ".join(f"{check}: {verdict}" for check, verdict in origin["verdicts"].items())


HELD = (
    text_column("NAME", "name"),
    time_column("RECEIVED", "received_at"),
    Column("STATUS", status_of_mail),
    Column("FROM", lambda row: f"<{row['reverse_path']}>"),
    Column(
        "TO", lambda row: paths_text([recipient["forward_path"] for recipient in row["recipients"]])
    ),
    Column("REPLY", _last_reply, is_detail=True),
)
LEFT = (
    text_column("NAME", "name"),
    Column("RECEIVED", lambda row: human_time(row["received_at"])),
    time_column("AT", "at"),
    Column("OUTCOME", lambda row: f"{row['outcome']}{by_atrn(row)}"),
    Column("FROM", lambda row: f"<{row['reverse_path']}>"),
    text_column("TO", "forward_path"),
    Column("CLIENT", _client, is_detail=True),
    Column("CHECKS", _verdicts, is_detail=True),
    Column("REPLY", lambda row: row["reply"], is_detail=True),
)


_SEARCH: Final[Mapping[str, Any]] = {
    "name": Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A message by its name, as in the 250 reply."),
    ],
    "message_id": Annotated[
        str | None,
        typer.Option("--message-id", metavar="ID", help="Its Message-ID, with or without <>."),
    ],
    "reverse_path": Annotated[
        str | None,
        typer.Option(
            "--from", metavar="PATTERN", help="Its reverse-path. * and ? are wildcards; <> is null."
        ),
    ],
    "recipient": Annotated[
        str | None,
        typer.Option("--to", metavar="PATTERN", help="A recipient. * and ? are wildcards."),
    ],
    "domain": Annotated[
        str | None, typer.Option("--domain", metavar="DOMAIN", help="Only this domain's mail.")
    ],
    "outcome": Annotated[
        Literal["delivered", "refused", "uncertain", "bounced", "deleted", "expired"] | None,
        typer.Option("--outcome", help="Only recipients with this outcome, and no held mail."),
    ],
    "since": SinceOption,
    "until": UntilOption,
}


LimitOption = Annotated[
    int | None,
    typer.Option(
        "--limit",
        metavar="N",
        min=1,
        max=MOST_ROWS,
        help=f"Maximum number of rows of each kind. Default: {USUAL_ROWS}, with --json"
        f" {MOST_ROWS}.",
        show_default=False,
    ),
]


def _wanted(given: Mapping[str, Any]) -> JsonObject:
    """Return a search as the API takes it. Raises typer.BadParameter if nothing was given."""
    if all(value is None for value in given.values()):
        raise typer.BadParameter(
            "nothing to look for: give a NAME, --message-id, --from, --to, --domain, --outcome,"
            " --since or --until"
        )
    reverse_path = "" if given["reverse_path"] == "<>" else given["reverse_path"]
    return {
        **given,
        "reverse_path": reverse_path,
        **time_span(given["since"], given["until"]),
    }


def _with_search(command: Callable[..., int]) -> Callable[..., int]:
    """Give the command an argument and options for mail to look for."""
    return with_options(command, "wanted", _SEARCH, _wanted)


@_with_search
def trace(
    *,
    wanted: JsonObject,
    limit: LimitOption = None,
    as_json: JsonOption = False,
    as_lines: Annotated[
        bool,
        typer.Option(
            "--ndjson",
            help="Write all outcomes of mail that left, without limit: a JSON object to a line.",
        ),
    ] = False,
    config: ConfigOption = None,
) -> int:
    """Find mail that is held or has left, with the destination's reply to each recipient.

    Mail that left is known for `[history] days`. The exit code is 66 if nothing was found.
    """
    if as_lines and (as_json or limit is not None):
        raise typer.BadParameter("give --ndjson alone: without --json and --limit")
    if as_lines:
        return Exit.DONE if asyncio.run(_write_lines(config, wanted)) else Exit.NO_INPUT
    limit = limit or (MOST_ROWS if as_json else USUAL_ROWS)
    found = _find(config, wanted, limit)
    if as_json:
        show_json(found)
    else:
        _show(found, limit)
    return Exit.DONE if any(found[kind] for kind in _FOUND) else Exit.NO_INPUT


async def _write_lines(config: ConfigOption, wanted: JsonObject) -> int:
    """Write the history that matches, and return the number of its entries."""
    count = 0
    params = {**wanted, "format": "ndjson"}
    async with connected(config, is_streaming=True) as api:
        async for entry in api.lines("/v1/history", params=params):
            print(json.dumps(entry))  # noqa: T201  output of the program
            count += 1
    return count


def _find(config: ConfigOption, wanted: JsonObject, limit: int) -> dict[str, Any]:
    """Ask for the first page, and for more of each kind until there are enough."""
    page = min(limit, PAGE)
    found: dict[str, Any] = ask(config, "GET", "/v1/trace", params={**wanted, "limit": page})
    for kind, cursor, place in (
        ("held", "after", "held_after"),
        ("left", "before", "left_before"),
    ):
        rows = found[kind]
        while found[place] is not None and len(rows) < limit:
            asked_for = min(PAGE, limit - len(rows))
            params = {**wanted, "limit": asked_for, cursor: found[place]}
            more = ask(config, "GET", "/v1/trace", params=params)
            rows += more[kind]
            found[place] = more[place]
    return found


def release_line(release: JsonObject) -> str:
    """Return a release that moved some of the mail, as one line."""
    moved = f"{release['delivered']} delivered, {release['refused']} refused"
    thing = "turnaround" if release["way"] == DrainWay.TURNAROUND else "release"
    return (
        f"{human_time(release['at'])}  {thing} {release['id']} of {release['target']} by"
        f" {release['requested_by']}, {release['acted_from']}: {release['result']}, {moved}"
    )


def _show(found: JsonObject, limit: int) -> None:
    """Print the tables that are not empty, the audit entries, and a line with the counts."""
    for rows, columns in ((found["held"], HELD), (found["left"], LEFT)):
        if rows:
            show_table(rows, columns)
            say("")
    for release in found["releases"]:
        for line in fold(printable(release_line(release)), screen_width(), "", INDENT):
            say(line)
    if found["releases"]:
        say("")
    for entry in found["audit"]:
        for line in two_lines(entry, screen_width()):
            say(line)
    if found["audit"]:
        say("")
    say(f"{counted(len(found['held']), 'message')} here, {counted(len(found['left']), 'outcome')}")
    if limit in (len(found["held"]), len(found["left"])):
        complain(f"trace: {limit} shown, there may be more; raise --limit")
