"""`restante login certificate`: certificates are listed, registered and dropped."""

import json
from pathlib import Path

import pytest

from restante.admin import login_passwords
from tests.cli.conftest import Command


@pytest.fixture(autouse=True)
def _login(monkeypatch: pytest.MonkeyPatch, installation: Path, command: Command) -> None:
    monkeypatch.setattr(login_passwords, "hash_password", lambda password: f"hash of {password}")
    assert installation.exists()
    command("login", "add", "alpha", "primary", "--generate")


def test_a_new_certificate_is_written_and_registered(command: Command, tmp_path: Path) -> None:
    made = command("login", "certificate", "alpha", "primary", "--generate", str(tmp_path / "new"))
    assert made.code == 0
    assert "certificates: none → CN=primary" in made.out
    assert str(tmp_path / "new/primary.key") in made.err
    shown = command("login", "certificate", "alpha", "primary").out
    assert "CN=primary" in shown
    assert max(map(len, shown.splitlines())) <= 80
    [listed] = json.loads(command("login", "certificate", "alpha", "primary", "--json").out)
    assert listed["pem"] == (tmp_path / "new/primary.pem").read_text()
    assert listed["key"][:16] in command("login", "show", "alpha", "primary").out


def test_a_login_with_a_certificate_alone(command: Command, tmp_path: Path) -> None:
    command("login", "certificate", "alpha", "primary", "--generate", str(tmp_path))
    file = str(tmp_path / "primary.pem")
    added = command("login", "add", "alpha", "second", "--certificate", file)
    assert (added.code, added.out) == (0, "login second added\n")
    assert "by certificate only" in command("login", "list", "alpha").out
    dropped = command("login", "certificate", "alpha", "primary", "--no-password")
    assert "password: set → none" in dropped.out
    [listed] = json.loads(command("login", "certificate", "alpha", "primary", "--json").out)
    refused = command("login", "certificate", "alpha", "primary", "--drop", listed["key"][:12])
    assert refused.code == 64
    assert "neither a password nor a certificate" in refused.err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--add", "/nowhere/cert.pem"], "cannot be read"),
        (["--add", "/dev/null"], "holds 0 certificates"),
        (["--add", "/dev/null", "--generate", "."], "not both"),
        (["--drop", "abc"], "drop_certificates"),
        (["--drop", "abcdef0123"], "no key and no certificate begins with abcdef0123"),
    ],
)
def test_a_mistake_is_named(command: Command, words: list[str], text: str) -> None:
    failed = command("login", "certificate", "alpha", "primary", *words)
    assert failed.code != 0
    assert text in failed.err
