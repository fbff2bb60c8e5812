"""The whole command line, and the exit code of each command."""

import copy
import errno
import os
import re
import sys
import textwrap
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import typer.main

from restante import __version__
from restante.cli.api_client import GIVEN_SOCKET
from restante.cli.command_help import CommandsByTask, example_of
from restante.cli.command_loading import NamedCommand, load_commands, named_command
from restante.cli.failures import Exit, Failure, complain_of_failure
from restante.cli.options import ConfigOption, SocketOption
from restante.phrases import did_you_mean


def _show_version(*, is_wanted: bool) -> None:
    if is_wanted:
        version()
        raise typer.Exit


def restante(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    socket: SocketOption = None,  # noqa: ARG001  its callback keeps it
    version: Annotated[  # noqa: ARG001  its callback has done it
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """A backup MX that holds mail for domains and hands it over when their own server asks."""
    context.obj = config


def version() -> None:
    """Show the version."""
    typer.echo(f"restante {__version__}")


_NOT_A_NUMBER: Final = (
    "Input should be a valid integer, unable to parse string as an integer"  # Pydantic's words
)
_CHOICES: Final = re.compile(r"'(?P<given>[^']*)' is (?P<list>not one of (?P<choices>'.*'))$")
# Typer's guesses: several commands with the best first, or several options by the alphabet.
_MEANT: Final = re.compile(r"\. Did you mean '(?P<command>[^']*)'[^?]*\?$")
_OPTIONS: Final = re.compile(r"(?P<given>\S*) \(Possible options: (?P<options>[^)]*)\)$")
_QUOTED: Final = re.compile(r"'([^']*)'")
_STDOUT: Final = 1  # its file descriptor
_ASK_NO_SERVER: Final = {
    "setup",
    "init",
    "serve",
    "etrn",
    "config",
    "key",
    "store check",
    "store salvage",
    "store upgrade",
    "store move",
}
_LAST: Final = ("as_json", "config", "socket")  # options that many commands have, in this order


def build_command(named: NamedCommand | None = None) -> Any:
    """Return the command line; only with the command that is named, if one is.

    Commands that use a server also take --socket.
    """
    root: Any = typer.main.get_command(build_app(named))
    [option] = [parameter for parameter in root.params if parameter.name == "socket"]
    option = copy.copy(option)
    option.expose_value = False  # its callback has kept it; no command has to hand it on
    for name, command in root.commands.items():
        _complete(command, name, option)
    _put_last(root)
    return root


def build_app(named: NamedCommand | None = None) -> typer.Typer:
    """Return the typer application; only with the command that is named, if one is."""
    app = typer.Typer(
        name="restante",
        cls=CommandsByTask,
        help=restante.__doc__,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(restante)
    app.command()(version)
    load_commands(app, named)
    return app


def _complete(command: Any, path: str, socket: Any) -> None:
    """Add --socket where it has a use, and an example; order options; keep summaries whole."""
    if path in _ASK_NO_SERVER:
        socket = None
    for name, inner in getattr(command, "commands", {}).items():
        _complete(inner, f"{path} {name}", socket)
    if socket is not None and any(one.name == "config" for one in command.params):
        command.params.append(socket)
    _put_last(command)
    command.short_help = " ".join((command.help or "").partition("\n\n")[0].split())
    command.epilog = f"\b\nExample:\n{textwrap.indent(example_of(path), '  ')}"


def _put_last(command: Any) -> None:
    """Put the options that many commands have behind a command's own."""
    command.params.sort(key=lambda one: _LAST.index(one.name) if one.name in _LAST else -1)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. An error is one line on standard error."""
    GIVEN_SOCKET.set(None)
    if sys.stdout is None:  # it was closed before the start
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  to the end
    try:
        command = build_command(named_command(arguments))
        outcome = command.main(args=list(arguments), prog_name="restante", standalone_mode=False)
        sys.stdout.flush()  # a full disk behind it must not pass for success
    except Failure as failure:
        complain_of_failure(*failure.texts)
        return failure.code
    except typer.TyperException as error:
        complain_of_failure(_usage(error))
        return Exit.USAGE
    except typer.Abort:
        complain_of_failure("stopped; nothing was changed")
        return Exit.STOPPED
    except OSError as error:
        return _failed(error)
    return outcome if isinstance(outcome, int) else Exit.DONE


def _failed(error: OSError) -> Exit:
    """Report a file, or the output, that could not be read or written. Return the exit code."""
    if error.filename is None and error.errno in (errno.EPIPE, errno.ENOSPC, errno.EIO):
        with Path(os.devnull).open("w") as nowhere:  # the buffer is written there at the end
            os.dup2(nowhere.fileno(), _STDOUT)
        if error.errno != errno.EPIPE:  # a reader that has enough, such as `head`, is no error
            complain_of_failure(f"standard output: {error.strerror}; write it to another place")
        return Exit.CANNOT_CREATE
    is_forbidden = isinstance(error, PermissionError)
    remedy = "run as root or as the server's user" if is_forbidden else "check this path"
    place = f"{error.filename}: " if error.filename is not None else ""
    complain_of_failure(f"{place}{error.strerror or error}; {remedy}")
    return Exit.NOT_ALLOWED if is_forbidden else Exit.UNAVAILABLE


def _usage(error: typer.TyperException) -> str:
    """Return an error of the command line as one line."""
    context: typer.Context | None = getattr(error, "ctx", None)
    command = context.command_path if context else "restante"
    text = (
        " ".join(error.format_message().split())
        .removesuffix(".")
        .replace(": Value error, ", ": ")
        .replace(_NOT_A_NUMBER, "write a whole number")
    )
    text = _MEANT.sub(lambda found: f"; did you mean {found['command']}", text)
    text = _OPTIONS.sub(_nearest_option, text)
    return f"{text[:1].lower()}{_nearest_choice(text[1:])}; see {command} --help"


def _nearest_option(found: re.Match[str]) -> str:
    given, options = found["given"], found["options"].split(", ")
    [nearest] = get_close_matches(given, options, n=1, cutoff=0)
    return f"{given}; did you mean {nearest}"


def _nearest_choice(text: str) -> str:
    """Return an error with the choice that was most likely meant, instead of all of them."""
    found = _CHOICES.search(text)
    if found is None:
        return text
    meant = did_you_mean(found["given"], _QUOTED.findall(found["choices"]))
    return f"{text[: found.start('list')]}not known; {meant.removesuffix('?')}" if meant else text
