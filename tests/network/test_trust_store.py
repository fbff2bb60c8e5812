"""The authorities of the system."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from restante.network.trust_store import system_authorities
from tests.network.made_chain import made, own_certificate, read_certificate


def test_the_authorities_are_read_where_openssl_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pem(der: bytes) -> bytes:
        return read_certificate(der).public_bytes(Encoding.PEM)

    file, directory = tmp_path / "all.pem", tmp_path / "certs"
    directory.mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_DIR", str(directory))
    assert system_authorities() == []
    file.write_bytes(pem(made().authority))
    (directory / "0123abcd.0").write_bytes(pem(made().authority))
    (directory / "0123abcd.1").write_bytes(pem(made().other))
    (directory / "0123abcd.2").write_text("no certificate")
    (directory / "README").write_bytes(pem(own_certificate()))
    found = {one.public_bytes(Encoding.DER) for one in system_authorities()}
    assert found == {made().authority, made().other}
