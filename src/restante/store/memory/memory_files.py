"""Large content in a store that forgets: files in a dictionary."""

import zlib
from collections.abc import AsyncIterator
from dataclasses import replace

from restante.mail.message import ContentFile
from restante.store.store_errors import Damaged, StoreError

_BLOCK = 256 * 1024


class MemoryFiles:
    """Content files by name."""

    def __init__(self) -> None:
        super().__init__()
        self._files: dict[str, bytes] = {}
        self._files_named = 0

    def open_spool(self) -> "MemorySpool":
        """Begin large content."""
        return MemorySpool(self._files, self._new_file_name())

    def _new_file_name(self) -> str:
        self._files_named += 1
        return f"memory-{self._files_named}"

    async def duplicate(self, file: ContentFile) -> ContentFile:
        """Give the same content a second name."""
        if file.name not in self._files:
            raise StoreError(f"content file {file.name} is missing")
        copy = replace(file, name=self._new_file_name())
        self._files[copy.name] = self._files[file.name]
        return copy

    async def read_file(self, file: ContentFile) -> AsyncIterator[bytes]:
        """Yield a content file in blocks."""
        content = self._proven(file)
        for start in range(0, len(content), _BLOCK):
            yield content[start : start + _BLOCK]

    async def prove_file(self, file: ContentFile, beginning: int) -> bytes:
        """Look at all of a content file, and return so many of its first octets."""
        return self._proven(file)[:beginning]

    def _proven(self, file: ContentFile) -> bytes:
        content = self._files.get(file.name, b"")
        if len(content) != file.size or zlib.crc32(content) != file.crc32:
            text = f"content file {file.name} is missing or damaged"
            self._park(file, text)
            raise Damaged(text)
        return content

    def _park(self, file: ContentFile, text: str) -> None:
        """Refuse the recipients of the message that this file belongs to."""

    async def read_beginning(self, file: ContentFile, octets: int) -> bytes:
        """Return the first octets of a content file."""
        if file.name not in self._files:
            raise StoreError(f"content file {file.name} is missing")
        return self._files[file.name][:octets]

    def _remove_file(self, file: ContentFile) -> None:
        self._files.pop(file.name, None)


class MemorySpool:
    """Large content in memory."""

    def __init__(self, files: dict[str, bytes], name: str) -> None:
        self._files = files
        self._name = name
        self._content = bytearray()

    async def write(self, block: bytes) -> None:
        """Append."""
        self._content += block

    async def close(self) -> ContentFile:
        """Keep it under its name."""
        content = bytes(self._content)
        self._files[self._name] = content
        return ContentFile(self._name, len(content), zlib.crc32(content))

    def discard(self) -> None:
        """Forget it."""
        self._files.pop(self._name, None)
