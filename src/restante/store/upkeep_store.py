"""The port of a store for looking after it as a whole.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from restante.store.store_care import ScrubSlice


@dataclass(frozen=True, slots=True)
class BackupCopy:
    """The contents of a copy of the store."""

    messages: int
    octets: int
    files: int


class UpkeepStore(Protocol):
    """Proves and copies the whole store."""

    @property
    def failure(self) -> str:
        """Why this process cannot go on with the store; "" while it can.

        Nothing cures it but to open the store again. Its answers cannot be trusted, or another
        process has this one's place.
        """

    @property
    def absence(self) -> str:
        """Why the store cannot be reached at present, or takes no mail; "" while it does. No I/O.

        Time cures it, so the process goes on; calls raise StoreUnreachable meanwhile. A store in
        files of this machine is away while its database is not in its place. A store in a database
        is also away while an acknowledged message could be lost with one machine. Both accept
        nothing new then, and can still hand over mail.
        """

    @property
    def content_absence(self) -> str:
        """Why large content cannot be reached or kept at present; "" while it can. No I/O.

        Time cures it. All other mail is taken and handed over meanwhile. Only a store that keeps
        large content elsewhere is ever without it.
        """

    @property
    def is_reachable(self) -> bool:
        """Whether the store answers at present. No I/O.

        A store that is away for the safety of new mail still answers.
        """

    @property
    def is_proven(self) -> bool:
        """Whether all of the database was looked at when it was opened; if not, a scrub is due."""

    def free_octets(self) -> int | None:
        """Return how much may still be written where the store is; None where nobody here can tell.

        Cheap, but not free: for once a second. Raises StoreError.
        """

    def scrub(self) -> AsyncIterator[ScrubSlice]:
        """Walk once over all records and held content, step by step, without blocking others.

        A message found damaged is reported and marked as in `held`. Raises StoreError; damage to
        the database is met here as anywhere, and then `failure` says so.
        """

    async def remove_left_content(self) -> int:
        """Remove large content elsewhere whose message has left; return how much was removed.

        Messages leave without waiting for this. Raises StoreError; the rest is left for later.
        """

    async def remove_stray_content(self, grace: float) -> int:
        """Remove large content elsewhere that belongs to nobody; return how much was removed.

        Its transaction never committed, or a restored backup undid it. The store notes when
        a call first found it, and removes it `grace` seconds later, whatever its age. Raises
        StoreError; the rest is left for later.
        """

    async def backup(self, directory: Path) -> BackupCopy:
        """Write a copy of everything, as at one moment, to a new or empty directory.

        Mail comes in and leaves meanwhile. If writing fails, no copy is left that could be taken
        for a whole one. Raises StoreError; CareUnsupported where the database has tools of its own.
        """
