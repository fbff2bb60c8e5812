"""The man pages of restante-client, from its parser: one for the program and one for each verb."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Final

from restante_client import __version__
from restante_client.client_arguments import EXAMPLES, PROGRAM, build_parser
from tools.roff import described, escaped, quoted

_SEE_SERVER: Final = (".SH SEE ALSO", ".BR restante (1)")


def client_pages(day: str) -> Iterator[tuple[str, str]]:
    """Yield the file name and text of each page. `day` is the date that pages show."""
    parser = build_parser()
    verbs = _verbs(parser)
    rows = [(f"{PROGRAM}-{name}(1)", _summary(verb)) for name, verb in verbs.items()]
    yield _file(PROGRAM, [*_head(PROGRAM, parser, day), *described("COMMANDS", rows), *_SEE_SERVER])
    for name, verb in verbs.items():
        page = [*_head(f"{PROGRAM}-{name}", verb, day), ".SH EXAMPLES", ".nf"]
        page += [*map(escaped, EXAMPLES[name].splitlines()), ".fi"]
        yield _file(f"{PROGRAM}-{name}", [*page, ".SH SEE ALSO", f".BR {escaped(PROGRAM)} (1)"])


def _file(name: str, lines: Sequence[str]) -> tuple[str, str]:
    return f"{name}.1", "\n".join(lines) + "\n"


def _verbs(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    [verbs] = [
        action
        for action in parser._actions  # noqa: SLF001  argparse has no other way
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001
    ]
    return dict(verbs.choices)


def _summary(parser: argparse.ArgumentParser) -> str:
    return (parser.description or "").partition(". ")[0].rstrip(".")


def _head(name: str, parser: argparse.ArgumentParser, day: str) -> Iterator[str]:
    yield f'.TH {quoted(name.upper())} 1 {day} "{PROGRAM} {__version__}" "User Commands"'
    yield from (".SH NAME", f"{escaped(name)} \\- {escaped(_summary(parser))}")
    usage = " ".join(parser.format_usage().split()).removeprefix(f"usage: {parser.prog} ")
    yield from (".SH SYNOPSIS", f".B {escaped(parser.prog)}", escaped(usage))
    yield from (".SH DESCRIPTION", escaped(parser.description or ""))
    actions = [
        one
        for one in parser._actions  # noqa: SLF001  argparse has no other way
        if not isinstance(one, argparse._SubParsersAction)  # noqa: SLF001
    ]
    operands = [_row(one) for one in actions if not one.option_strings]
    yield from described("ARGUMENTS", operands)
    yield from described("OPTIONS", [_row(one) for one in actions if one.option_strings])


def _row(action: argparse.Action) -> tuple[str, str]:
    value = str(action.metavar or ("|".join(action.choices) if action.choices else ""))
    if not action.option_strings:
        return f"{value}{'...' if action.nargs in ('+', '*') else ''}", action.help or ""
    spelled = ", ".join(action.option_strings)
    return f"{spelled} {value}" if value and action.nargs != 0 else spelled, action.help or ""
