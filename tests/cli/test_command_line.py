"""The whole command line: every listing as text and JSON, every error one line and a code."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from restante.admin import login_passwords
from restante.cli.command_line import build_command
from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command


@pytest.fixture(autouse=True)
def _cheap_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_passwords, "hash_password", lambda password: f"hash of {password}")


@pytest.mark.parametrize(
    "arguments",
    [
        ("account", "list"),
        ("account", "show", "alpha"),
        ("login", "list", "alpha"),
        ("domain", "list", "--account", "alpha"),
        ("domain", "show", "alpha.example"),
        ("queue", "list", "alpha.example"),
        ("audit", "--account", "alpha", "--limit", "5"),
        ("status",),
        ("config", "show"),
    ],
)
def test_every_listing_is_to_be_had_as_json_and_as_text(
    installation: Path, command: Command, arguments: list[str]
) -> None:
    as_json, as_text = command(*arguments, "--json"), command(*arguments)
    assert (as_json.code, as_json.err, as_text.code, as_text.err) == (0, "", 0, "")
    json.loads(as_json.out)
    assert as_text.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("account", "add", "Alpha"), 65),
        (("account", "add", "alpha", "--note", "another"), 73),
        (("account", "show", "beta"), 66),
        (("account", "remove", "alpha", "--reason", "x"), 65),
        (("account", "remove", "alpha"), 64),
        (("account", "set", "alpha"), 64),
        (("login", "set", "alpha", "nobody"), 64),
        (("login", "set", "alpha", "nobody", "--no-cram-md5"), 66),
        (("login", "add", "alpha", "p", "--generate", "--password-stdin"), 64),
        (("login", "add", "alpha", "p", "--password-stdin"), 64),
        (("login", "add", "alpha", "p"), 64),
        (("domain", "set", "alpha.example"), 64),
        (("domain", "set", "beta.example", "--connections", "1"), 66),
        (("domain", "set", "alpha.example", "--connections", "0"), 64),
        (("domain", "set", "alpha.example", "--tls", "maybe"), 64),
        (("domain", "set", "alpha.example", "--destination-login", "us"), 64),
        (("domain", "set", "alpha.example", "--hold", "sometimes"), 64),
        (("domain", "set", "alpha.example", "--hold", "suspended"), 64),
        (("domain", "set", "alpha.example", "--reason", "not paid"), 64),
        (
            (
                "domain",
                "set",
                "alpha.example",
                "--hold",
                "suspended",
                "--reason",
                "x",
                "--until",
                "1999-01-01",
            ),
            65,
        ),
        (("domain", "set", "alpha.example", "--until", "some day"), 64),
        (("domain", "set", "alpha.example", "--accept", "when-down"), 64),
        (("domain", "set", "alpha.example", "--force-until", "2d"), 64),
        (("domain", "set", "alpha.example", "--force-accept", "maybe"), 65),
        (("domain", "set", "alpha.example", "--quota", "much"), 64),
        (("domain", "set", "alpha.example", "--quota-messages", "0"), 64),
        (("domain", "set", "alpha.example", "--retention", "0"), 64),
        (("account", "set", "alpha", "--quota", "much"), 64),
        (("queue", "show", "zzz"), 66),
        (("queue", "show", "!"), 65),
        (("queue", "list", "--older", "soon"), 64),
        (("queue", "list", "--larger", "much"), 64),
        (("queue", "delete", "abc", "--reason", "x"), 66),
        (("queue", "delete", "abc", "--reason", "x", "--yes"), 66),
        (("release", "alpha.example"), 69),
        (("frobnicate",), 64),
        (("account",), 64),
        ((), 64),
    ],
)
def test_every_error_is_one_line_and_an_exit_code(
    installation: Path, command: Command, arguments: list[str], code: int
) -> None:
    outcome = command(*arguments)
    assert outcome.code == code
    assert outcome.out in ("", "0 messages deleted\n")
    (line,) = outcome.err.splitlines()
    assert line.startswith("restante: ")
    assert "; " in line  # a remedy follows


def test_the_configuration_may_be_named_before_or_after_the_command(
    installation: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RESTANTE_CONFIG")
    file = installation / "restante.toml"
    assert command("--config", file, "account", "list").code == 0
    assert command("account", "list", "--config", file).code == 0
    assert command("account", "list", "--config", installation / "other.toml").code == 78


@pytest.mark.parametrize("arguments", [["version"], ["--version"]])
def test_the_version_is_said(command: Command, arguments: list[str]) -> None:
    outcome = command(*arguments)
    assert outcome.code == 0
    assert outcome.out.startswith("restante ")


def test_a_value_that_is_none_is_answered_with_the_choices(
    admin: AdminWorld, command: Command
) -> None:
    ended = command("queue", "list", "--status", "bogus")
    assert (ended.code, "Value error" in ended.err) == (64, False)
    assert "'held'" in ended.err
    assert "'refused'" in ended.err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("sttus", "no such command 'sttus'; did you mean status; see restante --help"),
        ("queue lst", "no such command 'lst'; did you mean list; see restante queue --help"),
        ("status --jsn", "no such option: --jsn; did you mean --json; see restante status --help"),
        ("trace-session --sorce x", "no such option: --sorce; did you mean --source; see"),
        ("trace-session --reasn x", "no such option: --reasn; did you mean --reason; see"),
        ("domain add x --destnation y", "no such option: --destnation; did you mean --destin"),
        ("domain set x --quote 1", "no such option: --quote; did you mean --quota; see"),
        ("xyzzy", "no such command 'xyzzy'; see restante --help"),
    ],
)
def test_the_likely_command_or_option_is_named(command: Command, words: str, meant: str) -> None:
    assert command(*words.split()).err.startswith(f"restante: {meant}")


def commands(command: Any, path: str = "restante") -> Iterator[tuple[str, Any]]:
    """Yield each command, and each group of them, with its path."""
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{path} {name}")


def test_options_that_many_commands_have_are_last() -> None:
    for path, found in commands(build_command()):
        names = [one.name for one in found.params if one.name != "help"]
        common = [name for name in names if name in {"as_json", "config", "socket"}]
        assert names[len(names) - len(common) :] == common, path
        assert common == sorted(common), path


def test_no_dry_run_demands_a_reason() -> None:
    found = [
        (path, one.required)
        for path, command in commands(build_command())
        if "--dry-run" in [opt for one in command.params for opt in one.opts]
        for one in command.params
        if "--reason" in one.opts
    ]
    assert len(found) >= 3
    assert [path for path, is_required in found if is_required] == []


def test_the_help_shows_whole_summaries(command: Command) -> None:
    for path, found in commands(build_command()):
        if getattr(found, "commands", None):
            summaries = command(*path.split()[1:], "--help").out.partition("\nCommands")[2]
            summaries = summaries.partition("Example:")[0]
            assert summaries, path
            assert "..." not in summaries, path


def test_commands_that_ask_no_server_take_no_socket(command: Command) -> None:
    for words in (("store", "check"), ("store", "salvage", "x"), ("config", "check")):
        assert command(*words, "--socket", "x").code == 64
