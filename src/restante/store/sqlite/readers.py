"""The reading connections: each question in one short transaction that never blocks the writer.

A transaction that stays open keeps the log from being reused, so nothing here outlives its
question.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

import apsw

from restante.store.sqlite import engine
from restante.store.sqlite.daemon_threads import DaemonThreads
from restante.store.sqlite.store_health import StoreHealth
from restante.store.store_errors import StoreError

_CONNECTIONS = 2  # so that no long read holds the others up

_CLOSING_SECONDS = 3.0  # a read that hangs is left behind

_Answer = TypeVar("_Answer")


class ReaderPool:
    """A few threads, each question on a connection of its own while it lasts."""

    def __init__(
        self,
        path: Path,
        health: StoreHealth,
        vfs: str | None = None,
        name: str = "restante-reader",
    ) -> None:
        """`name` is of the threads."""
        self._health = health
        self._idle: SimpleQueue[apsw.Connection] = SimpleQueue()
        for _ in range(_CONNECTIONS):
            self._idle.put(engine.open_reader(path, vfs))
        self._pool = DaemonThreads(_CONNECTIONS, name)

    async def ask(self, question: Callable[[apsw.Connection], _Answer]) -> _Answer:
        """Put a question on a reading thread.

        Raises StoreError; damage that it meets is the end, as for the writer.
        """
        try:
            return await self._pool.do(partial(self._answer, question))
        except (apsw.Error, MemoryError, UnicodeDecodeError) as error:
            self._health.meet(error, "reading")
            raise StoreError(f"reading: {error}") from error

    def _answer(self, question: Callable[[apsw.Connection], _Answer]) -> _Answer:
        connection = self._idle.get()
        try:
            return question(connection)
        finally:
            self._idle.put(connection)

    def close(self) -> None:
        """Wait a moment for the questions that were asked, then close the idle connections."""
        self._pool.close(_CLOSING_SECONDS)
        while not self._idle.empty():
            self._idle.get().close()
