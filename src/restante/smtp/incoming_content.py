"""Incoming content, as the server session sees it: DATA, a BDAT chunk, or octets to discard.

A refusal within content cannot be sent before the content ends. The rest is discarded, and
`refusal` is then the reply. The octets of a refused BDAT are discarded too, and are never taken for
commands (RFC 3030 §2).
"""

from typing import Protocol

from restante.smtp import replies
from restante.smtp.content import ChunkDecoder, DataDecoder
from restante.smtp.replies import Reply


class IncomingContent(Protocol):
    """Takes bytes until its content is complete."""

    block: bytes  # content decoded by the last `take`; b"" for none
    is_complete: bool
    refusal: Reply | None  # why the content is thrown away, None if it is not

    def take(self, data: bytes) -> bytes:
        """Use bytes; returns those that come after the content."""


class IncomingData:
    """DATA: everything up to CRLF.CRLF."""

    __slots__ = ("_decoder", "_limit", "_octets", "block", "is_complete", "refusal")

    def __init__(self, limit: int) -> None:
        """`limit`: octets of content above which it is refused as too large; NULs count too."""
        self._decoder = DataDecoder()
        self._limit = limit
        self._octets = 0
        self.block = b""
        self.is_complete = False
        self.refusal: Reply | None = None

    def take(self, data: bytes) -> bytes:
        """Use bytes; returns those behind the end mark."""
        block = self._decoder.receive(data)
        self.is_complete = self._decoder.is_complete
        self._octets += len(block)
        if self._octets + self._decoder.nuls > self._limit:
            self.refusal = replies.MESSAGE_TOO_LARGE
        self.block = b"" if self.refusal else block
        return self._decoder.surplus

    @property
    def found_bare_newline(self) -> bool:
        """A CR or LF stood alone somewhere."""
        return self._decoder.found_bare_newline

    @property
    def found_nul(self) -> bool:
        """There was a NUL somewhere."""
        return self._decoder.nuls > 0


class IncomingChunk:
    """One BDAT chunk: so many octets, whatever they are."""

    __slots__ = ("_decoder", "_left", "block", "is_complete", "is_last", "octets", "refusal")

    def __init__(self, octets: int, decoder: ChunkDecoder, *, is_last: bool) -> None:
        self._decoder = decoder
        self._left = octets
        self.octets = octets
        self.is_last = is_last
        self.block = b""
        self.is_complete = False
        self.refusal: Reply | None = None

    def take(self, data: bytes) -> bytes:
        """Use bytes; returns those behind the chunk."""
        piece, rest = data[: self._left], data[self._left :]
        self._left -= len(piece)
        self.is_complete = not self._left
        self.block = self._decoder.receive(piece, is_last=self.is_last and self.is_complete)
        return rest

    @property
    def found_bare_newline(self) -> bool:
        """A CR or LF stood alone somewhere, in this chunk or one before."""
        return self._decoder.found_bare_newline

    @property
    def found_nul(self) -> bool:
        """There was a NUL somewhere, in this chunk or one before."""
        return self._decoder.nuls > 0


class RefusedChunk:
    """The octets of a BDAT that was refused."""

    __slots__ = ("_left", "block", "is_complete", "refusal")

    def __init__(self, octets: int, refusal: Reply) -> None:
        self._left = octets
        self.block = b""
        self.is_complete = False
        self.refusal: Reply | None = refusal

    def take(self, data: bytes) -> bytes:
        """Throw bytes away; returns those behind the chunk."""
        rest = data[self._left :]
        self._left = max(0, self._left - len(data))
        self.is_complete = not self._left
        return rest
