"""A socket's transport, with TLS over it once that has begun: our side is always plaintext."""

import asyncio

from restante.delivery.tls_plan import TlsPlan
from restante.network.tls import TlsLayer


class Wire:
    """The writing and reading end of a connection."""

    __slots__ = ("_plan", "_tls", "_transport", "is_secure", "tls_version")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._plan: TlsPlan | None = None
        self._tls: TlsLayer | None = None
        self.is_secure = False  # the handshake is over, and the peer was accepted
        self.tls_version = ""

    @property
    def is_shaking_hands(self) -> bool:
        """Whether TLS was begun and is not established yet."""
        return self._tls is not None and not self.is_secure

    def begin_tls(self, plan: TlsPlan) -> None:
        """Begin the handshake. Raises TlsFailed."""
        self._plan = plan
        self._tls = plan.begin()
        self._send(self._tls)

    def write(self, data: bytes) -> None:
        """Send. Raises TlsFailed."""
        if self._tls is None:
            self._transport.write(data)
        else:
            self._tls.send(data)
            self._send(self._tls)

    def read(self, data: bytes) -> bytes:
        """Return the plaintext of the bytes; b"" during the handshake. Raises TlsFailed.

        When the handshake succeeds and the peer's key is right, `is_secure` is true from then on.
        """
        if self._tls is None or self._plan is None:
            return data
        try:
            plaintext = self._tls.receive(data)
        finally:
            self._send(self._tls)  # the handshake's next flight, or the alert
        if self._tls.is_established and not self.is_secure:
            self._plan.check_peer(self._tls)
            self.is_secure = True
            self.tls_version = self._tls.version
        return plaintext

    @property
    def peer_key(self) -> str:
        """The hex SHA-256 of the peer's public key, "" without TLS."""
        return self._tls.peer_key_sha256() if self._tls is not None else ""

    @property
    def is_ended(self) -> bool:
        """Whether the peer has announced, under TLS, that it will send no more."""
        return self._tls is not None and self._tls.is_closed_by_peer

    def close(self) -> None:
        """Send a TLS close and close when all is sent."""
        if self._tls is not None:
            self._tls.close()
            self._send(self._tls)
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _send(self, tls: TlsLayer) -> None:
        if ciphertext := tls.take_outgoing():
            self._transport.write(ciphertext)
