"""TLS policies as OpenSSL contexts (S7).

RFC 8996 says why TLS 1.0 is a legacy profile; RFC 7435 describes opportunistic security.
"""

import ssl
import warnings
from collections.abc import Iterable
from pathlib import Path

VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
_LEGACY = ("1.0", "1.1")
# OpenSSL 3 knows TLS 1.0 and 1.1 only at security level 0: their handshake signs with SHA-1.
_LEGACY_CIPHERS = "DEFAULT:@SECLEVEL=0"
_AUTHENTICATED_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2; TLS 1.3 has no others


def server_context(
    pairs: Iterable[tuple[Path, Path]], minimum: str, *, has_clear_text: bool
) -> ssl.SSLContext:
    """Build a listener's context.

    `minimum` is a key of VERSIONS; the legacy ones weaken this context alone.

    `pairs` are certificates with their keys, at most one for each type of key. Each client gets one
    that it can use; OpenSSL prefers ECDSA, which costs a tenth of RSA's time.

    Where a client that cannot have TLS goes on in clear text (`has_clear_text`), CBC suites stay:
    they are better than that. Elsewhere only authenticated encryption is spoken. Raises OSError or
    ssl.SSLError where the files cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = 1  # OpenSSL's two are for clients that open connections side by side
    for certificate, key in pairs:
        context.load_cert_chain(certificate, key)
    context.options |= (
        ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    )
    _set_minimum(context, minimum)
    if not has_clear_text and minimum not in _LEGACY:
        context.set_ciphers(_AUTHENTICATED_CIPHERS)
    return context


def unverified_client_context() -> ssl.SSLContext:
    """Build the context for `opportunistic` and `required`: any certificate, any version.

    Encryption to an unknown server beats plain text to an unknown server. Only `verify` says who
    the server must be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _set_minimum(context, "1.0")
    return context


def dane_client_context() -> ssl.SSLContext:
    """Build the context for DANE (RFC 7672): the caller checks the certificate by its records."""
    context = unverified_client_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DEFAULT")
    return context


def verifying_client_context(ca_file: str = "", ca_text: str = "") -> ssl.SSLContext:
    """Build the context for `verify` by certificate: the system's authorities, or those given.

    They are in a file, or are a text in PEM.

    TLS 1.2 at least: the default of some builds is left to the system's configuration. Raises
    OSError or ssl.SSLError where the file cannot be used.
    """
    context = ssl.create_default_context(cafile=ca_file or None, cadata=ca_text or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def oldest_version(context: ssl.SSLContext) -> str:
    """Return the oldest TLS version that a context speaks, a key of VERSIONS."""
    return next(name for name, version in VERSIONS.items() if version == context.minimum_version)


def _set_minimum(context: ssl.SSLContext, minimum: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # we know what the legacy profile is
        context.minimum_version = VERSIONS[minimum]
    if minimum in _LEGACY:
        context.set_ciphers(_LEGACY_CIPHERS)
