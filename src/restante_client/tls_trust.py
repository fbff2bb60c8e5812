"""How the server proves itself: by a certificate of a known authority, or by a pinned key.

A pin is the SHA-256 of the server's public key, as in `restante domain set --tls-pin` and TLSA
records `3 1 1`. The fingerprint of the whole certificate is accepted too. With a pin, neither the
name in the certificate, nor its dates, nor its authority matter. Nothing is sent before the check.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from restante_client.client_failure import ClientExit, ClientFailure

_SHA256_OCTETS = 32
_KEY_FIELD = 6  # of TBSCertificate with a version (RFC 5280 §4.1): the seventh is the key
_VERSION_TAG = 0xA0
_LONG_LENGTH = 0x80
_FINGERPRINT = re.compile(r"sha-?256 fingerprint *[=:] *", re.IGNORECASE)


@dataclass(frozen=True)
class ClientTrust:
    """Which server is trusted, and our own certificate if there is one."""

    ca_file: Path | None = None
    pin: bytes | None = None
    certificate: Path | None = None  # with AUTH EXTERNAL
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Return the context for connections. Raises ClientFailure."""
        context = self._verifying()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Since Python 3.13 the default refuses certificates without a key identifier.
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        if self.pin is not None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate is not None:
            try:
                context.load_cert_chain(
                    str(self.certificate), self.key and str(self.key), _no_prompt
                )
            except (OSError, ValueError):
                raise ClientFailure(
                    ClientExit.NO_INPUT,
                    f"{self.certificate}: cannot be read, or has no certificate with its key in"
                    " PEM; name other files with --certificate and --key",
                ) from None
        return context

    def _verifying(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        except OSError:  # ssl.SSLError is one
            raise ClientFailure(
                ClientExit.NO_INPUT,
                f"{self.ca_file}: cannot be read, or has no PEM certificate; name another file with"
                " --ca",
            ) from None

    def check(self, connection: ssl.SSLSocket, server: str) -> None:
        """Compare the pin, if there is one. Raises ClientFailure."""
        if self.pin is None:
            return
        certificate = connection.getpeercert(binary_form=True) or b""
        key = key_digest(certificate)
        if any(hmac.compare_digest(self.pin, one) for one in (key, _sha256(certificate))):
            return
        raise ClientFailure(
            ClientExit.UNAVAILABLE,
            f"{server}: its public key is not the pinned one, but {key.hex()}; ask the operator"
            " whether the key has changed before you change --pin",
        )


def _no_prompt() -> str:
    """Answer for the password of an encrypted key: nobody may be there to type it."""
    raise ValueError("the key is encrypted")


def read_key_pin(text: str) -> bytes:
    """Return the octets of a SHA-256 in hex, with or without colons, or base64.

    A line of sha256sum (`HASH  -`) and of `openssl x509 -fingerprint -sha256` will do. Raises
    ClientFailure.
    """
    plain = _FINGERPRINT.sub("", text.strip())
    for prefix in ("sha256//", "sha256/", "sha256:", "SHA256:"):
        if plain.startswith(prefix):
            plain = plain[len(prefix) :]
    for written in (plain, plain.partition(" ")[0]):
        for decode in (_from_hex, _from_base64):
            octets = decode(written)
            if len(octets) == _SHA256_OCTETS:
                return octets
    raise ClientFailure(
        ClientExit.USAGE,
        f"pin {text!r}: is not a SHA-256 in hex or base64; make it by: openssl x509 -in CERT"
        " -pubkey -noout | openssl pkey -pubin -outform DER | sha256sum",
    )


def key_digest(certificate: bytes) -> bytes:
    """Return the SHA-256 of the public key in a certificate in DER; of nothing if it has none."""
    try:
        inner, _ = _value(certificate, 0)
        fields, _ = _value(inner, 0)
        place = number = 0
        if fields[0] != _VERSION_TAG:
            number = 1  # version 1 has no field for the version
        while number < _KEY_FIELD:
            place = _value(fields, place)[1]
            number += 1
        return _sha256(fields[place : _value(fields, place)[1]])
    except IndexError:
        return _sha256(b"")


def _value(der: bytes, place: int) -> tuple[bytes, int]:
    """Return the value that begins at a place, and the place behind it. Raises IndexError."""
    length = der[place + 1]
    start = place + 2
    if length >= _LONG_LENGTH:
        octets = length - _LONG_LENGTH
        length = int.from_bytes(der[start : start + octets], "big")
        start += octets
    if start + length > len(der):
        raise IndexError
    return der[start : start + length], start + length


def _sha256(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text.replace(":", ""))
    except ValueError:
        return b""


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
