"""A wire for a dialogue of one command at a time: its octets are awaited."""

import asyncio
from typing import Final

from restante.delivery.connection_source import ConnectionSource
from restante.network.tls import TlsFailed, TlsLayer
from restante.network.wire import CheckPeer, Wire
from restante.phrases import cause_of

_KEPT_OCTETS: Final = 65536  # more than any reply that counts; then nothing is read for a while
_CLOSE_SECONDS: Final = 5.0  # for a destination to take our QUIT


class WireReader:
    """Owns one wire."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._woken = asyncio.Event()
        self._failure: Exception | None = None
        self._wire: Wire  # from `opened` on

    async def open(self, source: ConnectionSource) -> None:
        """Adopt the wire of a source. Raises OSError, or PeerBroke if it must not be used."""
        wire = await source.open()
        wire.adopt(self)

    @property
    def peer_key(self) -> str:
        """The key that the peer has shown under TLS."""
        return self._wire.peer_key

    @property
    def peer_certificate(self) -> bytes:
        """The certificate that the peer has shown, in DER; b"" without TLS."""
        return self._wire.peer_certificate

    @property
    def tls_version(self) -> str:
        """`TLSv1.3` and so on, "" without TLS."""
        return self._wire.tls_version

    @property
    def tls_cipher(self) -> str:
        """The name of the cipher suite, "" without TLS."""
        return self._wire.tls_cipher

    def send(self, data: bytes) -> None:
        """Send a command."""
        self._wire.write(data)

    async def read(self) -> bytes:
        """Return the octets that have come, at least one.

        Raises EOFError, OSError or TlsFailed when no more will come.
        """
        while not self._octets:
            await self._next()
        data = bytes(self._octets)
        self._octets.clear()
        self._wire.resume_reading()
        return data

    async def begin_tls(self, tls: TlsLayer, check_peer: CheckPeer) -> None:
        """Return when TLS is established and the peer was accepted. Raises TlsFailed."""
        self._wire.begin_tls(tls, check_peer)
        try:
            while not self._wire.is_secure:
                await self._next()
        except (OSError, EOFError) as error:
            raise TlsFailed(f"the handshake was interrupted: {cause_of(error)}") from error

    def close(self) -> None:
        """Close the wire; a destination that takes nothing is cut."""
        self._wire.close(within=_CLOSE_SECONDS)

    async def _next(self) -> None:
        """Wait until something happens."""
        if self._failure is not None:
            raise self._failure
        await self._woken.wait()
        self._woken.clear()

    # Called by the wire

    def opened(self, wire: Wire) -> None:
        """Begin."""
        self._wire = wire

    def data_received(self, data: bytes) -> None:
        """Keep octets."""
        self._octets += data
        if len(self._octets) > _KEPT_OCTETS:
            self._wire.pause_reading()
        self._woken.set()

    def secured(self) -> None:
        """Go on under TLS."""
        self._woken.set()

    def tls_failed(self, failure: TlsFailed) -> None:
        """End."""
        self._fail(failure)

    def eof_received(self) -> None:
        """End: no more will come."""
        self._fail(EOFError("the destination closed the connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._fail(exc or EOFError("the destination closed the connection"))

    def pause_writing(self) -> None:
        """Commands are short: nothing to pause."""

    def resume_writing(self) -> None:
        """The same."""

    def _fail(self, failure: Exception) -> None:
        self._failure = self._failure or failure
        self._woken.set()
