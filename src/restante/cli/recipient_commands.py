"""`restante recipient`: the known mailboxes of a domain."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from restante.cli.api_client import PAGE, ask, segment
from restante.cli.display import Column, say, show_json, show_listing, text_column, time_column
from restante.cli.failures import Exit, Failure
from restante.cli.options import (
    ConfigOption,
    DomainArgument,
    JsonOption,
    OptionalReasonOption,
    YesOption,
)

group = typer.Typer(
    name="recipient",
    help="The known mailboxes of a domain. `domain set --recipients` uses them.",
)

AddressesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ADDRESS",
        help="user, user@DOMAIN, or a pattern such as sales-*. Or use --file.",
    ),
]
AddressFileOption = Annotated[
    str | None,
    typer.Option(
        "--file",
        metavar="FILE",
        help="File with one address a line; # begins a comment; - for standard input.",
    ),
]

COLUMNS = (
    text_column("NAME", "name"),
    text_column("SOURCE", "source"),
    Column("IS THERE", lambda row: "yes" if row["is_there"] else "no"),
    time_column("SINCE", "at"),
)


@group.command("add")
def add(
    domain: DomainArgument,
    addresses: AddressesArgument = None,
    *,
    file: AddressFileOption = None,
    reason: OptionalReasonOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Add addresses to a domain's list."""
    body = {"add": _given(addresses, file)}
    done = ask(config, "PATCH", _path(domain), params={"reason": reason}, body=body)
    _report(domain, done, as_json=as_json)


@group.command("remove")
def remove(
    domain: DomainArgument,
    addresses: AddressesArgument = None,
    *,
    file: AddressFileOption = None,
    reason: OptionalReasonOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Remove addresses from a domain's list."""
    body = {"remove": _given(addresses, file)}
    done = ask(config, "PATCH", _path(domain), params={"reason": reason}, body=body)
    _report(domain, done, as_json=as_json)


@group.command("replace")
def replace(
    domain: DomainArgument,
    addresses: AddressesArgument = None,
    *,
    file: AddressFileOption = None,
    yes: YesOption = False,
    reason: OptionalReasonOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Replace a domain's list.

    The command asks for confirmation if that drops more than a fifth of the old list.
    """
    body: dict[str, Any] = {"addresses": _given(addresses, file)}
    if not yes:
        _confirm(domain, ask(config, "PUT", _path(domain), body=body | {"is_preview": True}))
    body |= {"is_confirmed": True}
    done = ask(config, "PUT", _path(domain), params={"reason": reason}, body=body)
    _report(domain, done, as_json=as_json)


@group.command("list")
def list_all(
    domain: DomainArgument, *, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """List the known addresses of a domain.

    They are on its list, or its destination accepted or refused them.
    """
    rows = ask(config, "GET", _path(domain), params={"limit": PAGE})
    show_listing(rows, COLUMNS, as_json=as_json, thing="recipient")


def _path(domain: str) -> str:
    return f"/v1/domains/{segment(domain)}/recipients"


def _given(addresses: list[str] | None, file: str | None) -> list[str]:
    """Return the addresses of the command line and of the file. Raises Failure."""
    if not addresses and file is None:
        raise typer.BadParameter("no address given: name some, or give --file")
    return [*(addresses or ()), *(_read(file) if file is not None else ())]


def _read(file: str) -> list[str]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise Failure(
            Exit.NO_INPUT, f"{file}: {error.strerror}; name a file with one address a line"
        ) from None
    except UnicodeDecodeError:
        raise Failure(Exit.DATA, f"{file}: is not UTF-8; write one address a line") from None
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def _confirm(domain: str, change: dict[str, Any]) -> None:
    if not change["is_large"]:
        return
    what = (
        f"{change['dropped']} of the recipients of {domain} would be dropped, {change['listed']}"
        " would remain"
    )
    if not sys.stdin.isatty():
        raise Failure(
            Exit.USAGE, f"recipient replace: {what}; pass --yes if the new list is complete"
        )
    typer.confirm(f"{what}. Is the new list complete?", abort=True)


def _report(domain: str, change: dict[str, Any], *, as_json: bool) -> None:
    counts = {key: change[key] for key in ("added", "dropped", "listed")}
    is_changed = bool(change["added"] or change["dropped"])
    if as_json:
        show_json({"changed": is_changed, **counts})
        return
    parts = [f"{number} {word}" for word, number in counts.items()]
    say(f"domain {domain}: {'' if is_changed else 'no change; '}{', '.join(parts)}")
