"""Programs such as Ansible learn from --json whether a command has changed something."""

import json
from typing import Any

import pytest

from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command, Outcome

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
DOMAIN = ("domain", "add", "b.example", "--account", "alpha", "--destination", "192.0.2.1")
ADDED = [
    ("account", "add", "beta", "--note", "old", "--quota", "1G"),
    (*DOMAIN, "--allow", "192.0.2.9", "--retention", "30d", "--tls", "required"),
    ("notice", "add", "two", "--account", "alpha", *MAIL, "--only", "drain-finished"),
]
OTHERWISE = [
    (("account", "add", "alpha", "--note", "new"), "note is none, not new", "account set alpha"),
    (
        ("domain", "add", "alpha.example", "--account", "alpha", "--destination", "192.0.2.7:26"),
        "destination.host is mail.alpha.example, not 192.0.2.7; destination.port is 25, not 26",
        "domain set alpha.example",
    ),
    (
        ("login", "add", "alpha", "primary", "--generate", "--no-cram-md5"),
        "password differs; sealed password is set, not none",
        "login set alpha primary",
    ),
    (
        ("notice", "add", "ops", "--account", "alpha", "--mail", "x@elsewhere.example"),
        "target is ops@elsewhere.example, not x@elsewhere.example",
        "notice set ops",
    ),
    (
        ("notice", "add", "ops", "--account", "alpha", "--webhook", "https://h.example/"),
        "transport is mail, not webhook",
        "notice remove ops",
    ),
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
def test_a_record_is_added_once(command: Command, words: tuple[str, ...]) -> None:
    added = done(command, *words)
    assert added["changed"]
    assert {"field", "before", "after"} == set(added["changes"][0])
    assert words[2] in added["record"].values()
    entries = json.loads(command("audit", "--json").out)
    again = done(command, *words)
    assert (again["changed"], again["changes"]) == (False, [])
    assert again["record"] == added["record"]
    assert json.loads(command("audit", "--json").out) == entries
    assert "no change; the record has these values already" in command(*words).out


@pytest.mark.parametrize(("words", "cause", "remedy"), OTHERWISE, ids=lambda one: str(one)[:30])
def test_another_record_of_that_name_is_an_error_that_names_the_fields(
    command: Command, words: tuple[str, ...], cause: str, remedy: str
) -> None:
    ended = command(*words)
    assert (ended.code, ended.out) == (73, "")
    assert f"is there already; {cause};" in ended.err
    assert f"`restante {remedy}`" in ended.err


def test_a_login_is_added_again_only_with_its_password(command: Command) -> None:
    def add(password: str, *more: str) -> Outcome:
        words = ("login", "add", "alpha", "second", "--password-stdin", *more)
        return command(*words, stdin=f"{password}\n")

    assert add("one long password").out == "login second added\n"
    assert add("one long password").out.startswith("login second: no change")
    assert json.loads(add("one long password", "--json").out)["changed"] is False
    other = add("another long password")
    assert other.code == 73
    assert "login second: is there already; password differs; change it by" in other.err
    assert "long password" not in other.err


def test_fields_that_are_not_named_may_differ(command: Command) -> None:
    assert command(*DOMAIN).code == 0
    assert command("domain", "set", "b.example", "--retention", "9d").code == 0
    again = done(command, *DOMAIN)
    assert again["changed"] is False
    assert again["record"]["policy"]["retention"] == 9 * 86400


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
