"""`restante audit`: who did or asked for what, from where, what was answered, why, and what it changed."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import typer

from restante.cli.api_client import ask
from restante.cli.display import Row, human_time, say, show_json
from restante.cli.options import ConfigFile, Json, past_moment
from restante.tenancy.audit import AuditAction

NAMES_SHOWN: Final = 3  # of the messages of one entry; --json has all


def audit(
    *,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="Only this account's.")
    ] = None,
    domain: Annotated[
        str | None, typer.Option("--domain", metavar="DOMAIN", help="Only about this domain.")
    ] = None,
    action: Annotated[
        AuditAction | None,
        typer.Option("--action", metavar="ACTION", help="Only of this kind, such as mail-deleted."),
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option(
            "--actor", metavar="WHO", help='Only by these: "login NAME", "operator", a name.'
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Not before: 2d ago, or an ISO time (UTC)."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Before: as --since.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=100_000, help="At most so many.")
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
    """Spell one entry: who did what to what, and below it from where, the answer, why, and what changed."""
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
