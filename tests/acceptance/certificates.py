"""Certificates for the servers of a test, and the authority that signs them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.acceptance.peers.primary import KeyPair


class Authority:
    """An authority whose files lie in `directory`."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = name
        self._authority = trustme.CA(organization_name=name)
        self.file = directory / f"{name}.pem"
        self._authority.cert_pem.write_to_path(self.file)

    def issue(self, host: str) -> KeyPair:
        """Issue a certificate. It has a common name too, without which fetchmail refuses it."""
        issued = self._authority.issue_cert(host, common_name=host)
        keys = KeyPair(self._path(host, "certificate"), self._path(host, "key"))
        issued.cert_chain_pems[0].write_to_path(keys.certificate)
        issued.private_key_pem.write_to_path(keys.key)
        return keys

    def _path(self, host: str, what: str) -> Path:
        return self._directory / f"{self._name}-{host}-{what}.pem"


def key_pin(certificate: Path) -> str:
    """Return the SHA-256 of a certificate's public key, as `--tls-pin` takes it."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
