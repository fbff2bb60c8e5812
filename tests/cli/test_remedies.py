"""Each command that a text of the program tells people to type is one that exists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import restante
from restante.cli.command_line import build_app
from tests.source_tree import parse_source

SOURCES = Path(restante.__file__).parent
NAMED = re.compile(
    r"`restante ([a-z][^`]*)`|\brestante ((?:serve|init|config) --?[a-z-]+[A-Za-z ]*)"
)
OPTION = re.compile(r"--[a-z][a-z-]*")


def texts() -> Iterator[tuple[str, str]]:
    """Yield the place and the words of each command that a text names."""
    for file in sorted(SOURCES.rglob("*.py")):
        for line, text in spelled_in(parse_source(file.read_text())):
            for found in NAMED.finditer(text):
                yield f"{file.relative_to(SOURCES)}:{line}", found[1] or found[2]


def spelled_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and text of each string; NAME stands for a value that is filled in."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)):
                yield node.lineno, text
            case ast.JoinedStr(values=values):
                parts = (one.value if isinstance(one, ast.Constant) else "NAME" for one in values)
                yield node.lineno, "".join(map(str, parts))


def test_a_command_around_a_value_is_found_whole() -> None:
    tree = parse_source('remedy = f"see `restante login list {account} --jsn`"')
    assert [found[1] for _, text in spelled_in(tree) if (found := NAMED.search(text))] == [
        "login list NAME --jsn"
    ]


def unknown_in(words: str) -> str:
    """Return the first word of a command that the program does not have, "" if it has them all."""
    command: Any = typer.main.get_command(build_app())
    for word in words.split():
        if not hasattr(command, "commands") or not word.islower() or word.startswith("-"):
            break
        names = [name for name in word.split("|") if name]
        if missing := [name for name in names if name not in command.commands]:
            return missing[0]
        command = command.commands[names[0]]
    options = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    return next((each for each in OPTION.findall(words) if each not in options), "")


COMMANDS = sorted({words for _, words in texts()})


def test_there_are_some() -> None:
    assert len(COMMANDS) > 30


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_that_is_named_exists(words: str) -> None:
    assert unknown_in(words) == ""


@pytest.mark.parametrize(
    ("words", "unknown"),
    [
        ("queue let NAME", "let"),
        ("queue release --al", "--al"),
        ("queue delete|drop NAME", "drop"),
        ("queue release --all", ""),
    ],
)
def test_a_command_that_does_not_exist_is_found(words: str, unknown: str) -> None:
    assert unknown_in(words) == unknown
