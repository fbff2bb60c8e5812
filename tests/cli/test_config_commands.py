"""The configuration is checked and shown."""

import json
from pathlib import Path

import pytest

from restante.config.privileges import UserUnusable
from tests.cli.conftest import Command


def test_config_check_says_all_that_is_wrong(installation: Path, command: Command) -> None:
    (installation / "restante.key").chmod(0o644)
    (installation / "tls" / "key.pem").unlink()
    checked = command("config", "check")
    assert checked.code == 78
    assert [line.split(": ")[0] for line in checked.err.splitlines()] == ["restante", "restante"]


def test_config_show_shows_what_is_in_force(
    installation: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTANTE_TLS__MINIMUM", "1.3")
    assert 'minimum = "1.3"' in command("config", "show").out
    assert json.loads(command("config", "show", "--json").out)["tls"]["minimum"] == "1.3"


def test_config_show_prints_no_secret(installation: Path, command: Command) -> None:
    key = (installation / "restante.key").read_bytes()
    shown = command("config", "show").out + command("config", "show", "--json").out
    assert key.hex() not in shown
    assert "PRIVATE" not in shown


def test_a_user_who_cannot_reach_the_program_is_an_error(
    installation: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(_user: str) -> None:
        raise UserUnusable("user mail: cannot enter /root")

    monkeypatch.setattr("restante.config.privileges.check_program_is_reachable", unreachable)
    checked = command("config", "check")
    assert (checked.code, checked.out) == (78, "")
    assert checked.err.endswith("restante: user mail: cannot enter /root\n")
