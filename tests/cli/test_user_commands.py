"""Users of the portal from the command line: the link is alone on standard output."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command


def test_a_link_is_alone_on_standard_output_and_shown_once(
    installation: Path, command: Command
) -> None:
    invited = command(
        "user", "invite", "Ana@alpha.example", "--account", "alpha", "--role", "account-admin"
    )
    assert invited.code == 0
    beginning, _, secret = invited.out.rstrip("\n").rpartition("/")
    assert beginning.startswith("http://127.0.0.1:")
    assert beginning.endswith("/invitation")
    assert secret not in invited.err
    assert "shown only once" in invited.err
    for shown in (command("user", "list", "--json"), command("audit", "--json")):
        assert shown.code == 0
        assert secret not in shown.out
    [listed] = json.loads(command("user", "list", "alpha", "--json").out)
    assert (listed["email"], listed["state"]) == ("ana@alpha.example", "invited")


def test_an_operator_has_no_account(installation: Path, command: Command) -> None:
    assert command("user", "invite", "root@mx.example", "--role", "operator").code == 0
    [own] = json.loads(command("user", "list", "--operator", "--json").out)
    assert (own["account"], own["role"]) == ("", "operator")
    table = command("user", "list").out
    assert "(operator)" in table
    assert "1 user" in table


def test_a_user_is_changed_and_removed(installation: Path, command: Command) -> None:
    command("user", "invite", "ana@alpha.example", "--account", "alpha", "--role", "account-reader")
    changed = command("user", "set", "ana@alpha.example", "--role", "account-operator")
    assert (changed.code, changed.out) == (0, "user ana@alpha.example changed\n")
    [listed] = json.loads(command("user", "list", "--json").out)
    assert listed["role"] == "account-operator"
    removed = command("user", "remove", "ana@alpha.example", "--reason", "left")
    assert (removed.code, removed.out) == (0, "user ana@alpha.example removed\n")
    unknown = command("user", "remove", "ana@alpha.example", "--reason", "left")
    assert unknown.code != 0
    assert "user ana@alpha.example: does not exist" in unknown.err


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (("invite", "ana", "--role", "operator"), "is not an email address"),
        (("set", "ana@alpha.example"), "give --role or --scope"),
        (("list", "alpha", "--operator"), "give ACCOUNT or --operator"),
    ],
    ids=["address", "no change", "both"],
)
def test_a_wrong_command_says_so(
    installation: Path, command: Command, given: tuple[str, ...], shown: str
) -> None:
    done = command("user", *given)
    assert done.code != 0
    assert shown in done.err


def test_a_link_opens_the_portal_for_a_user_of_an_account_alone(
    installation: Path, command: Command
) -> None:
    command("user", "invite", "ana@alpha.example", "--account", "alpha", "--role", "account-reader")
    command("user", "invite", "root@mx.example", "--role", "operator")
    refused = command("user", "link", "ana@alpha.example")
    assert refused.code != 0
    assert "no server runs" in refused.err
    operator = command("user", "link", "root@mx.example")
    assert "there are no links for operators" in operator.err
    assert "does not exist" in command("user", "link", "nobody@alpha.example").err
    [listed] = json.loads(command("user", "list", "alpha", "--json").out)
    assert listed["provider"] == ""
