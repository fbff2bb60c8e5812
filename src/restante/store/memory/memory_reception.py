"""How mail comes into a store that forgets."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from restante.mail.message import ContentFile, MessageNumbers, NewMessage
from restante.store.hold_refusals import NO_QUOTAS, QuotasByDomain, over_quota, refused_of
from restante.store.memory.memory_figures import MemoryFigures
from restante.store.memory.memory_message import MemoryMessage
from restante.store.memory.memory_state import MemoryState
from restante.store.store_errors import Conflict, StoreError


class MemoryReception:
    """A `ReceptionStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self._figures = MemoryFigures(state)
        self._files_named = 0

    def numbers(self) -> MessageNumbers:
        """Return the numbers for new messages."""
        return self._state.numbers

    async def hold(
        self, messages: Sequence[NewMessage], quotas: QuotasByDomain = NO_QUOTAS
    ) -> Mapping[int, StoreError]:
        """Hold these, except for removed domains and full quotas. Their numbers need not grow."""
        new = {message.number: message for message in messages}
        if len(new) < len(messages) or new.keys() & self._state.mail.keys():
            raise Conflict("a message number is taken")
        refused = refused_of(
            messages, lambda domain_id: self._state.directory.domain_by_id(domain_id) is not None
        )
        if quotas:
            left = [message for message in messages if message.number not in refused]
            refused |= over_quota(left, quotas, self._figures.usage, self._figures.usage_of_account)
        for number, message in new.items():
            if number not in refused:
                paths = list(message.envelope.forward_paths)
                self._state.mail[number] = MemoryMessage(
                    message, paths, is_delay_told=message.is_delay_told
                )
                self._state.numbers.pass_over(number)
        self._state.mail = dict(sorted(self._state.mail.items()))
        return refused

    def open_spool(self) -> "MemorySpool":
        """Begin large content."""
        return MemorySpool(self._state.files, self._new_file_name())

    async def duplicate(self, file: ContentFile) -> ContentFile:
        """Give the same content a second name."""
        if file.name not in self._state.files:
            raise StoreError(f"content file {file.name} is missing")
        copy = replace(file, name=self._new_file_name())
        self._state.files[copy.name] = self._state.files[file.name]
        return copy

    def discard(self, file: ContentFile) -> None:
        """Remove a duplicate that no message has got."""
        self._state.files.pop(file.name, None)

    def _new_file_name(self) -> str:
        self._files_named += 1
        return f"memory-{self._files_named}"


class MemorySpool:
    """Large content in memory."""

    def __init__(self, files: dict[str, bytes], name: str) -> None:
        self._files = files
        self._name = name
        self._content = bytearray()

    async def write(self, block: bytes) -> None:
        """Append."""
        self._content += block

    async def close(self, rest: bytes = b"") -> ContentFile:
        """Append the rest, and keep it under its name."""
        content = bytes(self._content + rest)
        self._files[self._name] = content
        return ContentFile(self._name, len(content), zlib.crc32(content))

    def discard(self) -> None:
        """Forget it."""
        self._files.pop(self._name, None)
