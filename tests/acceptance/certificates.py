"""Certificates for the servers of a test, and the authority that signs them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from trustme import KeyType

from tests.acceptance.peers.primary import KeyPair


class Authority:
    """An authority whose files lie in `directory`."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = name
        self._authority = trustme.CA(organization_name=name)
        self.file = directory / f"{name}.pem"
        self._authority.cert_pem.write_to_path(self.file)

    def issue(self, host: str, key_type: KeyType = KeyType.ECDSA) -> KeyPair:
        """Issue a certificate. It has a common name too, without which fetchmail refuses it."""
        issued = self._authority.issue_cert(host, common_name=host, key_type=key_type)
        name = f"{self._name}-{host}-{key_type.name.lower()}"
        keys = KeyPair(
            self._directory / f"{name}-certificate.pem", self._directory / f"{name}-key.pem"
        )
        issued.cert_chain_pems[0].write_to_path(keys.certificate)
        issued.private_key_pem.write_to_path(keys.key)
        return keys


def key_pin(certificate: Path) -> str:
    """Return the SHA-256 of a certificate's public key, as `--tls-pin` takes it."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    return hashlib.sha256(
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()
