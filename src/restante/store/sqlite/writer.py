"""The one thread that writes.

Changes that wait while it syncs are its next group: one transaction, one sync, one wake-up.

A change that cannot be made (StoreError) fails alone: it raises before it has written anything.
Any other failure rolls the whole group back. If disk or database is to blame, all of the group fail
with StoreError. If not, one of the changes is, and each is repeated alone, so that it fails by
itself.

Each group begins with a look at the files in use. With the event loop busy, the thread waits for
the interpreter after each system call. So mail brings a look with it (`look`), made on the loop.

A failed sync is final. The changes of that group may be found in the database or not when it is
reopened. Until then every change and every question gets StoreError.

On a full disk the ballast is removed, and each change of the group is repeated alone: a change that
only removes now has room.

Checkpoints are made here, between groups, after the waiting have been answered. So are the steps
that return free space, while no change waits.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple

import apsw

from restante.phrases import cause_of
from restante.store.sqlite import engine, ledger_queries
from restante.store.sqlite.ballast import Ballast
from restante.store.sqlite.files_in_use import FilesInUse
from restante.store.sqlite.free_space import PAUSE_SECONDS, FreeSpace
from restante.store.sqlite.ledger import Ledger, LedgerBalance
from restante.store.sqlite.log_mark import LogMark
from restante.store.sqlite.store_health import StoreHealth
from restante.store.sqlite.write_transaction import SqliteChange, WriteTransaction
from restante.store.store_errors import StoreError, StoreFull

CHECKPOINT_OCTETS = 16 * 1024 * 1024
"""Octets of pages logged between checkpoints.

From 8 to 128 MiB the rate is the same, but waits grow.
"""

_FRESH: Final = 0.005  # seconds, about as long as a commit: an older look at the files is repeated

_LONG_LOG = 4 * CHECKPOINT_OCTETS  # readers keep the log from being reused: wait for them, once


class _WaitingChange(NamedTuple):
    change: SqliteChange
    answer: asyncio.Future[Any]


class _ChangeAnswer(NamedTuple):
    waiting: _WaitingChange
    value: Any
    error: Exception | None = None


class WritingParts(NamedTuple):
    """The parts that only the writer uses, once the store is open."""

    connection: apsw.Connection
    ledger: Ledger
    ballast: Ballast
    log_mark: LogMark


class StoreWriter:
    """Makes changes, in the order in which they were submitted."""

    def __init__(
        self,
        parts: WritingParts,
        health: StoreHealth,
        *,
        in_use: FilesInUse,
        announce: Callable[[LedgerBalance], None],
        remove_files: Callable[[list[str]], None],
    ) -> None:
        """`announce` runs on the event loop before any answer, `remove_files` on the thread."""
        self._connection = parts.connection
        self._health = health
        self._ballast = parts.ballast
        self._log_mark = parts.log_mark
        self._in_use = in_use
        self._ledger = parts.ledger
        self._announce = announce
        self._remove_files = remove_files
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[_WaitingChange | None] = SimpleQueue()
        self._page_size = engine.page_size_of(parts.connection)
        self._octets_logged = 0
        self._free_space = FreeSpace(parts.connection)
        self._looked_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="restante-writer", daemon=True)
        self._thread.start()

    # --- on the event loop

    def submit(self, change: SqliteChange) -> asyncio.Future[Any]:
        """Put a change in the queue. It is made even if nobody waits for the answer any more."""
        waiting = _WaitingChange(change, self._loop.create_future())
        self._queue.put(waiting)
        return waiting.answer

    def look(self) -> None:
        """Look at the files for the next group. Call it just before a change is submitted."""
        at = time.monotonic()
        if cut := self._in_use.cut:
            self._health.damage(cut)
        self._looked_at = at

    async def close(self) -> None:
        """Make the changes that wait, and end."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    # --- on the thread

    def _run(self) -> None:
        is_open = True
        self._checkpoint_if_due()  # a disk that was full may still be: this frees the log's room
        while is_open:
            waiting = self._take()
            is_open = waiting[-1] is not None
            if group := [one for one in waiting if one is not None]:
                self._serve(group)
                self._checkpoint_if_due()
        self._close_connection()

    def _take(self) -> list[_WaitingChange | None]:
        """Wait for one, then take all that are there. Meanwhile free space is returned."""
        first = self._first()
        return [first, *(self._queue.get_nowait() for _ in range(self._queue.qsize()))]

    def _first(self) -> _WaitingChange | None:
        while self._free_space.is_returning and not self._health.failure:
            with suppress(Empty):
                return self._queue.get(timeout=PAUSE_SECONDS)
            self._return_space()
        return self._queue.get()

    def _serve(self, group: list[_WaitingChange]) -> None:
        if time.monotonic() - self._looked_at > _FRESH:
            self.look()  # before the commit, which would write beyond a cut
        self._looked_at = float("-inf")  # a look is good for one group
        if self._health.failure:
            self._answer(
                [_ChangeAnswer(one, None, StoreError(self._health.failure)) for one in group]
            )
            return
        try:
            answers = self._commit(group)
        except Exception as error:  # noqa: BLE001  this thread must outlive whatever a change does
            self._recover(group, error)
        else:
            self._answer(answers, self._ledger.balance())

    def _commit(self, group: list[_WaitingChange]) -> list[_ChangeAnswer]:
        """Make a group's changes. All errors are raised before the changes are durable."""
        transaction = WriteTransaction(self._connection, self._ledger, self._ballast)
        answers = [_made(one, transaction) for one in group]
        transaction.commit()
        if transaction.files_to_remove:
            self._remove_files(transaction.files_to_remove)
        return answers

    def _recover(self, group: list[_WaitingChange], error: Exception) -> None:
        """Undo the changes of a group, and find out which callers to tell."""
        if engine.is_final(error):
            self._health.meet(error, "committing")
        else:
            self._roll_back()
        if self._is_worth_another_try(group, error):
            for one in group:
                self._serve([one])
        else:
            self._answer([_ChangeAnswer(one, None, _as_raised(error)) for one in group])

    def _is_worth_another_try(self, group: list[_WaitingChange], error: Exception) -> bool:
        if engine.is_want_of_room(error):
            return self._ballast.give_up()
        return len(group) > 1 and not engine.concerns_the_store(error)

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute(ledger_queries.ROLLBACK)
            self._ledger = Ledger.read(self._connection)
        except (apsw.Error, UnicodeDecodeError) as error:
            self._health.meet(error, "rolling back")
            self._health.fail(
                f"rolling back: {error}"
            )  # in any case: memory may differ from the disk

    def _answer(self, answers: list[_ChangeAnswer], balance: LedgerBalance | None = None) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(self._hand_back, answers, balance)

    def _hand_back(self, answers: list[_ChangeAnswer], balance: LedgerBalance | None) -> None:
        if balance:
            self._announce(balance)
        for (_, future), value, error in answers:
            if future.done():
                continue  # the waiting caller was cancelled
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)

    # --- checkpoints

    def _checkpoint_if_due(self) -> None:
        pages, _ = self._connection.status(apsw.SQLITE_DBSTATUS_CACHE_WRITE, reset=True)
        self._octets_logged += pages * self._page_size
        is_due = self._octets_logged >= CHECKPOINT_OCTETS or self._ballast.is_given_up
        if is_due and not self._health.failure:
            self._octets_logged = 0
            self._catch_up()
            self._checkpoint(apsw.SQLITE_CHECKPOINT_PASSIVE)
            if not self._health.failure:
                self._in_use.need(self._free_space.octets)
                self._free_space.look()

    def _return_space(self) -> None:
        """Return a step of free space. After the last step a checkpoint cuts the file."""
        if cut := self._in_use.cut:
            self._health.damage(cut)
            return
        try:
            self._free_space.return_step()
            self._in_use.need(self._free_space.octets)
        except apsw.Error as error:  # it is tried again after a checkpoint
            if engine.is_final(error):
                self._health.meet(error, "returning free space")
            return
        if not self._free_space.is_returning:
            self._octets_logged = CHECKPOINT_OCTETS
        self._checkpoint_if_due()

    def _catch_up(self) -> None:
        """Write the figures that are behind: a start must count only mail since a checkpoint."""
        if self._ledger.is_behind:
            self._serve([])

    def _checkpoint(self, mode: int) -> None:
        try:
            pages, _ = self._connection.wal_checkpoint(mode=mode)
            is_long = pages * self._page_size >= _LONG_LOG
            if is_long and mode == apsw.SQLITE_CHECKPOINT_PASSIVE:
                with engine.impatience(self._connection):
                    self._checkpoint(apsw.SQLITE_CHECKPOINT_RESTART)
        except (
            apsw.Error
        ) as error:  # an error that is not final is retried next time: the log keeps all of it
            if engine.is_final(error):
                self._health.meet(error, "checkpoint")
            elif engine.is_want_of_room(error):
                self._ballast.give_up()

    def _close_connection(self) -> None:
        self._catch_up()
        if not self._health.failure:
            with self._log_mark.lifted():
                self._checkpoint(apsw.SQLITE_CHECKPOINT_TRUNCATE)
        with suppress(apsw.Error):  # all that was promised is in the log
            engine.close_without_checkpoint(self._connection)


def _made(waiting: _WaitingChange, transaction: WriteTransaction) -> _ChangeAnswer:
    try:
        return _ChangeAnswer(waiting, waiting.change(transaction))
    except StoreError as error:
        return _ChangeAnswer(waiting, None, error)


def _as_raised(error: Exception) -> Exception:
    """Return a caller's own error instance: a raised error collects its traceback."""
    if engine.is_want_of_room(error):
        return StoreFull("the disk is full")
    if isinstance(error, (apsw.Error, MemoryError, StoreError, UnicodeDecodeError)):
        return StoreError(cause_of(error))
    return error
