"""Logins from the command line: a password comes from standard input or is made."""

import json
from pathlib import Path

import pytest

from restante.admin import login_passwords
from tests.cli.conftest import Command


@pytest.fixture(autouse=True)
def _cheap_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_passwords, "hash_password", lambda password: f"hash of {password}")


def test_a_password_comes_from_standard_input(installation: Path, command: Command) -> None:
    added = command("login", "add", "alpha", "primary", "--password-stdin", stdin="correct horse\n")
    assert (added.code, added.out) == (0, "login primary added\n")
    listed = json.loads(command("login", "list", "alpha", "--json").out)
    assert [(login["user"], login["cram_md5"]) for login in listed] == [("primary", True)]
    assert "horse" not in command("audit").out


def test_a_generated_password_is_alone_on_standard_output(
    installation: Path, command: Command
) -> None:
    added = command("login", "add", "alpha", "primary", "--generate", "--no-cram-md5")
    assert added.code == 0
    assert len(added.out) == len("xxxxx-xxxxx-xxxxx-xxxxx-xxxxx\n")
    assert added.out.strip() not in added.err
    assert "no" in command("login", "list", "alpha").out
    assert command("login", "set", "alpha", "primary", "--generate").out != added.out
    assert command("login", "remove", "alpha", "primary", "--reason", "gone").code == 0


def test_a_rotation_prints_the_new_password_alone_and_shows_the_end_of_the_old(
    installation: Path, command: Command
) -> None:
    command("login", "add", "alpha", "primary", "--generate")
    rotated = command("login", "set", "alpha", "primary", "--rotate", "--old-valid", "3d")
    assert rotated.code == 0
    assert len(rotated.out) == len("xxxxx-xxxxx-xxxxx-xxxxx-xxxxx\n")
    assert rotated.out.strip() not in rotated.err
    assert "old password valid until 20" in command("login", "list", "alpha").out
    again = command("login", "set", "alpha", "primary", "--rotate")
    assert again.code != 0
    assert "--end-rotation" in again.err
    ended = command("login", "set", "alpha", "primary", "--end-rotation")
    assert "prior.password: set → none" in ended.out
    shown = json.loads(command("login", "show", "alpha", "primary", "--json").out)
    assert shown["old_password_valid_until"] is None
    assert rotated.out.strip() not in command("audit").out


def test_a_login_expires_at_a_time_or_never(installation: Path, command: Command) -> None:
    command("login", "add", "alpha", "primary", "--generate", "--expires", "90d")
    assert "expires 20" in command("login", "list", "alpha").out
    assert "expired             no" in command("login", "show", "alpha", "primary").out
    assert command("login", "set", "alpha", "primary", "--expires", "never").code == 0
    shown = json.loads(command("login", "show", "alpha", "primary", "--json").out)
    assert (shown["expires_at"], shown["last_used_at"]) == (None, None)
    assert command("login", "set", "alpha", "primary", "--expires", "2020-01-01").code != 0


def test_a_change_of_nothing_names_the_options(installation: Path, command: Command) -> None:
    assert "--rotate" in command("login", "set", "alpha", "primary").err


def test_the_right_to_take_mail_by_atrn_is_given_and_withdrawn(
    installation: Path, command: Command
) -> None:
    command("login", "add", "alpha", "primary", "--generate", "--turnaround")
    assert "may take mail by ATRN" in command("login", "list", "alpha").out
    withdrawn = command("login", "set", "alpha", "primary", "--no-turnaround")
    assert "turnaround: yes → no" in withdrawn.out
    assert not json.loads(command("login", "show", "alpha", "primary", "--json").out)["turnaround"]
    given = command("login", "set", "alpha", "primary", "--turnaround")
    assert "turnaround: no → yes" in given.out


def test_a_domain_allows_turnarounds_only_when_it_was_told_to(
    installation: Path, command: Command
) -> None:
    command("domain", "add", "alpha.example", "--account", "alpha", "--destination", "192.0.2.1")
    assert (
        json.loads(command("domain", "show", "alpha.example", "--json").out)["policy"]["turnaround"]
        == "deny"
    )
    allowed = command("domain", "set", "alpha.example", "--turnaround", "allow")
    assert "turnaround: deny → allow" in allowed.out
