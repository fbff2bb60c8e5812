"""The port of a store for looking after it as a whole.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from restante.store.store_care import Slice


@dataclass(frozen=True, slots=True)
class Backup:
    """The contents of a copy of the store."""

    messages: int
    octets: int
    files: int


class UpkeepStore(Protocol):
    """Proves and copies the whole store."""

    @property
    def failure(self) -> str:
        """Why the store must be reopened before it does anything more; "" while all is well."""

    @property
    def is_proven(self) -> bool:
        """Whether all of the database was looked at when it was opened; if not, a scrub is due."""

    def scrub(self) -> AsyncIterator[Slice]:
        """Walk once over all records and held content, step by step, without blocking others.

        A message found damaged is reported and refused as in `held`. Raises StoreError; damage to
        the database is met here as anywhere, and then `failure` says so.
        """

    async def backup(self, directory: Path) -> Backup:
        """Write a copy of everything, as at one moment, to a new or empty directory.

        Mail comes in and leaves meanwhile. If writing fails, no copy is left that could be taken
        for a whole one. Raises StoreError.
        """
