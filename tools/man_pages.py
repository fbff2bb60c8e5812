"""Write a man page for every command, from the command tree.

python -m tools.man_pages DIRECTORY    writes restante.1, restante-queue.1, restante-queue-list.1, …
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import typer

from restante import __version__
from restante.cli.command_help import example_of
from restante.cli.command_line import build_command
from tools.client_man_pages import client_pages
from tools.commit_time import source_epoch
from tools.roff import described, escaped, quoted

_ENVIRONMENT: Final = (
    ("RESTANTE_CONFIG", "The configuration file, where --config does not name one."),
    ("RESTANTE_CONTROL_SOCKET", "The control socket, where --socket does not name one."),
    ("NO_COLOR", "If it is set and not empty, nothing is bold or has a color."),
    ("FORCE_COLOR", "If it is set and not empty, output has colors also where no terminal is."),
)
_FILES: Final = (("/etc/restante/restante.toml", "The configuration, unless ./restante.toml is."),)


def pages(epoch: int) -> Iterator[tuple[str, str]]:
    """Yield the file name and text of each page. `epoch` is the Unix time that pages show."""
    day = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d")
    root = build_command()
    for path, parents, command in _commands("restante", root, ()):
        yield f"{_name(path)}.1", "\n".join(_page(path, parents, command, day)) + "\n"
    yield from client_pages(day)


def _commands(
    path: str, command: Any, parents: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    yield path, parents, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(f"{path} {name}", inner, (*parents, path))


def _name(path: str) -> str:
    return path.replace(" ", "-")


def _page(path: str, parents: Sequence[str], command: Any, day: str) -> Iterator[str]:
    if not command.help:
        raise ValueError(f"command {path} has no description; write its docstring")
    summary, *more = [" ".join(part.split()) for part in command.help.split("\n\n")]
    yield f'.TH {quoted(_name(path).upper())} 1 {day} "restante {__version__}" "User Commands"'
    yield from (".SH NAME", f"{escaped(_name(path))} \\- {escaped(summary.rstrip('.'))}")
    yield from (".SH SYNOPSIS", f".B {escaped(path)}", escaped(_usage(path, command)))
    yield from (".SH DESCRIPTION", escaped(summary))
    for part in more:
        yield from (".PP", escaped(part))
    yield from described("ARGUMENTS", [_argument(one) for one in _of_kind(command, "argument")])
    context = typer.Context(command, info_name=path)
    options = [_option(one, context) for one in _of_kind(command, "option")]
    yield from described("OPTIONS", [*options, ("--help", "Show the help and exit.")])
    inner = getattr(command, "commands", {})
    yield from described(
        "COMMANDS",
        [(f"{_name(path)}-{name}(1)", one.short_help) for name, one in inner.items()],
    )
    if parents:
        yield from _example(path.removeprefix(f"{parents[0]} "))
        yield ".SH SEE ALSO"
        yield from _references(parents)
    else:
        yield from described("ENVIRONMENT", _ENVIRONMENT)
        yield from described("FILES", _FILES)


def _example(path: str) -> Iterator[str]:
    """Yield the example of a command, in lines that man does not fill."""
    yield from (".SH EXAMPLES", ".nf")
    yield from map(escaped, example_of(path).splitlines())
    yield ".fi"


def _references(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        ending = "" if path == paths[-1] else ","
        yield f".BR {escaped(_name(path))} (1){ending}"


def _of_kind(command: Any, kind: str) -> Sequence[Any]:
    return [
        one
        for one in command.params
        if one.param_type_name == kind and one.name != "help" and not getattr(one, "hidden", False)
    ]


def _usage(path: str, command: Any) -> str:
    """Return the pieces of the usage behind the command's name."""
    return " ".join(command.collect_usage_pieces(typer.Context(command, info_name=path)))


def _argument(parameter: Any) -> tuple[str, str]:
    several = "..." if parameter.nargs == -1 else ""
    return f"{parameter.metavar or parameter.name.upper()}{several}", parameter.help or ""


def _option(parameter: Any, context: typer.Context) -> tuple[str, str]:
    spelled, meaning = parameter.get_help_record(context)
    return spelled, meaning


def main(arguments: Sequence[str]) -> int:
    """Write the pages."""
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in pages(int(source_epoch())):
        (directory / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
