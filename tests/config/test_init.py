import ipaddress
import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest
from cryptography import x509

from restante.config.certificate import self_signed
from restante.config.init import AlreadyThere, initialize, own_name
from restante.mail.address import canonical_domain
from tests.config.files import NOW, installed


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    installed(tmp_path)
    assert mode(tmp_path / "restante.key") == 0o600
    assert mode(tmp_path / "tls" / "key.pem") == 0o600
    assert mode(tmp_path / "data") == 0o700
    assert len((tmp_path / "restante.key").read_bytes()) == 32


def test_a_second_time_nothing_is_changed(tmp_path: Path) -> None:
    installed(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(AlreadyThere) as caught:
        initialize(tmp_path, "other.example", NOW)
    assert tmp_path / "restante.toml" in caught.value.existing
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_one_file_that_is_there_is_enough_to_make_none(tmp_path: Path) -> None:
    (tmp_path / "restante.key").write_bytes(b"precious")
    with pytest.raises(AlreadyThere):
        installed(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["restante.key"]


def test_what_was_made_before_a_failure_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, directory = Path.write_bytes, tmp_path / "new"

    def fail_at_last(path: Path, content: bytes) -> int:
        if path.suffix == ".toml":
            raise OSError(28, "No space left on device", str(path))
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", fail_at_last)
    with pytest.raises(OSError, match="No space"):
        installed(directory)
    assert not directory.exists()


def test_the_certificate_names_the_host_and_loopback() -> None:
    certificate = x509.load_pem_x509_certificate(self_signed("mx2.example.net", NOW)[0])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mx2.example.net", "localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address("127.0.0.1"),
        ipaddress.ip_address("::1"),
    ]


@pytest.mark.parametrize("name", ["mx2.example.net", "localhost", "127.0.0.1"])
def test_a_strict_client_that_is_given_the_certificate_trusts_it(tmp_path: Path, name: str) -> None:
    installed(tmp_path)
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(tmp_path / "tls" / "cert.pem", tmp_path / "tls" / "key.pem")
    client_context = ssl.create_default_context(cafile=tmp_path / "tls" / "cert.pem")
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    one, other = socket.socketpair()
    with one, other:

        def serve() -> None:
            server_context.wrap_socket(other, server_side=True).close()

        thread = threading.Thread(target=serve)
        thread.start()
        with client_context.wrap_socket(one, server_hostname=name) as session:
            assert session.version()
        thread.join()


def test_a_long_host_name_fits_the_certificate() -> None:
    name = ".".join(["a" * 50] * 4)
    assert self_signed(name, NOW)


def test_our_own_name_is_always_a_domain_name() -> None:
    assert canonical_domain(own_name())
