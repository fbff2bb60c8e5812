"""The certificates that clients of a listener may show.

Python can verify a client's certificate only against trusted ones, and has no function that would
be asked. So each registered certificate is trusted itself. A certificate that is no longer
registered stays trusted until the context is replaced, and proves nothing, as its key belongs to no
login.

Clients are asked from the start, even if nobody has registered a certificate. The first that an
account registers must not change the handshakes of others. The operator decides for each listener.

Limitation: a client that shows another certificate fails in the handshake.
"""

import ssl
from collections.abc import Sequence
from contextlib import suppress


class RequestedCertificates:
    """Has a listener's contexts ask for the registered certificates."""

    def __init__(self, contexts: Sequence[ssl.SSLContext]) -> None:
        """`contexts` are changed in place: their keys may no longer be readable.

        They are the default and those by name. Whether a client is asked is decided by the first
        alone, but its certificate is verified by the one that it has chosen.
        """
        self._contexts = contexts
        self._trusted: set[str] = set()
        self._followed: Sequence[str] = ()
        for context in contexts:
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a trusted one is no authority
            context.verify_mode = ssl.CERT_OPTIONAL

    def follow(self, certificates: Sequence[str]) -> None:
        """Trust the certificates, as PEM, that came since the last call."""
        if certificates is self._followed:
            return
        self._followed = certificates
        for certificate in set(certificates) - self._trusted:
            self._trusted.add(certificate)
            self._trust(certificate)

    def _trust(self, certificate: str) -> None:
        for context in self._contexts:
            with suppress(ssl.SSLError):  # too weak for OpenSSL: its owner can use the password
                context.load_verify_locations(cadata=certificate)
