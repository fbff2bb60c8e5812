"""The facts of a certificate that a destination shows. Pure."""

import hashlib
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from restante.readiness.destination_facts import ShownCertificate

MOST_NAMES: Final = 20  # that are shown
_LONGEST_NAME: Final = 255


def shown_certificate(der: bytes) -> ShownCertificate | None:
    """Return the facts of a certificate in DER; None for one that cannot be read."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return ShownCertificate(
            _names(certificate),
            certificate.not_valid_after_utc.timestamp(),
            certificate.issuer == certificate.subject,
            hashlib.sha256(key).hexdigest(),
        )
    except ValueError:
        return None


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    names = found.value.get_values_for_type(x509.DNSName)
    addresses = found.value.get_values_for_type(x509.IPAddress)
    return tuple(str(one)[:_LONGEST_NAME] for one in (*names, *addresses)[:MOST_NAMES])
