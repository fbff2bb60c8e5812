"""Logins from the command line: a password comes from standard input or is made."""

import json
from pathlib import Path

import pytest

from restante.admin import logins
from tests.cli.conftest import Command


@pytest.fixture(autouse=True)
def _cheap_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "hash_password", lambda password: f"hash of {password}")


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
