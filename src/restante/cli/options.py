"""Options that many commands share, and how their values are read."""

import functools
import inspect
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeVar, get_args

import typer

from restante.cli.api_client import GIVEN_SOCKET
from restante.cli.failures import Exit, Failure
from restante.mail.octets import read_octets
from restante.mail.quantity import read_span

NEVER = "never"
REQUIRED: Final = inspect.Parameter.empty  # the default of an option that must be given

_Result = TypeVar("_Result")


def _given_or_global(context: typer.Context, value: Path | None) -> Path | None:
    """Accept --config both before and after the command."""
    return value or context.find_root().obj


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration file. Default: $RESTANTE_CONFIG, ./restante.toml or"
        " /etc/restante/restante.toml.",
        callback=_given_or_global,
        show_default=False,
    ),
]


def _remembered(value: Path | None) -> Path | None:
    """Use --socket for every request of this command."""
    if value is not None:
        GIVEN_SOCKET.set(value.absolute())
    return value


SocketOption = Annotated[
    Path | None,
    typer.Option(
        "--socket",
        metavar="PATH",
        help="Control socket of a running server. Default: $RESTANTE_CONTROL_SOCKET, or the one of"
        " the configuration.",
        callback=_remembered,
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON: stable keys, ISO times, sizes in octets.")
]
RowsOption = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, max=100_000, help="Maximum number of rows.")
]
DomainArgument = Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
SinceOption = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Start: an age such as 2d, or an ISO time (UTC)."),
]
UntilOption = Annotated[
    str | None,
    typer.Option("--until", metavar="TIME", help="End, in the same form as --since."),
]
ReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Reason for the audit trail.")
]
OptionalReasonOption = Annotated[
    str | None,
    typer.Option(
        "--reason", metavar="TEXT", help="Reason for the audit trail.", show_default=False
    ),
]
ReasonUnlessDryOption = Annotated[
    str | None,
    typer.Option(
        "--reason",
        metavar="TEXT",
        help="Reason for the audit trail. Required without --dry-run.",
        show_default=False,
    ),
]
PasswordStdinOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


def seconds(text: str) -> int:
    """Read an age such as 2d or 90m. Raises typer.BadParameter."""
    try:
        return read_span(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def past_moment(option: str, text: str) -> float:
    """Return the Unix time of an age (2d: two days ago) or an ISO time.

    Raises typer.BadParameter.
    """
    with suppress(ValueError):
        return time.time() - read_span(text)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        remedy = "write an age such as 2d, or a time such as 2026-11-28T03:00"
        raise typer.BadParameter(f"{option}: {text!r} is not a time; {remedy}") from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def expiry(text: str | None) -> str | None:
    """Return a time to come as the API takes it, from an age such as 90d, an ISO time, or never.

    Raises typer.BadParameter.
    """
    if text is None or text == NEVER:
        return text
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(time.time() + seconds(text), UTC).isoformat()
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).isoformat()


def time_span(since: str | None, until: str | None) -> dict[str, float | None]:
    """Return the values of --since and --until as the API takes them.

    Raises typer.BadParameter.
    """
    return {
        "since": past_moment("--since", since) if since else None,
        "until": past_moment("--until", until) if until else None,
    }


def owner(account: str | None, *, is_operator: bool) -> str | None:
    """Return the owner of the things to list, "" for the operators; None for everybody."""
    if is_operator and account is not None:
        raise typer.BadParameter("give ACCOUNT or --operator, not both")
    return "" if is_operator else account


def parse_octets(text: str) -> int:
    """Read a size such as 500, 64K or 10M. Raises typer.BadParameter."""
    try:
        return read_octets(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def password_from_stdin() -> str:
    """Return the first line of standard input. Raises Failure if there is none."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise Failure(
            Exit.USAGE, "password: standard input is empty; write the password there, on one line"
        )
    return password


def with_options(
    command: Callable[..., _Result],
    replaced: str,
    options: Mapping[str, Any],
    gather: Callable[[Mapping[str, Any]], object],
    defaults: Mapping[str, object] = MappingProxyType({}),
) -> Callable[..., _Result]:
    """Give a command these options in place of one parameter, which gets all their values.

    `options` are annotations by name. Without a default among `defaults`, a flag has False, and any
    other option None.
    """

    @functools.wraps(command)
    def run(**given: Any) -> _Result:
        chosen = {name: given.pop(name) for name in options}
        return command(**given, **{replaced: gather(chosen)})

    signature = inspect.signature(command)
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        if parameter.name != replaced:
            parameters.append(parameter)
            continue
        parameters += [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=defaults.get(name, _default_of(kind)),
                annotation=kind,
            )
            for name, kind in options.items()
        ]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    kinds = {parameter.name: parameter.annotation for parameter in parameters}
    run.__annotations__ = kinds | {"return": signature.return_annotation}
    return run


def _default_of(kind: Any) -> bool | None:
    """Return the default of an option: False for a flag, None for any other."""
    return False if get_args(kind)[:1] == (bool,) else None


def reason_for(command: str, reason: str | None, *, is_dry_run: bool) -> str:
    """Return the reason for a change. A dry run changes nothing and needs none. Raises Failure."""
    if reason is None and not is_dry_run:
        raise Failure(Exit.USAGE, f"missing option '--reason'; see restante {command} --help")
    return reason or ""
