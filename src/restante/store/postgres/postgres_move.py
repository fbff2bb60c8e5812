"""The two stores of a move on PostgreSQL (`moving/move_end`).

A mark in the database keeps servers from starting. The move sets it, and then looks for servers. A
server takes its slot, and then looks for the mark. So one of both sees the other. A server that
comes back after its lease finds that its slot has another epoch.

Each slice of rows is a transaction, with the note of how far the copy is. Two commands that move
into the same database exclude each other by the name of the runner: the later one goes on.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final

import asyncpg

from restante.phrases import cause_of
from restante.store.database_access import DatabaseAccess
from restante.store.moving.move_end import MovedRow, MoveStep
from restante.store.moving.move_mark import MoveMark, MovePhase
from restante.store.moving.moved_tables import ID_COLUMNS, MESSAGES, MOVED, MovedTable
from restante.store.moving.step_text import key_of_text, key_text
from restante.store.object_access import ObjectAccess
from restante.store.postgres import move_statements, node_queries, object_queries, sqlstate
from restante.store.postgres.audit_writing import record
from restante.store.postgres.chunk_spool import CHUNK
from restante.store.postgres.cluster_node import risk_of
from restante.store.postgres.content_objects import NO_OBJECTS, ContentObjects, new_name
from restante.store.postgres.database_session import DatabaseSession, PostgresRow, open_granted
from restante.store.postgres.move_mark_row import mark_of
from restante.store.postgres.object_opening import open_objects
from restante.store.postgres.object_spool import StagedContent
from restante.store.postgres.postgres_opening import CANNOT_OPEN, prepare_tables
from restante.store.postgres.postgres_schema import VERSION
from restante.store.postgres.postgres_transaction import NodeKey, PostgresTransaction
from restante.store.postgres.schema_upgrade import SCHEMA_FOUND, check_schema
from restante.store.store_errors import (
    Damaged,
    NotEmpty,
    StoreError,
    StoreMismatched,
    StoreUnusable,
)
from restante.store.stored_form.row_type import Row
from restante.tenancy.audit import AuditEntry

_PATIENCE: Final = 24 * 3600.0  # seconds: counting all messages is one statement
_MOST_ROWS: Final = 1000  # in a slice
_MOST_OCTETS: Final = 4 << 20
_NOBODY: Final = NodeKey(0, 0)


class PostgresMoveEnd:
    """A store in a database, read by one session and written by another."""

    def __init__(
        self,
        url: str,
        sessions: tuple[DatabaseSession, DatabaseSession],
        mark: MoveMark | None,
        access: ObjectAccess | None,
    ) -> None:
        """`access`: to the object store with large content, if there is one."""
        self._url = url
        self._access = access
        self._objects: ContentObjects | None = None  # once it is needed
        self._reading, self._writing = sessions
        self._read_turn, self._write_turn = asyncio.Lock(), asyncio.Lock()
        self._mark = mark
        self._runner = secrets.token_hex(8)

    @property
    def place(self) -> str:
        """Its URL."""
        return self._url

    @property
    def mark(self) -> MoveMark | None:
        """The mark that it has now."""
        return self._mark

    async def set_mark(self, mark: MoveMark | None) -> None:
        """Replace the mark."""

        async def change(session: DatabaseSession) -> None:
            if mark is None:
                await session.run(move_statements.FORGET_MARK)
            else:
                await session.run(move_statements.MAKE_MARK)
                await session.fetch(move_statements.SET_MARK, mark.as_text(), self._runner)

        await self._write(change)
        self._note_mark(mark)

    async def rows(self, table: MovedTable, after: Row | None) -> list[MovedRow]:
        """Return the next rows behind a key."""
        statement = move_statements.rows_after(table, is_first=after is None)
        found = await self._fetch(statement, _MOST_ROWS, _MOST_OCTETS, *(after or ()))
        return [_moved_row(table, row) for row in found]

    async def content(self, name: str) -> AsyncIterator[bytes]:
        """Yield the chunks of a content as they are, or its object."""
        if rows := await self._fetch(object_queries.NAME, int(name)):
            with suppress(Damaged):  # it is lost
                async for block in self._object_blocks(rows[0][0]):
                    yield block
            return
        part = 0
        while rows := await self._fetch(move_statements.NEXT_CHUNK, int(name), part):
            [(found, body)] = rows
            part = found + 1
            yield bytes(body)

    async def _object_blocks(self, name: str) -> AsyncIterator[bytes]:
        objects = await self._needed_objects()
        size = await objects.size_of(name)
        for start in range(0, size, CHUNK):
            yield await objects.read(name, start, min(CHUNK, size - start))

    async def _needed_objects(self) -> ContentObjects:
        await self.open_objects()
        if self._objects is None:
            raise StoreMismatched(NO_OBJECTS)
        return self._objects

    async def open_objects(self) -> None:
        """Open the object store, if there is one. Raises StoreMismatched, ContentUnreachable."""
        if self._objects is not None:
            return
        async with self._write_turn, _as_raised("writing"):
            objects = await open_objects(self._writing, self._access)
        if objects is not None:
            try:
                await objects.compare_marks()
            except BaseException:
                await objects.close()
                raise
        self._objects = objects

    async def check_idle(self) -> None:
        """Raise StoreUnusable if a server has the store open. Fence those that have ended."""

        async def change(session: DatabaseSession) -> list[PostgresRow]:
            living = await session.fetch(move_statements.LIVING)
            if not living:
                await session.fetch(move_statements.FENCE)
            return living

        if living := await self._write(change):
            names = ", ".join(str(name) for (name,) in living)
            raise StoreUnusable(
                f"{self._url} is in use by {names}; stop it, or wait for the end of its lease: 5 s"
            )

    async def close(self) -> None:
        """Let go of the database."""
        if self._objects is not None:
            await self._objects.close()
        for session in (self._reading, self._writing):
            if session.is_idle:
                await session.close()
            else:
                session.abort()

    async def check_version(self) -> None:
        """Raise StoreMismatched unless the tables are those of this version, with no more."""
        [(version, oldest, program)] = await self._fetch(SCHEMA_FOUND)
        check_schema(version, oldest, program)
        if version > VERSION:
            raise StoreMismatched(
                f"{self._url} has schema {version}, and this version of Restante moves {VERSION};"
                " use the version of its servers"
            )

    def _note_mark(self, mark: MoveMark | None) -> None:
        self._mark = mark

    async def _fetch(self, statement: str, *values: Any) -> list[PostgresRow]:
        async with self._read_turn, _as_raised("reading"):
            return await self._reading.fetch(statement, *values)

    async def _write(self, change: Callable[[DatabaseSession], Awaitable[Any]]) -> Any:
        """Make a change in a transaction of its own."""
        async with (
            self._write_turn,
            _as_raised("writing"),
            self._writing.transaction(),
        ):
            return await change(self._writing)


class PostgresMoveSource(PostgresMoveEnd):
    """A `MoveSource`."""

    async def open_objects(self) -> None:
        """Open the object store, if it has content: otherwise the settings may be the new store's.

        Raises StoreMismatched, ContentUnreachable.
        """
        [(has_objects,)] = await self._fetch(object_queries.HAS_OBJECTS)
        if has_objects:
            await super().open_objects()

    async def set_mark(self, mark: MoveMark | None) -> None:
        """Replace the mark. One that begins a move is taken back if a server has begun too."""
        before = self._mark
        await super().set_mark(mark)
        if mark is not None and mark.phase is MovePhase.LEAVING:
            try:
                await self.check_idle()
            except StoreUnusable:
                await super().set_mark(before)
                raise

    async def counts(self) -> Mapping[str, int]:
        """Return the number of rows of each table that moves."""
        await self.open_objects()  # nothing is copied where content cannot be read
        return {
            table.name: int((await self._fetch(move_statements.count_rows(table)))[0][0])
            for table in MOVED
        }

    async def last_ids(self) -> Mapping[str, int]:
        """Return the highest ids that were given out."""
        numbers = {MESSAGES.name: int((await self._fetch(node_queries.LAST_NUMBER))[0][0])}
        return numbers | {
            name: int((await self._fetch(move_statements.given_id(name)))[0][0])
            for name in ID_COLUMNS
        }

    async def check_store(self) -> None:
        """Raise StoreUnusable unless it is one of this version."""
        [(has_tables,)] = await self._fetch(move_statements.HAS_TABLES)
        if not has_tables:
            raise StoreUnusable(f"{self._url} has no store; name the database of one")
        await self.check_version()


class PostgresMoveTarget(PostgresMoveEnd):
    """A `MoveTarget`."""

    async def open_objects(self) -> None:
        """Open the object store, if there is one. Raises StoreMismatched, ContentUnreachable.

        A bucket that was refused is not noted: another one may be named.
        """
        had_mark = bool(await self._fetch(object_queries.MARK))
        try:
            await super().open_objects()
        except StoreMismatched:
            if not had_mark:
                await self._write(lambda session: session.fetch(object_queries.FORGET_MARK))
            raise

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever in it."""
        return self._mark is None

    @property
    def is_whole(self) -> bool:
        """Whether all was taken."""
        return self._mark is not None and self._mark.phase is MovePhase.ARRIVED

    async def begin(self, mark: MoveMark) -> Mapping[str, MoveStep]:
        """Mark it, make its tables, and return the steps that were noted."""
        if self.is_whole:
            return {}
        await self.set_mark(self._mark or mark)
        async with self._write_turn, _as_raised("writing"):
            await prepare_tables(self._writing)
        await self.check_idle()
        await self.open_objects()

        async def prepare(session: DatabaseSession) -> list[PostgresRow]:
            [(is_begun,)] = await session.fetch(move_statements.HAS_STEPS)
            if not is_begun:
                await session.run(move_statements.MAKE_STEPS)
                for table in MOVED:
                    if table.only:
                        await session.fetch(move_statements.forget_rows(table))
            return await session.fetch(move_statements.STEPS)

        return {
            name: MoveStep(rows, octets, key_of_text(after), bytes(digest), is_done)
            for name, rows, octets, after, digest, is_done in await self._write(prepare)
        }

    async def take(
        self, table: MovedTable, rows: list[MovedRow], name: str, step: MoveStep
    ) -> None:
        """Add rows and note a step."""
        added = move_statements.added_values(table)
        booleans = _booleans(table)
        values = [_new_row(table, row, booleans) + added for row in rows]

        async def change(session: DatabaseSession) -> None:
            await self._check_runner(session)
            await session.copy(table.name, move_statements.columns_of(table), values)
            await session.fetch(move_statements.NOTE_STEP, *_step_row(name, step))

        try:
            await self._write(change)
        except (ValueError, asyncpg.DataError) as error:
            raise StoreError(
                f"{table.name}: a row behind {rows[0].values[0]} is none that PostgreSQL can keep:"
                f" {cause_of(error)}"
            ) from error

    async def note(self, name: str, step: MoveStep) -> None:
        """Note a step."""

        async def change(session: DatabaseSession) -> None:
            await self._check_runner(session)
            await session.fetch(move_statements.NOTE_STEP, *_step_row(name, step))

        await self._write(change)

    async def take_content(self, number: int, blocks: AsyncIterator[bytes]) -> str:
        """Write a content under the number of its message: as an object, or in chunks."""
        if self._objects is None:
            await self._add_chunks(number, blocks)
            return str(number)
        staged = StagedContent(self._objects)
        try:
            async for block in blocks:
                await staged.add(block)
            if staged.is_large:
                [(name,)] = await self._write(
                    lambda session: session.fetch(
                        object_queries.ADD_OBJECT_ONCE, number, new_name()
                    )
                )
                await self._objects.put(name, staged.blocks(), staged.size)
            else:
                await self._add_chunks(number, _one(bytes(staged.waiting)))
        finally:
            staged.discard()
        return str(number)

    async def _add_chunks(self, number: int, blocks: AsyncIterator[bytes]) -> None:
        waiting = bytearray()
        part = 0
        async for block in blocks:
            waiting += block
            while len(waiting) >= CHUNK:
                await self._add_chunk(number, part, bytes(waiting[:CHUNK]))
                del waiting[:CHUNK]
                part += 1
        if waiting or not part:
            await self._add_chunk(number, part, bytes(waiting))

    async def finish(self, last_ids: Mapping[str, int], entry: AuditEntry) -> None:
        """Become a whole store."""
        if self.is_whole:
            return
        assert self._mark is not None
        mark = MoveMark(self._mark.move_id, MovePhase.ARRIVED, self._mark.other, self._mark.at)

        async def change(session: DatabaseSession) -> None:
            await self._check_runner(session)
            await session.fetch(move_statements.FORGET_USAGE)
            await session.fetch(move_statements.USAGE_ANEW)
            for name in ID_COLUMNS:
                await session.fetch(move_statements.keep_id(name), last_ids[name])
            await record(PostgresTransaction(session, _NOBODY), [entry])
            await session.run(move_statements.FORGET_STEPS)
            await session.fetch(move_statements.SET_MARK, mark.as_text(), self._runner)

        await self._write(change)
        self._note_mark(mark)
        await self._write(lambda session: session.fetch(move_statements.ANALYZE))

    async def clear(self) -> None:
        """Remove all that was written, and the mark."""
        [(has_tables,)] = await self._fetch(move_statements.HAS_TABLES)
        if has_tables:
            await self._clear_objects()

        async def change(session: DatabaseSession) -> None:
            [(has_tables,)] = await session.fetch(move_statements.HAS_TABLES)
            if has_tables:
                await session.fetch(move_statements.CLEAR)
                await session.fetch(move_statements.BEGIN_COUNTER)
            await session.run(move_statements.FORGET_STEPS)
            await session.run(move_statements.FORGET_MARK)

        await self._write(change)
        self._note_mark(None)

    async def _clear_objects(self) -> None:
        while rows := await self._fetch(object_queries.SOME, _MOST_ROWS):
            objects = await self._needed_objects()
            if failures := await objects.delete([name for _, name in rows]):
                raise next(iter(failures.values()))
            await self._write(partial(_forget_objects, numbers=[number for number, _ in rows]))

    async def check_new(self) -> None:
        """Raise NotEmpty if the database holds anything, unless a move into it began."""
        if self._mark is not None and not self._mark.is_source:
            return
        [(has_tables,)] = await self._fetch(move_statements.HAS_TABLES)
        if not has_tables:
            return
        await self.check_version()
        for table in MOVED:
            if await self._fetch(move_statements.has_rows(table)):
                raise NotEmpty(
                    f"{self._url} is not empty: its table {table.name} has rows; name an empty"
                    " database"
                )

    async def _add_chunk(self, number: int, part: int, body: bytes) -> None:
        await self._write(
            lambda session: session.fetch(move_statements.ADD_CHUNK, number, part, body)
        )

    async def _check_runner(self, session: DatabaseSession) -> None:
        if not await session.fetch(move_statements.IS_RUNNER, self._runner):
            raise StoreError(f"{self._url}: another `restante store move` goes on with this move")


async def open_source(url: str, access: DatabaseAccess) -> PostgresMoveSource:
    """Connect to the store in a database. Raises StoreError."""
    source = PostgresMoveSource(url, *await _sessions(url, access), access.objects)
    async with _closed_on_error(source):
        await source.check_store()
        await source.check_idle()
    return source


async def open_target(url: str, access: DatabaseAccess) -> PostgresMoveTarget:
    """Connect to a database without a store, or to that of a move. Raises StoreError."""
    objects = access.objects
    if objects is not None and objects.directory is not None and not objects.directory.is_dir():
        objects = replace(objects, directory=None)  # the first server makes it, for its user
    target = PostgresMoveTarget(url, *await _sessions(url, access), objects)
    async with _closed_on_error(target):
        await target.check_new()
    return target


@asynccontextmanager
async def _closed_on_error(end: PostgresMoveEnd) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        await end.close()
        raise


async def _sessions(
    url: str, access: DatabaseAccess
) -> tuple[tuple[DatabaseSession, DatabaseSession], MoveMark | None]:
    """Open two sessions, and read the mark. Raises StoreError."""
    opened: list[DatabaseSession] = []
    try:
        opened.append(await open_granted(url, access, _PATIENCE))
        opened.append(await open_granted(url, access, _PATIENCE))
        risk = await risk_of(opened[0], access.recovery_point)
        mark = await mark_of(opened[0])
    except BaseException as error:
        for session in opened:
            session.abort()
        if isinstance(error, CANNOT_OPEN):
            raise StoreUnusable(f"the database cannot be opened: {cause_of(error)}") from error
        raise
    if risk:
        for session in opened:
            session.abort()
        raise StoreUnusable(risk)
    return (opened[0], opened[1]), mark


@asynccontextmanager
async def _as_raised(doing: str) -> AsyncIterator[None]:
    """Raise the errors of the driver as those of a store."""
    try:
        yield
    except (OSError, asyncpg.PostgresError) as error:
        if isinstance(error, asyncpg.DataError):
            raise
        raise (sqlstate.store_error(error, doing) or StoreError(cause_of(error))) from error


async def _forget_objects(session: DatabaseSession, numbers: list[int]) -> None:
    await session.fetch(object_queries.CLEAR, numbers)


async def _one(octets: bytes) -> AsyncIterator[bytes]:
    yield octets


def _booleans(table: MovedTable) -> frozenset[int]:
    """Return the places of values that other stores have as numbers."""
    found = _BOOLEANS.get(table.name, frozenset())
    return frozenset(table.columns.index(name) for name in found)


_BOOLEANS: Final = {"drain": frozenset({"is_open"})}


def _new_row(table: MovedTable, row: MovedRow, booleans: frozenset[int]) -> Row:
    values: Row = row.values
    if booleans:
        values = tuple(bool(one) if place in booleans else one for place, one in enumerate(values))
    if table.has_content:
        values = (*values, int(row.content) if row.content else None)
    return values


def _moved_row(table: MovedTable, row: PostgresRow) -> MovedRow:
    values = tuple(int(one) if isinstance(one, bool) else one for one in row)
    if not table.has_content:
        return MovedRow(values)
    *plain, content = values
    return MovedRow(tuple(plain), "" if content is None else str(content))


def _step_row(name: str, step: MoveStep) -> Row:
    return (name, step.rows, step.octets, key_text(step.after), step.digest, step.is_done)
