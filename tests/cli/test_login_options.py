"""How files of certificates are read."""

from pathlib import Path

import pytest
import typer

from restante.cli.login_options import certificate_text


def test_a_file_is_read_as_text(tmp_path: Path) -> None:
    file = tmp_path / "client.pem"
    file.write_text("-----BEGIN CERTIFICATE-----\n")
    assert certificate_text(file) == "-----BEGIN CERTIFICATE-----\n"


@pytest.mark.parametrize("octets", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, octets: bytes | None) -> None:
    file = tmp_path / "client.pem"
    if octets is not None:
        file.write_bytes(octets)
    with pytest.raises(typer.BadParameter, match=r"client\.pem: cannot be read: "):
        certificate_text(file)
