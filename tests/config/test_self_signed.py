import ipaddress
import shutil
import socket
import ssl
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from restante.config.certificate import key_type, read_certificate, read_certificates
from restante.config.init_files import initialize
from restante.config.load import load
from restante.config.renewal import renew
from restante.config.self_signed import SELF_SIGNED_DAYS, is_self_signed, new_ecdsa_key, self_signed
from restante.network.tls_context import server_context as restante_context
from tests.config.files import NOW, installed

DAY = 86400
ECDSA_ONLY = "ECDHE-ECDSA-AES128-GCM-SHA256"
RSA_ONLY = "ECDHE-RSA-AES128-GCM-SHA256"


def made(directory: Path) -> list[x509.Certificate]:
    installed(directory)
    return [
        read_certificate((directory / "tls" / name).read_bytes())
        for name in ("cert.pem", "cert-rsa.pem")
    ]


def test_there_is_one_for_each_type_of_key(tmp_path: Path) -> None:
    ecdsa, rsa_ = (certificate.public_key() for certificate in made(tmp_path))
    assert isinstance(ecdsa, ec.EllipticCurvePublicKey)
    assert isinstance(ecdsa.curve, ec.SECP256R1)
    assert isinstance(rsa_, rsa.RSAPublicKey)
    assert rsa_.key_size == 2048


def test_they_are_leaves_for_a_server_and_end_in_397_days(tmp_path: Path) -> None:
    for certificate in made(tmp_path):
        extensions = certificate.extensions
        assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
        assert (
            (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days
            == SELF_SIGNED_DAYS
            == 397
        )
        assert certificate.not_valid_before_utc.timestamp() < NOW


def test_they_name_the_host_and_loopback(tmp_path: Path) -> None:
    for certificate in made(tmp_path):
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["mx2.example.net", "localhost"]
        assert names.get_values_for_type(x509.IPAddress) == [
            ipaddress.ip_address("127.0.0.1"),
            ipaddress.ip_address("::1"),
        ]


def test_the_file_to_trust_has_both(tmp_path: Path) -> None:
    both = made(tmp_path)
    assert read_certificates((tmp_path / "tls" / "trust.pem").read_bytes()) == both


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Today's certificates of `restante init`, for clients that check the time."""
    directory = tmp_path_factory.mktemp("made")
    initialize(directory, "mx2.example.net", time.time())
    return directory / "tls"


def handshake(served: Path, trusted: Path, name: str, ciphers: str) -> x509.Certificate:
    """Return the certificate that a strict client has verified."""
    pairs = [(served / f"cert{kind}.pem", served / f"key{kind}.pem") for kind in ("", "-rsa")]
    server_context = restante_context(pairs, "1.2", has_clear_text=False)
    client_context = ssl.create_default_context(cafile=trusted)
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT
    client_context.maximum_version = ssl.TLSVersion.TLSv1_2  # where the suite chooses the key
    client_context.set_ciphers(ciphers)
    one, other = socket.socketpair()
    with one, other:

        def serve() -> None:
            with suppress(ssl.SSLError):
                server_context.wrap_socket(other, server_side=True).close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            with client_context.wrap_socket(one, server_hostname=name) as session:
                return x509.load_der_x509_certificate(session.getpeercert(binary_form=True) or b"")
        finally:
            one.close()
            thread.join()


@pytest.mark.parametrize("name", ["mx2.example.net", "localhost", "127.0.0.1"])
@pytest.mark.parametrize(
    ("ciphers", "kind"), [(ECDSA_ONLY, "ECDSA"), (RSA_ONLY, "RSA"), ("DEFAULT", "ECDSA")]
)
def test_a_strict_client_trusts_the_one_that_it_can_use(
    served: Path, name: str, ciphers: str, kind: str
) -> None:
    assert key_type(handshake(served, served / "trust.pem", name, ciphers)) == kind


@pytest.mark.parametrize("ciphers", [ECDSA_ONLY, RSA_ONLY])
def test_before_and_after_a_renewal_one_file_is_trusted(
    served: Path, tmp_path: Path, ciphers: str
) -> None:
    old = shutil.copytree(served.parent, tmp_path / "old")
    config = shutil.copytree(served.parent, tmp_path / "new") / "restante.toml"
    renewed = renew(load(config, {}), time.time() + DAY / 48)
    for directory in (old / "tls", renewed.trust.parent):
        assert handshake(directory, renewed.trust, "localhost", ciphers).subject
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(renewed.trust.parent, old / "tls" / "trust.pem", "localhost", ciphers)


def test_a_long_host_name_fits() -> None:
    name = ".".join(["a" * 50] * 4)
    assert is_self_signed(read_certificate(self_signed(name, new_ecdsa_key(), NOW)))


def test_ours_are_told_from_others(tmp_path: Path) -> None:
    assert all(map(is_self_signed, made(tmp_path)))
    authority = trustme.CA()
    assert not is_self_signed(read_certificate(authority.cert_pem.bytes()))
    issued = authority.issue_cert(
        "mx2.example.net", "localhost", "127.0.0.1", "::1", common_name="mx2.example.net"
    )
    assert not is_self_signed(read_certificate(issued.cert_chain_pems[0].bytes()))
