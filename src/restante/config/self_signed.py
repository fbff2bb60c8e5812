"""The certificates that `restante init` makes: leaves that are their own issuer.

A client that is to trust one names the certificate itself as its authority (`--ca` and the like).
The extensions are chosen so that clients from OpenSSL 1.0.2 on, and GnuTLS, then accept it:

- CA:FALSE: a client trusts this one server with it, and nothing can be issued with it.
- No key usage, which means any (RFC 5280 §4.2.1.3). OpenSSL before 1.1.0 accepts no self-signed
  certificate whose key usage lacks keyCertSign, and RFC 5280 §4.2.1.9 forbids that bit in a leaf.
- An authority key identifier with issuer and serial number. OpenSSL takes a self-signed
  certificate only if the authority that it finds for it is the same certificate. By key alone, it
  could find the one from before a renewal where a file of authorities has both.
"""

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SELF_SIGNED_DAYS: Final = 397  # some clients refuse more
CLIENT_DAYS: Final = 3650  # of a client's certificate: only we have to accept it
SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_RSA_BITS: Final = 2048
_LOOPBACK_NAME: Final = "localhost"
_LOOPBACK: Final = tuple(map(ipaddress.ip_address, ("127.0.0.1", "::1")))


def new_ecdsa_key() -> ec.EllipticCurvePrivateKey:
    """Make the key that all clients of today take."""
    return ec.generate_private_key(ec.SECP256R1())


def new_rsa_key() -> rsa.RSAPrivateKey:
    """Make the key for clients that know nothing else."""
    return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)


def key_pem(key: SigningKey) -> bytes:
    """Spell a private key."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def self_signed(hostname: str, key: SigningKey, now: float) -> bytes:
    """Make a certificate, as PEM, for a host name and for loopback. `now` is Unix time."""
    begin = datetime.fromtimestamp(now, UTC) - timedelta(hours=1)  # clocks differ
    name = _subject(hostname)
    serial = x509.random_serial_number()
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    issuer = x509.AuthorityKeyIdentifier(identifier.digest, [x509.DirectoryName(name)], serial)
    return (
        x509.CertificateBuilder(issuer_name=name, subject_name=name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=SELF_SIGNED_DAYS))
        .add_extension(_names(hostname), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(issuer, critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )


def self_signed_client(user: str, key: SigningKey, now: float) -> bytes:
    """Make a certificate, as PEM, that a client shows for a login. `now` is Unix time.

    Only its key counts, so it is valid for long.
    """
    begin = datetime.fromtimestamp(now, UTC) - timedelta(hours=1)
    name = _subject(user)
    return (
        x509.CertificateBuilder(issuer_name=name, subject_name=name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=CLIENT_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate is one that `self_signed` made, and nobody else's."""
    try:
        certificate.verify_directly_issued_by(certificate)
        return _has_our_names(certificate)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False


def _has_our_names(certificate: x509.Certificate) -> bool:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    hosts = names.get_values_for_type(x509.DNSName)
    return bool(hosts) and names == _names(hosts[0]) and certificate.subject == _subject(hosts[0])


def _names(hostname: str) -> x509.SubjectAlternativeName:
    hosts = [x509.DNSName(name) for name in dict.fromkeys((hostname, _LOOPBACK_NAME))]
    return x509.SubjectAlternativeName([*hosts, *map(x509.IPAddress, _LOOPBACK)])


def _subject(hostname: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:64])])
