"""The two stores of a move on SQLite (`moving/move_end`).

The source is read as it stands, under the lock of its directory. The target gets the name of its
database last, as a backup does. So neither is a store that a server would begin on by mistake, and
the mark (`move_mark_file`) says why.

    DIR/lock  DIR/move  DIR/restante.db.partial (-wal, -shm)  DIR/content/0…f/name
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import apsw

from restante.phrases import cause_of
from restante.shielded_task import shielded
from restante.store.moving.move_end import MovedRow, MoveStep
from restante.store.moving.move_mark import MoveMark, MovePhase
from restante.store.moving.moved_tables import ID_COLUMNS, MESSAGES, MOVED, MovedTable
from restante.store.moving.step_text import key_of_text, key_text
from restante.store.sqlite import (
    audit_queries,
    care_queries,
    engine,
    ledger_queries,
    migrations,
    move_queries,
    record_queries,
)
from restante.store.sqlite.backup import PARTIAL, sync
from restante.store.sqlite.directory_lock import DirectoryLock, lock_without_server
from restante.store.sqlite.log_mark import LogMark
from restante.store.sqlite.log_remains import lost_part
from restante.store.sqlite.move_mark_file import mark_in, url_of_directory, write_mark
from restante.store.sqlite.newer_schema import check_not_newer
from restante.store.sqlite.regular_file import open_regular
from restante.store.store_errors import (
    NotEmpty,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreMismatched,
    StoreUnusable,
)
from restante.store.stored_form.row_type import Row
from restante.store.stored_form.rows import audit_row
from restante.tenancy.audit import AuditEntry

DATABASE: Final = "restante.db"
CONTENT: Final = "content"
_LOCK: Final = "lock"
_OWN: Final = frozenset({_LOCK, CONTENT, *(f"{PARTIAL}{end}" for end in ("", "-wal", "-shm"))})
_MOST_ROWS: Final = 1000  # in a slice
_MOST_OCTETS: Final = 4 << 20
_BLOCK: Final = 1 << 20
_OCTETS_BETWEEN_CHECKPOINTS: Final = 64 * 1024 * 1024

_Answer = TypeVar("_Answer")


class SqliteMoveEnd:
    """A store in a locked directory."""

    def __init__(self, directory: Path, lock: DirectoryLock, mark: MoveMark | None) -> None:
        self._directory = directory
        self._files = directory / CONTENT
        self._lock = lock
        self._turn = asyncio.Lock()  # the connection has one user at a time
        self._connection: apsw.Connection | None = None
        self._mark = mark

    @property
    def place(self) -> str:
        """Its URL."""
        return url_of_directory(self._directory)

    @property
    def mark(self) -> MoveMark | None:
        """The mark that it has now."""
        return self._mark

    async def set_mark(self, mark: MoveMark | None) -> None:
        """Replace the mark."""
        await self._run(lambda: write_mark(self._directory, mark))
        self._mark = mark

    async def rows(self, table: MovedTable, after: Row | None) -> list[MovedRow]:
        """Return the next rows behind a key."""
        return await self._run(lambda: _slice(self._opened, table, after))

    async def content(self, name: str) -> AsyncIterator[bytes]:
        """Yield a content file as it is."""
        try:
            number = open_regular(self._files / name)
        except OSError:
            return  # missing, or not our file: its message is damaged, here as there
        try:
            while block := _read(number):
                yield block
                await asyncio.sleep(0)
        finally:
            os.close(number)

    async def close(self) -> None:
        """Let go of the store."""
        async with self._turn:
            self._let_go()
            self._lock.release()

    @property
    def _opened(self) -> apsw.Connection:
        assert self._connection is not None
        return self._connection

    def _use(self, connection: apsw.Connection) -> apsw.Connection:
        self._connection = connection
        return connection

    def _let_go(self) -> None:
        """Close the connection, if there is one, and leave its log as it is."""
        if self._connection is not None:
            engine.close_without_checkpoint(self._connection)
            self._connection = None

    async def _run(self, work: Callable[[], _Answer]) -> _Answer:
        """Do work on a thread. Raises StoreError."""
        async with self._turn:
            working = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                return await shielded(working)
            except asyncio.CancelledError:
                await asyncio.wait({working})  # the thread is at the connection still
                raise
            except (OSError, apsw.Error, UnicodeDecodeError) as error:
                raise _as_raised(error, self._directory) from error


class SqliteMoveSource(SqliteMoveEnd):
    """A `MoveSource`."""

    async def open(self) -> None:
        """Open the database to read it. Raises StoreError."""
        await self._run(self._open)

    async def counts(self) -> Mapping[str, int]:
        """Return the number of rows of each table that moves."""
        return await self._run(
            lambda: {
                table.name: _number(self._opened, move_queries.count_rows(table)) for table in MOVED
            }
        )

    async def last_ids(self) -> Mapping[str, int]:
        """Return the highest ids that were given out."""
        return await self._run(lambda: _last_ids(self._opened))

    def _open(self) -> None:
        path = self._directory / DATABASE
        if lost := LogMark(path).lost:
            raise StoreDamaged(f"{self._directory}: {lost}")
        connection = self._use(engine.open_reader(path))
        if lost := lost_part(path):
            raise StoreDamaged(f"{self._directory}: {lost}")
        check_not_newer(connection, self._directory)
        found, known = int(connection.pragma("user_version")), len(migrations.MIGRATIONS)
        if found < known:
            raise StoreMismatched(
                f"{self._directory} has schema {found}, and a move needs {known}; start its server"
                " once, which upgrades it, and stop it again"
            )


class SqliteMoveTarget(SqliteMoveEnd):
    """A `MoveTarget`."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever in it."""
        return self._mark is None

    @property
    def is_whole(self) -> bool:
        """Whether all was taken, and only the mark may not say so yet."""
        return (self._directory / DATABASE).exists()

    async def begin(self, mark: MoveMark) -> Mapping[str, MoveStep]:
        """Mark it, make its tables, and return the steps that were noted."""
        if self._mark is None:
            await self.set_mark(mark)
        return await self._run(self._begin)

    async def take(
        self, table: MovedTable, rows: list[MovedRow], name: str, step: MoveStep
    ) -> None:
        """Add rows and note a step."""

        def add() -> None:
            values = (
                (*row.values, row.content or None) if table.has_content else row.values
                for row in rows
            )
            with self._opened:
                self._opened.executemany(move_queries.add_row(table), values)
                self._opened.execute(move_queries.NOTE_STEP, _step_row(name, step))
            self._checkpoint_if_due()

        await self._run(add)

    async def note(self, name: str, step: MoveStep) -> None:
        """Note a step."""
        row = _step_row(name, step)
        await self._run(lambda: self._opened.execute(move_queries.NOTE_STEP, row))

    async def take_content(self, number: int, blocks: AsyncIterator[bytes]) -> str:
        """Write a content file. Its name follows from the number: it is written over."""
        assert self._mark is not None
        digits = hashlib.sha256(f"{self._mark.move_id} {number}".encode()).hexdigest()[:32]
        name = f"{digits[0]}/{digits}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        path = self._files / name
        try:
            with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
                async for block in blocks:
                    file.write(block)
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
            await asyncio.to_thread(sync, path.parent)
        except OSError as error:
            raise _as_raised(error, self._directory) from error
        return name

    async def finish(self, last_ids: Mapping[str, int], entry: AuditEntry) -> None:
        """Become a whole store."""
        assert self._mark is not None
        if self._connection is not None:
            await self._run(lambda: self._finish(last_ids, entry))
        mark = self._mark
        await self.set_mark(MoveMark(mark.move_id, MovePhase.ARRIVED, mark.other, mark.at))

    async def clear(self) -> None:
        """Remove all that was written, and the mark."""
        await self._run(self._clear)
        await self.set_mark(None)

    def _begin(self) -> dict[str, MoveStep]:
        partial = self._directory / PARTIAL
        if self.is_whole:
            return {}
        self._files.mkdir(mode=0o700, exist_ok=True)
        for shard in "0123456789abcdef":
            (self._files / shard).mkdir(mode=0o700, exist_ok=True)
        sync(self._files)
        partial.touch(mode=0o600)
        connection = self._use(engine.open_write_connection(partial))
        version = int(connection.pragma("user_version"))
        has_steps = bool(engine.fetch(connection, move_queries.HAS_STEPS))
        if version and not has_steps:  # all was taken: only its name was missing
            self._name()
            return {}
        connection.execute(move_queries.MAKE_STEPS)
        steps = {
            name: MoveStep(rows, octets, key_of_text(after), digest, bool(is_done))
            for name, rows, octets, after, digest, is_done in connection.execute(move_queries.STEPS)
        }
        if steps and version != len(migrations.MIGRATIONS):
            raise StoreMismatched(
                f"{self.place}: another version of Restante began this move; use that version, or"
                f" give the move up with `restante store move --undo` and begin again"
            )
        migrations.migrate(connection)
        return steps

    def _finish(self, last_ids: Mapping[str, int], entry: AuditEntry) -> None:
        connection = self._opened
        with connection:
            _keep_ids(connection, last_ids)
            for statement in (
                move_queries.FORGET_USAGE,
                care_queries.USAGE_ANEW,
                move_queries.FORGET_HOURS,
                move_queries.HOURS_ANEW,
            ):
                connection.execute(statement)
            for last in (last_ids[MESSAGES.name], _number(connection, move_queries.HIGHEST_NUMBER)):
                connection.execute(record_queries.KEEP_LAST_NUMBER, (last,))
            connection.execute(audit_queries.RECORD, audit_row(entry))
            connection.execute(move_queries.FORGET_STEPS)
        self._name()

    def _name(self) -> None:
        """Give the database its name, whole in one file."""
        connection = self._opened
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        connection.pragma("journal_mode", "DELETE")  # its server makes it WAL again
        self._let_go()
        partial = self._directory / PARTIAL
        sync(partial)
        partial.rename(self._directory / DATABASE)
        sync(self._directory)

    def _checkpoint_if_due(self) -> None:
        log = self._directory / f"{PARTIAL}-wal"
        if log.stat().st_size >= _OCTETS_BETWEEN_CHECKPOINTS:
            self._opened.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)

    def _clear(self) -> None:
        self._let_go()
        for name in _OWN - {_LOCK, CONTENT}:
            (self._directory / name).unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            shutil.rmtree(self._files)


async def open_source(directory: Path, *, is_read: bool = True) -> SqliteMoveSource:
    """Lock the store in a directory, and open it unless only its mark is wanted.

    Raises StoreError.
    """
    if not (directory / DATABASE).is_file():
        raise StoreUnusable(f"{directory / DATABASE} is not there; name the directory of a store")
    lock = lock_without_server(directory)
    try:
        source = SqliteMoveSource(directory, lock, mark_in(directory))
        if is_read:
            await source.open()
    except BaseException:
        lock.release()
        raise
    return source


def open_target(directory: Path) -> SqliteMoveTarget:
    """Lock the directory of a store to come: an empty one, or that of a move. Raises StoreError."""
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        lock = lock_without_server(directory)
    except OSError as error:
        raise StoreUnusable(
            f"{directory}: {cause_of(error)}; check that this user may write there"
        ) from error
    try:
        mark = mark_in(directory)
        _check_new(directory, mark)
    except BaseException:
        lock.release()
        raise
    return SqliteMoveTarget(directory, lock, mark)


def _check_new(directory: Path, mark: MoveMark | None) -> None:
    """Raise NotEmpty if a directory has anything, unless a move into it began."""
    is_ours = mark is not None and not mark.is_source
    if not is_ours and {path.name for path in directory.iterdir()} - {_LOCK}:
        raise NotEmpty(f"{directory}: the directory is not empty; name an empty or a new one")


def _slice(connection: apsw.Connection, table: MovedTable, after: Row | None) -> list[MovedRow]:
    """Read rows until there are many, or they are large."""
    statement = move_queries.rows_after(table, is_first=after is None)
    heavy = table.columns.index(table.heavy) if table.heavy else -1
    rows: list[MovedRow] = []
    octets = 0
    cursor = connection.execute(statement, after or ())
    for row in cursor:
        rows.append(MovedRow(row[:-1], row[-1] or "") if table.has_content else MovedRow(row))
        octets += len(row[heavy] or b"") if heavy >= 0 else 0
        if len(rows) >= _MOST_ROWS or octets >= _MOST_OCTETS:
            break
    cursor.close(True)
    return rows


def _read(number: int) -> bytes:
    """Read the next octets of a file; none if the disk cannot read them."""
    try:
        return os.read(number, _BLOCK)
    except OSError:
        return b""


def _number(connection: apsw.Connection, query: str) -> int:
    [(value,)] = engine.fetch(connection, query)
    return int(value)


def _last_ids(connection: apsw.Connection) -> dict[str, int]:
    given = dict(map(tuple, engine.fetch(connection, move_queries.GIVEN_IDS)))
    numbers = {MESSAGES.name: _number(connection, ledger_queries.COUNTED_UP_TO)}
    return numbers | {
        name: max(
            _number(connection, move_queries.highest_id(name, column)), int(given.get(name, 0))
        )
        for name, column in ID_COLUMNS.items()
    }


def _keep_ids(connection: apsw.Connection, last_ids: Mapping[str, int]) -> None:
    """Give no id out again. Tables without AUTOINCREMENT go on behind their highest row."""
    for (name,) in engine.fetch(connection, move_queries.AUTOINCREMENT):
        if not engine.fetch(connection, care_queries.HAS_SEQUENCE, (name,)):
            connection.execute(care_queries.BEGIN_SEQUENCE, (name,))
        connection.execute(care_queries.MOVE_SEQUENCE, (last_ids.get(name, 0), name))


def _step_row(name: str, step: MoveStep) -> Row:
    after = key_text(step.after)
    return (name, step.rows, step.octets, after, step.digest, int(step.is_done))


def _as_raised(error: Exception, directory: Path) -> StoreError:
    if engine.is_want_of_room(error):
        return StoreFull(f"{directory}: there is not enough disk space")
    if engine.is_damage(error):
        return StoreDamaged(
            f"{directory}: the database is damaged ({cause_of(error)}); write what can be read to a"
            " new store with `restante store salvage DIR`, and move that"
        )
    return StoreError(f"{directory}: {cause_of(error)}")
