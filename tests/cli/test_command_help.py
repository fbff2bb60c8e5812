"""The help: each command in one task, and an example that the program understands."""

import shlex
from typing import Any

import pytest

from restante.cli.command_help import EXAMPLES, TASKS
from restante.cli.command_line import build_command
from restante.cli.command_loading import COMMANDS
from tests.cli.conftest import Command
from tests.documents.command_check import complaint


def test_each_command_belongs_to_one_task_and_has_an_example() -> None:
    named = [name for names in TASKS.values() for name in names]
    assert sorted(named) == sorted(["version", *COMMANDS])
    assert [*EXAMPLES] == sorted(named)


def test_the_help_has_a_section_for_each_task(command: Command) -> None:
    text = command("--help").out
    for task, names in TASKS.items():
        _, _, section = text.partition(f"\nCommands {task}:\n")
        listed = [line.split()[0] for line in section.partition("\n\n")[0].splitlines()
                  if line[:3].count(" ") == 2]  # fmt: skip
        assert listed == list(names)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_a_command_of_the_program(name: str) -> None:
    words = shlex.split(EXAMPLES[name])
    assert words[:2] == ["restante", name]
    assert complaint(words) == ""
    parse(words[1:])


def parse(words: list[str]) -> None:
    """Parse a command line down to its last command. Raises what the program would refuse it by."""
    command: Any = build_command()
    context = command.make_context("restante", words)
    while hasattr(command, "commands"):
        rest = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


def test_the_help_of_a_command_ends_with_its_example(command: Command) -> None:
    assert command("queue", "--help").out.endswith(f"\n  Example: {EXAMPLES['queue']}\n")
    assert command("version", "--help").out.endswith("\n  Example: restante version\n")
