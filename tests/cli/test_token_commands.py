"""Tokens from the command line: alone on standard output, and never shown again."""

import json
from pathlib import Path

import pytest

from restante.tenancy.api_token import read_token
from tests.cli.conftest import Command


def test_a_token_is_alone_on_standard_output_and_shown_once(
    installation: Path, command: Command
) -> None:
    added = command("token", "add", "alpha", "ci", "--scope", "queue:read", "--scope", "release")
    assert added.code == 0
    parts = read_token(added.out.rstrip("\n"))
    assert parts is not None
    assert parts.secret not in added.err
    assert "shown only once" in added.err
    assert 'curl -H "Authorization: Bearer $TOKEN" https://SERVER/v1/queue' in added.err
    for shown in (
        command("token", "list", "--json"),
        command("audit", "--json"),
        command("account", "show", "alpha"),
    ):
        assert shown.code == 0
        assert parts.secret not in shown.out
    [listed] = json.loads(command("token", "list", "alpha", "--json").out)
    assert (listed["id"], listed["scopes"], listed["state"]) == (
        parts.id,
        ["queue:read", "release"],
        "active",
    )


def test_a_token_of_the_operator_has_no_account(installation: Path, command: Command) -> None:
    assert command("token", "add", "--operator", "watch", "--role", "operator-reader").code == 0
    assert command("token", "add", "alpha", "ci", "--role", "account-reader").code == 0
    [own] = json.loads(command("token", "list", "--operator", "--json").out)
    assert (own["account"], own["role"]) == ("", "operator-reader")
    table = command("token", "list").out
    assert "(operator)" in table
    assert "account-reader" in table
    assert "2 tokens" in table


def test_a_token_is_revoked_by_its_id(installation: Path, command: Command) -> None:
    command("token", "add", "alpha", "ci", "--scope", "release")
    [listed] = json.loads(command("token", "list", "--json").out)
    revoked = command("token", "revoke", listed["id"], "--reason", "leaked")
    assert (revoked.code, revoked.out) == (0, f"token {listed['id']} revoked\n")
    assert json.loads(command("token", "list", "--json").out)[0]["state"] == "revoked"
    made = json.loads(command("token", "made", listed["id"], "--json").out)
    assert (made["id"], made["records"], made["is_complete"]) == (listed["id"], [], True)
    unknown = command("token", "revoke", "unknown000", "--reason", "leaked")
    assert unknown.code != 0
    assert "token unknown000: does not exist" in unknown.err


def test_a_list_that_may_lack_records_says_so_also_if_it_is_empty(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    too_long = {"records": [], "is_complete": False}
    monkeypatch.setattr("restante.cli.token_commands.ask", lambda *_, **__: too_long)
    revoked = command("token", "revoke", "abc", "--reason", "stolen")
    assert "there may be more: the audit trail is too long to read all of it" in revoked.err
    assert "these live on" not in revoked.err


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("never", None),
        ("2099-01-01", "2099-01-01T00:00:00Z"),
        ("2099-01-01T02:00+02:00", "2099-01-01T00:00:00Z"),
    ],
)
def test_a_time_of_expiry_is_given(
    installation: Path, command: Command, given: str, shown: str | None
) -> None:
    added = command("token", "add", "alpha", "ci", "--scope", "release", "--expires", given)
    assert added.code == 0
    assert json.loads(command("token", "list", "--json").out)[0]["expires_at"] == shown


def test_an_age_is_a_time_of_expiry_too(installation: Path, command: Command) -> None:
    command("token", "add", "alpha", "a", "--scope", "release", "--expires", "90d")
    command("token", "add", "alpha", "b", "--scope", "release", "--expires", "91d")
    ends = [one["expires_at"] for one in json.loads(command("token", "list", "--json").out)]
    assert ends == sorted(ends)
    assert len(set(ends)) == 2


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("alpha", "--scope", "release"), "give ACCOUNT and NAME, or --operator and NAME"),
        (("alpha", "ci", "--operator", "--role", "operator"), "give --operator and NAME, or"),
        (("alpha", "ci"), "has no rights"),
        (("alpha", "ci", "--scope", "release", "--expires", "soon"), "'soon' is not an age"),
        (("alpha", "ci", "--scope", "everything"), "everything"),
        (("gamma", "ci", "--scope", "release"), "account gamma: does not exist"),
    ],
)
def test_a_wrong_order_is_refused(
    installation: Path, command: Command, arguments: tuple[str, ...], error: str
) -> None:
    refused = command("token", "add", *arguments)
    assert refused.code != 0
    assert error in refused.err
    assert json.loads(command("token", "list", "--json").out) == []
