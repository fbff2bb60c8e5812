"""`restante queue`: held and refused mail, message by message. Content is never shown."""

import sys
from typing import Annotated, Any, Literal

import typer

from restante.cli.display import (
    Column,
    Row,
    human_size,
    human_time,
    say,
    show_json,
    show_listing,
    show_record,
    size_column,
    text_column,
    time_column,
)
from restante.cli.exchange import ask, segment
from restante.cli.failures import Exit, Failure, complain
from restante.cli.options import ConfigFile, Json, Reason, octets, seconds

group = typer.Typer(name="queue", help="Held and refused mail, message by message.")

Names = Annotated[list[str], typer.Argument(metavar="NAME", help="Messages, as `queue list` names them.")]

COLUMNS = (
    text_column("NAME", "name"),
    time_column("RECEIVED", "received_at"),
    size_column("SIZE", "size"),
    text_column("DOMAIN", "domain"),
    Column("FROM", lambda row: f"<{row['reverse_path']}>"),
    Column("TO", lambda row: " ".join(recipient["forward_path"] for recipient in row["recipients"])),
    Column("STATUS", lambda row: "+".join(sorted({recipient["status"] for recipient in row["recipients"]}))),
)


@group.command("list")
def list_all(
    domain: Annotated[str | None, typer.Argument(metavar="DOMAIN", help="Only this domain's mail.")] = None,
    *,
    reverse_path: Annotated[
        str | None, typer.Option("--reverse-path", metavar="PATH", help="Only mail from it; <> is the null path.")
    ] = None,
    older: Annotated[
        int | None, typer.Option("--older", metavar="AGE", parser=seconds, help="Only older: 90m, 3h, 2d, 1w.")
    ] = None,
    larger: Annotated[
        int | None, typer.Option("--larger", metavar="SIZE", parser=octets, help="Only larger: 500, 64K, 10M.")
    ] = None,
    status: Annotated[
        Literal["held", "refused"] | None, typer.Option("--status", help="Only with a recipient that is so.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=100_000, help="At most so many.")] = 1000,
    as_json: Json = False,
    config: ConfigFile = None,
) -> None:
    """List messages, oldest first."""
    path = None if reverse_path is None else reverse_path.removeprefix("<").removesuffix(">")
    params = {"domain": domain, "reverse_path": path, "older": older, "larger": larger, "status": status}
    messages = ask(config, "GET", "/v1/queue", params=params | {"limit": limit})
    show_listing(messages, COLUMNS, as_json=as_json)
    if len(messages) == limit:
        complain(f"queue: {limit} messages are shown, there may be more; raise --limit")


@group.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The message, as `queue list` names it.")],
    *,
    as_json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Show a message's envelope, headers, and the state of each recipient with the destination's last reply."""
    message = ask(config, "GET", f"/v1/queue/{segment(name)}")
    if as_json:
        show_json(message)
    else:
        _show_message(message)


@group.command("delete")
def delete(
    names: Names,
    *,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before deleting.")] = False,
    config: ConfigFile = None,
) -> None:
    """Delete messages for good; nobody is told."""
    _confirm("delete", len(names), is_confirmed=yes)
    done = ask(config, "POST", "/v1/queue/delete", body={"names": names, "reason": reason})
    _report(done, "deleted")


@group.command("bounce")
def bounce(
    names: Names,
    *,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before bouncing.")] = False,
    config: ConfigFile = None,
) -> None:
    """Give messages up: they go, and their senders get a report that delivery failed, where they may be told."""
    _confirm("bounce", len(names), is_confirmed=yes)
    done = ask(config, "POST", "/v1/queue/bounce", body={"names": names, "reason": reason})
    _report(done, f"bounced, {done['told']} senders are told")


@group.command("release")
def release(
    names: Names,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the audit trail.")] = "",
    config: ConfigFile = None,
) -> None:
    """Hold refused mail again: it goes with the next release of its domain."""
    done = ask(config, "POST", "/v1/queue/release", body={"names": names, "reason": reason})
    _report(done, "held again")


def _show_message(message: Row) -> None:
    show_record(
        [
            ("name", message["name"]),
            ("domain", message["domain"]),
            ("received", human_time(message["received_at"])),
            ("size", human_size(message["size"])),
            ("reverse-path", f"<{message['reverse_path']}>"),
            ("8bit", "yes" if message["is_8bit"] else "no"),
            ("smtputf8", "yes" if message["needs_smtputf8"] else "no"),
            *(("recipient", _recipient(recipient)) for recipient in message["recipients"]),
        ]
    )
    say("")
    for header in message["headers"]:
        say(f"{header['name']}: {header['value']}")


def _recipient(recipient: Row) -> str:
    reply = f": {recipient['reply']}" if recipient["reply"] else ""
    return f"<{recipient['forward_path']}> {recipient['status']}{reply}"


def _confirm(verb: str, count: int, *, is_confirmed: bool) -> None:
    if is_confirmed:
        return
    if not sys.stdin.isatty():
        raise Failure(Exit.USAGE, f"queue {verb}: there is nobody to ask; say --yes if it is meant")
    typer.confirm(f"{verb.capitalize()} {count} messages for good?", abort=True)


def _report(done: dict[str, Any], verb: str) -> None:
    """Say how many were changed. Raises Failure if some were not there."""
    say(f"{done['changed']} messages {verb}")
    if done["missing"]:
        remedy = "they may be delivered or deleted; `restante queue list` shows what is there"
        raise Failure(Exit.NO_INPUT, f"message {' '.join(done['missing'])}: not in the queue; {remedy}")
