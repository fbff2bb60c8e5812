"""When tokens were last used: noted in memory, and written once a minute, all together.

Limitation: the uses of the last minute before a crash are lost.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from restante.background.rounds import Rounds
from restante.store.record_store import RecordStore
from restante.store.store_errors import StoreError

WRITE_SECONDS: Final = 60.0


class TokenUses:
    """The uses that are not written yet. Belongs to the event loop."""

    def __init__(self, records: RecordStore, rounds: Rounds, now: Callable[[], float]) -> None:
        """`now` is Unix time."""
        self._records = records
        self._rounds = rounds
        self._now = now
        self._unwritten: dict[str, float] = {}  # by the id of a token

    def used(self, token_id: str) -> None:
        """Note that a token was just used."""
        self._unwritten[token_id] = self._now()

    async def write(self) -> None:
        """Write the uses since the last time. Raises StoreError; then they are kept."""
        if not self._unwritten:
            return
        uses, self._unwritten = self._unwritten, {}
        try:
            await self._records.record_token_uses(uses)
        except BaseException:
            self._unwritten = uses | self._unwritten
            raise

    async def run(self) -> None:
        """Write once a minute, and at the end."""
        try:
            await self._rounds.run_rounds(self._write_round)
        finally:
            with suppress(StoreError):
                await self.write()

    async def _write_round(self) -> float:
        await self.write()
        return WRITE_SECONDS
