"""The whole command line, and the exit code of each command."""

import copy
from collections.abc import Sequence
from typing import Annotated, Any

import typer
import typer.main

from restante import __version__
from restante.cli import (
    account_commands,
    audit_commands,
    client_commands,
    config_commands,
    domain_commands,
    drain_commands,
    init_command,
    login_commands,
    notice_commands,
    queue_commands,
    recipient_commands,
    release_command,
    report_commands,
    serve_command,
    status_command,
    store_commands,
    top,
)
from restante.cli.api_client import GIVEN_SOCKET
from restante.cli.failures import Exit, Failure, complain
from restante.cli.options import ConfigFile, Socket

app = typer.Typer(
    name="restante",
    help="A backup MX that holds mail for domains and hands it over when their own server asks.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(*, is_wanted: bool) -> None:
    if is_wanted:
        version()
        raise typer.Exit


@app.callback()
def restante(
    context: typer.Context,
    *,
    config: ConfigFile = None,
    socket: Socket = None,  # noqa: ARG001  its callback keeps it
    version: Annotated[  # noqa: ARG001  its callback has done it
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """A backup MX that holds mail for domains and hands it over when their own server asks."""
    context.obj = config


@app.command()
def version() -> None:
    """Show the version."""
    typer.echo(f"restante {__version__}")


for _group in (
    account_commands,
    login_commands,
    domain_commands,
    recipient_commands,
    queue_commands,
    drain_commands,
    report_commands,
    notice_commands,
    store_commands,
    config_commands,
):
    app.add_typer(_group.group)
app.command()(init_command.init)
app.command()(serve_command.serve)
app.command()(status_command.status)
app.command()(top.top)
app.command()(release_command.release)
app.command()(audit_commands.audit)
app.command()(client_commands.etrn)


_WITHOUT_SOCKET = {"init", "serve", "etrn", "config"}  # they ask no running server


def build_command() -> Any:
    """Return the whole command line. Commands that use a server also take --socket."""
    root: Any = typer.main.get_command(app)
    [option] = [parameter for parameter in root.params if parameter.name == "socket"]
    option = copy.copy(option)
    option.expose_value = False  # its callback has kept it; no command has to hand it on
    for name, command in root.commands.items():
        if name not in _WITHOUT_SOCKET:
            _add_option(command, option)
    return root


def _add_option(command: Any, option: Any) -> None:
    for inner in getattr(command, "commands", {}).values():
        _add_option(inner, option)
    if any(parameter.name == "config" for parameter in command.params):
        command.params.append(option)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. An error is one line on standard error."""
    GIVEN_SOCKET.set(None)
    try:
        outcome = build_command().main(
            args=list(arguments), prog_name="restante", standalone_mode=False
        )
    except Failure as failure:
        complain(*failure.texts)
        return failure.code
    except typer.TyperException as error:
        complain(_usage(error))
        return Exit.USAGE
    except typer.Abort:
        complain("stopped; nothing was changed")
        return Exit.STOPPED
    return outcome if isinstance(outcome, int) else Exit.DONE


def _usage(error: typer.TyperException) -> str:
    """Return an error of the command line as one line."""
    context: typer.Context | None = getattr(error, "ctx", None)
    command = context.command_path if context else "restante"
    text = (
        " ".join(error.format_message().split()).removesuffix(".").replace(": Value error, ", ": ")
    )
    return f"{text[:1].lower()}{text[1:]}; see {command} --help"
