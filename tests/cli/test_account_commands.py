"""Accounts from the command line."""

import json
from pathlib import Path

from tests.cli.conftest import Command


def test_listings_are_whole_and_aligned_where_no_terminal_is(
    installation: Path, command: Command
) -> None:
    lines = command("account", "list").out.splitlines()
    assert lines[0].split() == [
        *("NAME", "DOMAINS", "LOGINS", "EMPTY", "REPLY", "MESSAGES", "SIZE", "QUOTA", "ADDED"),
    ]
    assert lines[1].startswith("alpha")
    assert lines[2] == "    note the first"
    assert lines[3:] == ["", "1 account"]
    assert max(map(len, lines)) <= 80


def test_an_account_has_a_quota(installation: Path, command: Command) -> None:
    assert command("account", "set", "alpha", "--quota", "10G").code == 0
    assert json.loads(command("account", "show", "alpha", "--json").out)["quota"] == 10 << 30
    assert "10.0 GiB" in command("account", "list").out
    assert command("account", "set", "alpha", "--quota", "none").code == 0
    assert json.loads(command("account", "show", "alpha", "--json").out)["quota"] is None


def test_the_whole_is_taken_down_again(installation: Path, command: Command) -> None:
    assert command("domain", "remove", "alpha.example", "--reason", "moved").code == 0
    assert (
        command("account", "remove", "alpha", "--reason", "left").out == "account alpha removed\n"
    )
    newest = json.loads(command("audit", "--limit", "1", "--json").out)[0]
    assert (newest["action"], newest["reason"], newest["acted_from"]) == (
        "account-removed",
        "left",
        "command line",
    )
