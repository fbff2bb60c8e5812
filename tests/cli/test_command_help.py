"""The help: each command in one task, and examples that the program and a server understand."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from restante.cli.command_help import TASKS, example_of
from restante.cli.command_line import build_command
from restante.cli.command_loading import COMMANDS
from restante.cli.failures import Exit
from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command
from tests.cli.test_command_line import commands

TREE: Final = build_command()
FOUND: Final = {path.removeprefix("restante "): one for path, one in commands(TREE)}
PATHS: Final = [*FOUND][1:]
LEAVES: Final = [path for path, found in FOUND.items() if not hasattr(found, "commands")]
MAKERS: Final = ("account add", "domain add", "login add", "token add", "user invite", "notice add")
# Their names are made by a server, so this one has none such.
UNKNOWN_HERE: Final[Mapping[str, str]] = {
    "trace": "0 messages here",
    "token revoke": "token k3v9x2m7qd: does not exist",
    "token made": "token k3v9x2m7qd: does not exist",
    "change cancel": "change 7: is not waiting",
    "change apply": "change 7: is not waiting",
    "queue show": "message 1k1e60zmfj0: is not in the queue",
    "queue delete": "message 1k1e60zmfj0: is not in the queue",
    "queue bounce": "message 1k1e60zmfj0: is not in the queue",
    "report show": "report 12: does not wait",
    "report drop": "report 12: does not wait",
    "notice resend": "notice 8d1f5c30a97e4b2680c1d3f4e5a6b7c8",
    "node retire": "node mx3.example.net:1: is not known",
    "node remove": "node mx3.example.net:1: is not known",
}
NOT_RUN: Final = {
    *("serve", "setup", "init", "top", "trace-session", "etrn", "version"),  # no request, or long
    *("release", "drill", "drain stop", "notice test", "user link"),  # need more than this server
    *("store backup", "store salvage", "store move", "store check", "store upgrade"),  # of disks
    *("queue export", "queue import", "key confirm-copied", "key rotate"),
    *("login certificate", "recipient replace", "apply"),  # read files
    *("domain uptime", "domain held"),  # ask for the last days, and this server's clock is older
    "domain check",  # its exit code is that of its rows
}


def test_each_command_belongs_to_one_task() -> None:
    named = [name for names in TASKS.values() for name in names]
    assert sorted(named) == sorted(["version", *COMMANDS])


def test_the_help_has_a_section_for_each_task(command: Command) -> None:
    text = command("--help").out
    for task, names in TASKS.items():
        _, _, section = text.partition(f"\nCommands {task}:\n")
        listed = [line.split()[0] for line in section.partition("\n\n")[0].splitlines()
                  if line[:3].count(" ") == 2]  # fmt: skip
        assert listed == list(names)


@pytest.mark.parametrize("path", PATHS)
def test_an_example_is_a_command_of_the_program(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("acme.mbox").touch()  # has to exist
    words = words_of(path)
    named = path.split()
    assert words[: len(named) + 1] == ["restante", *named]
    parse(words[1:])


def test_no_two_commands_have_the_same_example() -> None:
    assert len({example_of(path) for path in LEAVES}) == len(LEAVES)


def test_an_example_fits_a_terminal_and_is_one_command_of_a_shell() -> None:
    for path in PATHS:
        lines = example_of(path).splitlines()
        assert max(map(len, lines)) <= 76, path
        assert all(line.endswith(" \\") for line in lines[:-1]), path
        assert all(line.startswith("    --") for line in lines[1:]), path
        assert not lines[-1].endswith("\\"), path


def test_a_server_accepts_the_examples(
    admin: AdminWorld,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wrong value, such as a day where a month belongs, is found by the server alone."""
    monkeypatch.chdir(tmp_path)
    failures = []
    for path in in_order(set(LEAVES) - NOT_RUN):
        done = command(*words_of(path)[1:], *confirmation(path))
        is_unknown = path in UNKNOWN_HERE
        code = Exit.NO_INPUT if is_unknown else Exit.DONE
        if done.code != code or (is_unknown and UNKNOWN_HERE[path] not in done.out + done.err):
            failures.append((path, done.code, done.err))
    assert failures == []


def in_order(paths: set[str]) -> Sequence[str]:
    """Return commands in an order in which each finds its record."""
    removers = [path for path in LEAVES if path in paths and path.endswith(" remove")]
    others = [path for path in LEAVES if path in paths and path not in (*MAKERS, *removers)]
    return [*MAKERS, *others, *reversed(removers)]


def confirmation(path: str) -> Sequence[str]:
    """Return the option that answers a command's question, if it asks one."""
    return ["--yes"] if any("--yes" in one.opts for one in FOUND[path].params) else []


def words_of(path: str) -> list[str]:
    """Return the words of an example, as a shell reads them."""
    return shlex.split(example_of(path).replace("\\\n", " "))


def parse(words: list[str]) -> None:
    """Parse a command line down to its last command. Raises what the program would refuse it by."""
    command: Any = TREE
    context = command.make_context("restante", words)
    while hasattr(command, "commands"):
        rest = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


def test_the_help_of_a_command_ends_with_its_example(command: Command) -> None:
    for path in ("queue", "queue list", "store move", "version"):
        text = command(*path.split(), "--help").out
        lines = "\n".join(f"    {line}" for line in example_of(path).splitlines())
        assert text.endswith(f"\n\n  Example:\n{lines}\n")
