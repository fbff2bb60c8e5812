"""`restante init`: it makes a working server, changes nothing twice, and renews certificates."""

import json
from pathlib import Path

import pytest
import trustme

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
