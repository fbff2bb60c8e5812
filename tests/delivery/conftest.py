"""A test authority, and a primary's certificates under it."""

import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True)
class Authority:
    """A primary's certificate, and the file by which it is trusted."""

    context: ssl.SSLContext  # of a server with a certificate for p.internal
    demanding: ssl.SSLContext  # the same, and clients need a certificate
    ca_file: str
    pin: str  # hex SHA-256 of the public key


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca = trustme.CA()
    leaf = ca.issue_cert("p.internal")
    context, demanding = (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(2))
    leaf.configure_cert(context)
    leaf.configure_cert(demanding)
    ca.configure_trust(demanding)
    demanding.verify_mode = ssl.CERT_REQUIRED
    key = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()).public_key()
    pin = hashlib.sha256(
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()
    ca_file: Path = tmp_path_factory.mktemp("tls") / "ca.pem"
    ca.cert_pem.write_to_path(str(ca_file))
    return Authority(context, demanding, str(ca_file), pin)
