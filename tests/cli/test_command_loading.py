"""Only the command that is named is loaded; everything where none is."""

import pytest

from restante.cli.command_line import build_command
from restante.cli.command_loading import COMMANDS, NamedCommand, named_command


@pytest.mark.parametrize(
    ("arguments", "name", "following"),
    [
        ("status --json", "status", "--json"),
        ("status", "status", ""),
        ("--config status queue list", "queue", "list"),
        ("--config=status queue list", "queue", "list"),
        ("--socket top trace x", "trace", "x"),
        ("export-config", "export-config", ""),
    ],
)
def test_the_first_name_of_a_command_is_meant(arguments: str, name: str, following: str) -> None:
    assert named_command(arguments.split()) == NamedCommand(name, following)


@pytest.mark.parametrize(
    "arguments", ["", "--help", "--version", "version", "statsu", "statsu status", "--config", "-"]
)
def test_help_and_mistakes_name_none(arguments: str) -> None:
    assert named_command(arguments.split()) is None


def test_the_names_of_the_table_are_those_of_the_commands() -> None:
    assert [*build_command().commands] == ["version", *COMMANDS]
    for name in COMMANDS:
        assert [*build_command(NamedCommand(name)).commands] == ["version", name]


def test_a_group_has_the_command_that_is_named() -> None:
    for name, group in build_command().commands.items():
        for inner in getattr(group, "commands", ()):
            loaded = build_command(NamedCommand(name, inner)).commands[name].commands
            assert inner in loaded
            assert set(loaded) <= set(group.commands)


@pytest.mark.parametrize("following", ["", "--help", "lisst"])
def test_help_and_a_mistake_behind_a_group_load_all_of_it(following: str) -> None:
    whole = build_command().commands["queue"].commands
    assert [*build_command(NamedCommand("queue", following)).commands["queue"].commands] == [*whole]


def test_building_twice_adds_no_command_twice() -> None:
    for _ in range(2):
        names = [*build_command().commands["queue"].commands]
        assert len(names) == len(set(names))
