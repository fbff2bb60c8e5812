"""`restante audit`: show the audit trail: actions and requests, with actor, origin and result."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import typer

from restante.cli.api_client import ask
from restante.cli.display import Row, human_time, say, show_json
from restante.cli.options import ConfigFile, Json, past_moment
from restante.tenancy.audit import AuditAction

NAMES_SHOWN: Final = 3  # messages of one entry; --json has all of them


def audit(
    *,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="Only entries of this account.")
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option("--domain", metavar="DOMAIN", help="Only entries about this domain."),
    ] = None,
    action: Annotated[
        AuditAction | None,
        typer.Option("--action", metavar="ACTION", help="Only actions of this kind."),
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option(
            "--actor", metavar="WHO", help='Only actions by: "login NAME", "operator", or a name.'
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="TIME", help="Start: an age such as 2d, or an ISO time (UTC)."
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="End, in the same form as --since."),
    ] = None,
    limit: Annotated[
        int,
        typer.Option("--limit", metavar="N", min=1, max=100_000, help="Maximum number of rows."),
    ] = 100,
    as_json: Json = False,
    config: ConfigFile = None,
) -> None:
    """Show the newest entries of the audit trail, newest first."""
    wanted = {
        "account": account,
        "domain": domain,
        "action": action and str(action),
        "actor": actor,
        "limit": limit,
    }
    times = {
        "since": since and past_moment("--since", since),
        "until": until and past_moment("--until", until),
    }
    entries = ask(config, "GET", "/v1/audit", params=wanted | times)
    if as_json:
        show_json(entries)
        return
    for entry in entries:
        for line in _lines(entry):
            say(line)


def _lines(entry: Row) -> Iterator[str]:
    """Yield the lines of one entry. Below its first line are reply, reason and changes."""
    yield f"{human_time(entry['at'])}  {entry['action']}  {_about(entry)}  {_by(entry)}".rstrip()
    details = [text for text in (entry["answer"], entry["reason"]) if text]
    if details:
        yield f"    {'; '.join(details)}"
    for change in entry["changes"]:
        yield f"    {change['field']}: {change['before']} → {change['after']}"


def _about(entry: Row) -> str:
    names = entry["subject"].split()
    subject = entry["subject"] if len(names) <= NAMES_SHOWN else _cut(names)
    place = entry["domain"] if entry["domain"] and entry["domain"] not in names else ""
    return f"{subject} ({place})" if place else subject


def _cut(names: Sequence[str]) -> str:
    return f"{' '.join(names[:NAMES_SHOWN])} and {len(names) - NAMES_SHOWN} more"


def _by(entry: Row) -> str:
    return f"by {entry['actor']}, {entry['origin']}"
