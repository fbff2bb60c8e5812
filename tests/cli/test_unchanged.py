"""Programs such as Ansible learn from --json whether a command has changed something."""

import json
from typing import Any

import pytest

from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command

MAIL = ("--mail", "ops@elsewhere.example")
SET_TWICE = [
    ("account", "set", "alpha", "--note", "new"),
    ("account", "set", "alpha", "--quota", "1G"),
    ("domain", "set", "alpha.example", "--connections", "3"),
    ("domain", "set", "alpha.example", "--retention", "30d", "--hold", "relay"),
    ("domain", "set", "alpha.example", "--allow", "192.0.2.9"),
    ("login", "set", "alpha", "primary", "--no-cram-md5"),
    ("notice", "set", "ops", "--account", "alpha", "--only", "drain-finished", "--reason", "x"),
    ("recipient", "add", "alpha.example", "anna", "carl"),
    ("recipient", "replace", "alpha.example", "anna", "--yes"),
]
ADDED = [
    ("account", "add", "beta"),
    ("domain", "add", "b.example", "--account", "alpha", "--destination", "192.0.2.1"),
    ("login", "add", "alpha", "second", "--generate"),
    ("notice", "add", "two", "--account", "alpha", *MAIL),
]


@pytest.fixture(autouse=True)
def _records(admin: AdminWorld, command: Command) -> None:
    assert command("login", "add", "alpha", "primary", "--generate").code == 0
    assert command("notice", "add", "ops", "--account", "alpha", *MAIL).code == 0


def done(command: Command, *words: str) -> dict[str, Any]:
    ended = command(*words, "--json")
    assert ended.code == 0, ended.err
    document: dict[str, Any] = json.loads(ended.out)
    return document


@pytest.mark.parametrize("words", SET_TWICE, ids=lambda words: " ".join(words[:3]))
def test_the_second_time_nothing_is_changed(command: Command, words: tuple[str, ...]) -> None:
    first = done(command, *words)
    entries = json.loads(command("audit", "--json").out)
    second = done(command, *words)
    assert (first["changed"], second["changed"]) == (True, False)
    assert second.get("changes", []) == []
    assert json.loads(command("audit", "--json").out) == entries
    assert "no change" in command(*words).out


@pytest.mark.parametrize("words", ADDED, ids=lambda words: " ".join(words[:3]))
def test_an_added_record_is_shown_and_cannot_be_added_again(
    command: Command, words: tuple[str, ...]
) -> None:
    added = done(command, *words)
    assert added["changed"]
    assert words[2] in added["record"].values() or words[3] in added["record"].values()
    again = command(*words, "--json")
    assert (again.code, again.out) == (73, "")


def test_secrets_that_were_made_are_in_the_document_and_only_once(command: Command) -> None:
    added = done(command, "login", "add", "alpha", "second", "--generate")
    assert len(added["password"]) == 29
    assert "password" not in added["record"]
    again = done(command, "login", "set", "alpha", "second", "--generate")
    assert again["changed"]
    assert again["password"] != added["password"]
    hook = ("--account", "alpha", "--webhook", "https://hooks.example/x")
    assert done(command, "notice", "add", "hook", *hook)["key"].startswith("whsec_")
    kept = done(command, "notice", "set", "hook", *hook, "--reason", "x")
    assert (kept["changed"], "key" in kept) == (False, False)
    fresh = done(command, "notice", "set", "hook", *hook[:2], "--new-key", "--reason", "x")
    assert (fresh["changed"], fresh["key"].startswith("whsec_")) == (True, True)


def test_a_list_that_stays_says_so(command: Command) -> None:
    command("recipient", "add", "alpha.example", "anna")
    again = command("recipient", "add", "alpha.example", "anna")
    assert again.out == "domain alpha.example: no change; 0 added, 0 dropped, 1 listed\n"
    gone = done(command, "recipient", "remove", "alpha.example", "anna")
    assert gone == {"changed": True, "added": 0, "dropped": 1, "listed": 0}
