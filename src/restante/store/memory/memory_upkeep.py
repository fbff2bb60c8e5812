"""Looking after a store that forgets."""

from collections.abc import AsyncIterator
from pathlib import Path

from restante.store.memory.memory_care import no_backup
from restante.store.memory.memory_content import MemoryContent
from restante.store.memory.memory_state import MemoryState
from restante.store.store_care import ScrubSlice
from restante.store.store_errors import Damaged
from restante.store.upkeep_store import BackupCopy


class MemoryUpkeep:
    """An `UpkeepStore`."""

    is_proven = True

    def __init__(self, state: MemoryState, content: MemoryContent) -> None:
        self._state = state
        self._content = content

    @property
    def is_reachable(self) -> bool:
        """It always is."""
        return True

    @property
    def content_absence(self) -> str:
        """It has no large content elsewhere."""
        return ""

    @property
    def absence(self) -> str:
        """It is never away."""
        return ""

    @property
    def failure(self) -> str:
        """Nothing can happen to it."""
        return ""

    def free_octets(self) -> int | None:
        """No disk limits it."""
        return None

    async def scrub(self) -> AsyncIterator[ScrubSlice]:
        """Look at every content file."""
        for record in list(self._state.mail.values()):
            damaged = 0
            if record.message.file is not None:
                try:
                    await self._content.prove_file(record.message.file, 0)
                except Damaged:
                    damaged = 1
            yield ScrubSlice(1, record.message.size, record.message.file is not None, 0.0, damaged)

    async def remove_left_content(self) -> int:
        """There is none elsewhere."""
        return 0

    async def remove_stray_content(self, grace: float) -> int:  # noqa: ARG002
        """There is none elsewhere."""
        return 0

    async def backup(self, directory: Path) -> BackupCopy:
        """Raise CareUnsupported: there is nothing that would outlive the process."""
        raise no_backup(directory)
