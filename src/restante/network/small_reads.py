"""Reading in smaller pieces, for a connection that has announced large content.

uvloop reads up to 250 KiB at once. Hundreds of connections that wait for the disk with this much in
memory take tens of megabytes. With pieces of 64 KiB, a connection in the middle of 50 MB takes
about 210 KiB instead of 275. Small messages would need one more call per read. So a connection
changes to it only when SIZE announces much.
"""

import asyncio
from typing import Final

PIECE: Final = 64 * 1024
_buffer: Final = memoryview(
    bytearray(PIECE)
)  # one for all: it is emptied before another connection reads


class SmallReads(asyncio.BufferedProtocol):
    """Stands between the transport and a connection's protocol from now on."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: asyncio.Protocol) -> None:
        self._protocol = protocol

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  it is only a hint
        """Offer room for one piece."""
        return _buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on the data."""
        self._protocol.data_received(bytes(_buffer[:nbytes]))

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return self._protocol.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass it on."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._protocol.resume_writing()
