"""Read the content of a message for import, in blocks, whatever its size.

Content is read once to measure it and again to send it. It is normalized as in the store: CRLF line
ends only, no NUL, and a line end at the end.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from restante.mail.envelope_fields import FoundEnvelope, take_envelope_fields
from restante.mail.mbox import MboxUnquoter
from restante.smtp.content import ChunkDecoder

BLOCK: Final = 262144
_FIELDS_BLOCK: Final = 65536  # octets searched first for envelope fields


class ContentMeasure(NamedTuple):
    """Facts about content that has been read."""

    size: int  # octets
    digest: str  # SHA-256, hexadecimal
    is_8bit: bool  # it has octets above 127


@dataclass(frozen=True, slots=True)
class ContentStretch:
    """Content in a file, or a part of a file."""

    path: Path
    start: int = 0
    end: int | None = None  # None: to the end of the file
    is_quoted: bool = False  # with the quoting of an mbox
    skip: int = 0  # leading octets that are no content, counted with CRLF line ends

    def blocks(self) -> Iterator[bytes]:
        """Yield the content. Raises OSError."""
        skip = self.skip
        last = b"\r\n"
        for block in self._clean_blocks():
            skipped, skip = block[skip:], max(skip - len(block), 0)
            if skipped:
                last = (last + skipped[-2:])[-2:]
                yield skipped
        if last != b"\r\n":
            yield b"\r\n"

    def measure(self) -> ContentMeasure:
        """Read all of it. Raises OSError."""
        digest, size, is_8bit = hashlib.sha256(), 0, False
        for block in self.blocks():
            digest.update(block)
            size += len(block)
            is_8bit = is_8bit or not block.isascii()
        return ContentMeasure(size, digest.hexdigest(), is_8bit)

    def below_fields(self) -> tuple[FoundEnvelope, "ContentStretch"]:
        """Return the envelope fields at the top, and the content below. Raises OSError."""
        octets = _FIELDS_BLOCK
        while True:
            head = self._head(octets)
            found = take_envelope_fields(head)
            skip = len(head) - len(found.content)
            if len(head) < octets or skip < octets // 2:  # otherwise there may be more fields
                return found, replace(self, skip=skip)
            octets *= 4

    def _head(self, octets: int) -> bytes:
        head = b""
        for block in self._clean_blocks():
            head += block
            if len(head) >= octets:
                break
        return head[:octets]

    def _clean_blocks(self) -> Iterator[bytes]:
        decoder, unquoter = ChunkDecoder(), MboxUnquoter()
        for block in self._raw_blocks():
            yield decoder.receive(
                unquoter.unquote(block) if self.is_quoted else block, is_last=False
            )
        rest = unquoter.unquote(b"", is_last=True)
        yield decoder.receive(rest, is_last=True)

    def _raw_blocks(self) -> Iterator[bytes]:
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.start)
            left = None if self.end is None else self.end - self.start
            while block := file.read(BLOCK if left is None else min(BLOCK, left)):
                left = None if left is None else left - len(block)
                yield block
