"""Reading in smaller pieces, for a connection that has announced content which goes to a file.

uvloop reads up to 250 KiB at once, and hundreds of connections that wait for the disk with so much in hand each are tens of
megabytes. In pieces of 64 KiB it is some 210 KiB a connection in the middle of 50 MB, where it was 275. For small messages
it would be a call more per read: so only who announces much (SIZE) changes to it.
"""

import asyncio
from typing import Final

PIECE: Final = 64 * 1024
_buffer: Final = memoryview(
    bytearray(PIECE)
)  # one for all: it is emptied before anybody else reads


class SmallReads(asyncio.BufferedProtocol):
    """Stands between the transport and a connection's protocol from now on."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: asyncio.Protocol) -> None:
        self._protocol = protocol

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  it is only a hint
        """Offer room for one piece."""
        return _buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what came."""
        self._protocol.data_received(bytes(_buffer[:nbytes]))

    def eof_received(self) -> bool | None:
        """Hand on."""
        return self._protocol.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand on."""
        self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """Hand on."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Hand on."""
        self._protocol.resume_writing()
