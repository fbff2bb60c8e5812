"""init, config, version: commands that need no store, or make one."""

import json
from pathlib import Path

import pytest
import trustme

from restante.cli import api_client
from tests.cli.conftest import Command


def test_init_makes_what_runs_and_a_second_time_changes_nothing(
    tmp_path: Path, command: Command
) -> None:
    made = command("init", "--dir", tmp_path, "--hostname", "mx2.example.net")
    assert made.code == 0
    assert f"restante serve --config {tmp_path}/restante.toml" in made.out
    assert command("config", "check", "--config", tmp_path / "restante.toml").out.endswith(
        ": good\n"
    )
    assert (
        json.loads(command("account", "list", "--json", "--config", tmp_path / "restante.toml").out)
        == []
    )
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    again = command("init", "--dir", tmp_path)
    assert again.code == 73
    assert f"{tmp_path}/restante.toml" in again.err
    assert "nothing was changed" in again.err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()} == before


def test_init_refuses_a_name_that_is_none(tmp_path: Path, command: Command) -> None:
    assert command("init", "--dir", tmp_path / "x", "--hostname", "no name").code == 65
    assert not (tmp_path / "x").exists()


def test_init_where_nothing_can_be_made_says_so(tmp_path: Path, command: Command) -> None:
    (tmp_path / "file").touch()
    assert command("init", "--dir", tmp_path / "file" / "x").code == 73


def test_init_needs_a_directory(command: Command) -> None:
    refused = command("init")
    assert refused.code == 64
    assert "--dir" in refused.err


@pytest.mark.parametrize("by", ["--dir", "--config", "environment"])
def test_certificates_are_renewed_and_the_next_steps_said(
    installation: Path, command: Command, by: str
) -> None:
    words = {
        "--dir": ["--dir", installation],
        "--config": ["--config", installation / "restante.toml"],
    }
    tls = installation / "tls"
    before = (tls / "cert.pem").read_bytes()
    renewed = command("init", "--renew-certificate", *words.get(by, []))
    assert renewed.code == 0, renewed.err
    assert f"{tls}/cert.pem, {tls}/cert-rsa.pem" in renewed.out
    assert f"copy {tls}/trust.pem" in renewed.out
    assert "reload" in renewed.out
    assert (tls / "cert.pem").read_bytes() != before
    assert command("config", "check").out.endswith(": good\n")


def test_a_certificate_of_an_authority_is_not_renewed(installation: Path, command: Command) -> None:
    issued = trustme.CA().issue_cert("mx2.example.net")
    issued.cert_chain_pems[0].write_to_path(installation / "tls" / "cert.pem")
    assert command("init", "--renew-certificate").code == 78, "the key is another's"
    issued.private_key_pem.write_to_path(installation / "tls" / "key.pem")
    refused = command("init", "--renew-certificate")
    assert refused.code == 65
    assert f"{installation}/tls/cert.pem: was not made by `restante init`; " in refused.err
    assert command("init", "--renew-certificate", "--hostname", "mx2.example.net").code == 64
    assert command("init", "--renew-certificate", "--dir", installation / "nowhere").code == 78


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


@pytest.mark.parametrize("arguments", [["version"], ["--version"]])
def test_the_version_is_said(command: Command, arguments: list[str]) -> None:
    outcome = command(*arguments)
    assert outcome.code == 0
    assert outcome.out.startswith("restante ")


def test_a_store_directory_that_is_gone_is_not_made_anew(
    installation: Path, command: Command
) -> None:
    (installation / "data").rename(installation / "elsewhere")
    outcome = command("account", "list")
    assert outcome.code == 66
    assert not (installation / "data").exists()


def test_a_socket_we_may_not_open_means_not_allowed(
    installation: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr("restante.web.control_socket.answers", refuse)
    outcome = command("account", "list")
    assert outcome.code == 77
    assert "run as root" in outcome.err
    assert api_client.segment("a/b") == "a%2Fb"
