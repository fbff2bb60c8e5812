"""The floor of the disk: the cost of appending and syncing alone.

Messages are appended to one file. It is synced (fdatasync) after each message, or after each group
that waits together. With this disk and as many messages per sync, no server can be faster if its
250 means durable.
"""

import os
import tempfile
import time
from typing import Final

from bench.results import Sample
from bench.rows.row import Extent, Row

SIZE: Final = 4096
SECONDS: Final = 2.0


class SyncRow(Row):
    """A loop of append and sync."""

    name = "floor-sync"
    title = "append 4 KiB and sync"

    def __init__(self) -> None:
        self._together = {"a sync each": 1, "20 to a sync": 20, "100 to a sync": 100}
        self.subjects = list(self._together)
        self.ratios = []

    def run(self, subject: str, *, is_first: bool) -> Sample:  # noqa: ARG002  each round is like the first
        """Append and sync for a while."""
        together = self._together[subject]
        messages, block = 0, bytes(SIZE) * together
        with tempfile.TemporaryFile(buffering=0) as file:
            begin = time.monotonic()
            while (seconds := time.monotonic() - begin) < SECONDS:
                file.write(block)
                os.fdatasync(file.fileno())
                messages += together
        return Sample(messages / seconds, syncs=1 / together)


def floor_rows(extent: Extent) -> list[Row]:
    """Return it: not in the quick run."""
    return [] if extent is Extent.QUICK else [SyncRow()]
