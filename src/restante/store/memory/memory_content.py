"""Large content in a store that forgets: files in a dictionary."""

import zlib
from collections.abc import AsyncIterator

from restante.mail.message import ContentFile
from restante.store.content_store import DAMAGED
from restante.store.memory.memory_state import MemoryState
from restante.store.store_errors import Damaged, StoreError

_BLOCK = 256 * 1024


class MemoryContent:
    """A `ContentStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def read_file(self, file: ContentFile) -> AsyncIterator[bytes]:
        """Yield a content file in blocks."""
        content = self._proven(file)
        for start in range(0, len(content), _BLOCK):
            yield content[start : start + _BLOCK]

    async def prove_file(self, file: ContentFile, beginning: int) -> bytes:
        """Look at all of a content file, and return so many of its first octets."""
        return self._proven(file)[:beginning]

    async def read_beginning(self, file: ContentFile, octets: int) -> bytes:
        """Return the first octets of a content file."""
        if file.name not in self._state.files:
            raise StoreError(f"content file {file.name} is missing")
        return self._state.files[file.name][:octets]

    def _proven(self, file: ContentFile) -> bytes:
        content = self._state.files.get(file.name, b"")
        if len(content) != file.size or zlib.crc32(content) != file.crc32:
            text = f"content file {file.name} is missing or damaged"
            self._state.park(file, text)
            raise Damaged(text)
        return content

    async def park_unopened(self, number: int, domain_id: int, text: str) -> None:
        """Mark a message as damaged."""
        kept = self._state.mail.get(number)
        if kept is not None and kept.message.domain_id == domain_id:
            kept.park(f"{DAMAGED} {text}")
