"""The files of certificates by ACME: `DIRECTORY/NAME.pem` and `NAME.key.pem`.

A key is made once and kept at renewals, so that clients that know it (TLSA 3 1 1, pins) notice
nothing. The certificate alone is replaced, whole. So a certificate and its key always fit. The
number of failed tries in a row is kept too, so that restarts do not try more often.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

_PRIVATE: Final = 0o600
UNREADABLE_KEY: Final = "holds no ECDSA key without a passphrase; restore it, or remove it"
_SHORT_NAME = 64  # octets that fit into a common name


@dataclass(frozen=True, slots=True)
class CertificateTerm:
    """The validity of a certificate, in Unix time."""

    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class CertificateFilesOf:
    """The files of one name."""

    directory: Path
    name: str

    @property
    def certificate(self) -> Path:
        """The certificate and its chain."""
        return self.directory / f"{self.name}.pem"

    @property
    def key(self) -> Path:
        """The key of the certificate."""
        return self.directory / f"{self.name}.key.pem"

    @property
    def _failures(self) -> Path:
        return self.directory / f"{self.name}.failures"

    def request(self) -> bytes:
        """Return a request for a certificate, in DER, by the key. Raises OSError, ValueError."""
        if self.key.exists():
            key = self._read_key()
        else:
            key = ec.generate_private_key(ec.SECP256R1())
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            write_private(self.key, pem)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{self.key}: {UNREADABLE_KEY}")  # noqa: TRY004  of a file
        is_short = len(self.name) <= _SHORT_NAME
        subject = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, self.name)] if is_short else []
        )
        names = x509.SubjectAlternativeName([x509.DNSName(self.name)])
        request = x509.CertificateSigningRequestBuilder(subject).add_extension(names, False)
        return request.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)

    def keep(self, chain: bytes) -> CertificateTerm:
        """Keep a new certificate with its chain. Raises OSError, ValueError if it does not fit."""
        first = x509.load_pem_x509_certificates(chain)[0]
        if not _fit(first, self._read_key()):
            raise ValueError("the authority sent a certificate for another key")
        if self.name not in _names(first):
            raise ValueError("the authority sent a certificate for another name")
        write_private(self.certificate, chain)
        self._failures.unlink(missing_ok=True)
        return _term(first)

    def term(self) -> CertificateTerm | None:
        """Return the validity of the certificate; None without one that can be used."""
        with suppress(OSError, ValueError):
            first = x509.load_pem_x509_certificates(self.certificate.read_bytes())[0]
            return _term(first) if _fit(first, self._read_key()) else None
        return None

    def _read_key(self) -> PrivateKeyTypes:
        """Read the key. Raises OSError, ValueError."""
        try:
            return load_pem_private_key(self.key.read_bytes(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it has a passphrase
            raise ValueError(f"{self.key}: {UNREADABLE_KEY}") from None

    def failures(self) -> tuple[int, float]:
        """Return the number of failed tries in a row, and when the last one was."""
        with suppress(OSError, ValueError):
            count, at = self._failures.read_text().split()
            return int(count), float(at)
        return 0, 0.0

    def note_failure(self, count: int, at: float) -> None:
        """Keep the number of failed tries in a row, and when the last one was. Raises OSError."""
        write_private(self._failures, f"{count} {at}".encode())


def _fit(certificate: x509.Certificate, key: PrivateKeyTypes) -> bool:
    """Tell whether a certificate is for a key. Raises ValueError."""
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    try:
        shown = certificate.public_key()
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from None
    return shown.public_bytes(*form) == key.public_key().public_bytes(*form)


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return found.value.get_values_for_type(x509.DNSName)


def _term(certificate: x509.Certificate) -> CertificateTerm:
    return CertificateTerm(
        certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    )


def write_private(file: Path, content: bytes) -> None:
    """Write a file whole, for its owner alone. Raises OSError."""
    draft = file.with_name(f"{file.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    with open(descriptor, "wb") as stream:  # noqa: PTH123  of the descriptor
        os.fchmod(descriptor, _PRIVATE)
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)
    draft.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
