"""TLS without sockets: ciphertext in, plaintext out, and the other way.

asyncio's own TLS transport, and uvloop's, keep a quarter megabyte per connection; this keeps what
OpenSSL needs. It also starts in mid-connection (STARTTLS) without exchanging the transport under a
live protocol, and can be tested without a socket. The wire (network/wire.py) drives it on both
sides.

Rule for callers: after every call that may have produced ciphertext, send `take_outgoing()`.
"""

import contextlib
import hashlib
import ssl
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_RECORD = 16384  # the most plaintext one TLS record carries (RFC 8446 §5.1)


_CHAIN = "get_unverified_chain"  # of SSLObject since Python 3.13
_INNER = "_sslobj"  # the object that has it before


class TlsFailed(Exception):  # noqa: N818
    """The handshake or a record was bad; the connection is of no more use.

    Send `take_outgoing()` for the alert.
    """


class TlsLayer:
    """One connection's TLS."""

    __slots__ = ("_incoming", "_outgoing", "_tls", "is_closed_by_peer", "is_established")

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        is_server: bool,
        peer_name: str | None = None,
        begin: bool = True,
    ) -> None:
        """`peer_name` is the name to ask for and verify, for the connecting side.

        `begin` starts the handshake.
        """
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=is_server, server_hostname=peer_name
        )
        self.is_established = False
        self.is_closed_by_peer = False
        if begin and not is_server:
            self._shake_hands()

    def receive(self, ciphertext: bytes) -> bytes:
        """Take octets from the peer and return their plaintext, b"" during the handshake.

        Raises TlsFailed.
        """
        self._incoming.write(ciphertext)
        if not self.is_established:
            self._shake_hands()
            if not self.is_established:
                return b""
        return self._read_all()

    def send(self, plaintext: bytes) -> None:
        """Encrypt; the ciphertext waits in `take_outgoing`. Raises TlsFailed."""
        try:
            view = memoryview(plaintext)
            while view:
                view = view[self._tls.write(view) :]
        except ssl.SSLError as error:
            raise TlsFailed(_reason(error)) from error

    def take_outgoing(self) -> bytes:
        """Return the ciphertext that waits to be sent."""
        return self._outgoing.read() if self._outgoing.pending else b""

    @property
    def has_unread(self) -> bool:
        """Whether ciphertext has arrived that was not decrypted."""
        return self._incoming.pending > 0

    def close(self) -> None:
        """Say goodbye (close_notify), if that is still possible."""
        if self.is_established:
            with contextlib.suppress(
                ssl.SSLError
            ):  # the peer's own goodbye has not come, and need not
                self._tls.unwrap()

    @property
    def version(self) -> str:
        """`TLSv1.3` and so on, as for log lines and Received."""
        return self._tls.version() or ""

    @property
    def cipher(self) -> str:
        """Return the suite's name."""
        suite = self._tls.cipher()
        return suite[0] if suite else ""

    def peer_certificate(self) -> bytes:
        """Return the peer's certificate in DER, b"" if it showed none."""
        return self._tls.getpeercert(binary_form=True) or b""

    def peer_chain(self) -> tuple[bytes, ...]:
        """Return the certificates that the peer sent, in DER, its own first. Nothing is checked.

        Where Python does not tell the chain, only the peer's own certificate is returned.
        """
        holder: Any = self._tls
        if not hasattr(holder, _CHAIN):
            holder = getattr(holder, _INNER, None)
        if not hasattr(holder, _CHAIN):
            return (own,) if (own := self.peer_certificate()) else ()
        found = holder.get_unverified_chain() or ()
        return tuple(
            one if isinstance(one, bytes) else ssl.PEM_cert_to_DER_cert(one.public_bytes())
            for one in found
        )

    def peer_key_sha256(self) -> str:
        """Return the hex SHA-256 of the peer's SubjectPublicKeyInfo (RFC 7469 §2.4), "" if none."""
        certificate = self.peer_certificate()
        if not certificate:
            return ""
        key = x509.load_der_x509_certificate(certificate).public_key()
        return hashlib.sha256(
            key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ).hexdigest()

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        except (ssl.SSLError, ssl.CertificateError) as error:
            raise TlsFailed(_reason(error)) from error
        self.is_established = True

    def _read_all(self) -> bytes:
        pieces: list[bytes] = []
        try:
            while piece := self._tls.read(_RECORD):
                pieces.append(piece)
            self.is_closed_by_peer = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.is_closed_by_peer = True
        except ssl.SSLError as error:
            raise TlsFailed(_reason(error)) from error
        return b"".join(pieces)


def _reason(error: ssl.SSLError | ssl.CertificateError) -> str:
    """Name the failure in a word or two, as OpenSSL does."""
    detail = getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error)
    return detail.replace("_", " ").lower().rstrip(".")
