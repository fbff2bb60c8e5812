"""Moves everything from one store into another, and proves it.

    copy each table, a slice at a time   →   read each back and compare its digest   →   finish

The target notes how far each table is, in the transaction that adds a slice. So the same move, run
again after any end, goes on there. Large content is written before the row that has it, and again
if that was interrupted.

Both stores are marked before the first row is copied, the source first. No server uses a store with
such a mark. The target loses it only when all was compared, and the source keeps it.
"""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from restante.store.moving.move_end import MovedRow, MoveEnd, MoveSource, MoveStep, MoveTarget
from restante.store.moving.move_mark import MoveMark, MovePhase, check_mark
from restante.store.moving.moved_tables import MESSAGES, MOVED, MovedTable
from restante.store.moving.row_digest import EMPTY, ContentDigest, digest_of
from restante.store.store_errors import MoveDiffers, NotEmpty, StoreMismatched
from restante.store.stored_form.row_type import Row
from restante.store.stored_form.rows import file_octets, is_whole
from restante.tenancy.audit import AuditEntry

OnMoved = Callable[[str, int, int], None]
"""Told the phase, how many rows of both phases are done, and how many there are."""

COPYING: Final = "copying"
CHECKING: Final = "checking"
_SIZE, _FILE_CRC32, _HEAD_CRC32, _HEAD, _NUMBER = (
    MESSAGES.columns.index(name) for name in ("size", "file_crc32", "head_crc32", "head", "number")
)


@dataclass(slots=True)
class MoveReport:
    """The result of a move that has ended."""

    source: str  # URLs
    target: str
    rows: dict[str, int] = field(default_factory=dict)  # by table
    digests: dict[str, bytes] = field(default_factory=dict)  # by table, equal in both stores
    octets: int = 0  # of mail
    damaged: list[int] = field(default_factory=list)  # messages, as damaged here as there
    is_resumed: bool = False
    was_done: bool = False  # an earlier run has done all of it: rows are not counted again

    @property
    def digest(self) -> str:
        """One digest over those of all tables; "" if an earlier run has done it."""
        if not self.digests:
            return ""
        return digest_of(sorted(self.digests.items()), EMPTY).hex()


class StoreMover:
    """One move."""

    def __init__(self, source: MoveSource, target: MoveTarget, on_moved: OnMoved) -> None:
        self._source = source
        self._target = target
        self._on_moved = on_moved
        self._steps: dict[str, MoveStep] = {}
        self._done = 0
        self._total = 0
        self._report = MoveReport(source.place, target.place)

    async def move(self, mark: MoveMark, entry: Callable[[MoveReport], AuditEntry]) -> MoveReport:
        """Move everything.

        `mark` is for the source if no run has marked it yet. `entry` is for the audit trail of the
        target. Raises StoreError; MoveDiffers if the target has something else than the source.
        """
        mark = await self._mark_source(mark)
        steps = await self._target.begin(
            replace(mark, phase=MovePhase.ARRIVING, other=self._source.place)
        )
        self._steps = dict(steps)
        self._report.is_resumed = bool(steps)
        if self._target.is_whole:
            self._report.was_done = True
        else:
            await self._move_tables()
        last_ids = await self._source.last_ids()
        await self._target.finish(last_ids, entry(self._report))
        await self._source.set_mark(replace(mark, phase=MovePhase.LEFT))
        return self._report

    async def _mark_source(self, mark: MoveMark) -> MoveMark:
        """Return the mark of this move, which the source has from now on."""
        found, arrived = self._source.mark, self._target.mark
        if found is None or not found.is_source:
            if not self._target.is_empty:
                raise NotEmpty(
                    f"{self._target.place} belongs to a move of {_other(arrived)}; finish that, or"
                    f" name an empty store"
                )
            if found is not None:
                check_mark(found, self._source.place)
            await self._source.set_mark(mark)
            return mark
        if found.other != self._target.place:
            check_mark(found, self._source.place)
        if arrived is None and found.phase is MovePhase.LEFT:
            raise StoreMismatched(
                f"{self._source.place} was moved to {found.other}, which is empty now; to move it"
                f" again, run `restante store move --undo --from {self._source.place}` before"
            )
        if arrived is not None and arrived.move_id != found.move_id:
            raise NotEmpty(
                f"{self._target.place} belongs to another move, of {_other(arrived)}; name an empty"
                f" store"
            )
        return found

    async def _move_tables(self) -> None:
        self._total = 2 * sum((await self._source.counts()).values())
        self._done = sum(step.rows for step in self._steps.values())
        for table in MOVED:
            await self._copy(table)
        for table in MOVED:
            await self._check(table)

    async def _copy(self, table: MovedTable) -> None:
        name = f"{COPYING} {table.name}"
        step = self._steps.get(name, MoveStep())
        if not step.is_done:
            async for rows in _slices(self._source, table, step.after):
                taken, proven = await self._carry(table, rows)
                step = _next_step(table, step, rows, proven)
                await self._target.take(table, taken, name, step)
                self._tell(COPYING, len(rows))
            step = replace(step, is_done=True)
            await self._target.note(name, step)
        self._steps[name] = step
        self._report.rows[table.name] = step.rows
        self._report.octets += step.octets

    async def _carry(
        self, table: MovedTable, rows: list[MovedRow]
    ) -> tuple[list[MovedRow], list[Row]]:
        """Copy the content of rows; return them for the target, and as they are proven."""
        if not table.has_content:
            return rows, [row.values for row in rows]
        taken, proven = [], []
        for row in rows:
            if row.content:
                read = _ReadContent(self._source.content(row.content))
                name = await self._target.take_content(row.values[_NUMBER], read.blocks())
                taken.append(MovedRow(row.values, name))
                proven.append((*row.values, read.digest))
            else:
                taken.append(row)
                proven.append((*row.values, None))
        return taken, proven

    async def _check(self, table: MovedTable) -> None:
        name = f"{CHECKING} {table.name}"
        copied = self._steps[f"{COPYING} {table.name}"]
        step = self._steps.get(name, MoveStep())
        if not step.is_done:
            async for rows in _slices(self._target, table, step.after):
                step = _next_step(table, step, rows, await self._prove(table, rows))
                await self._target.note(name, step)
                self._tell(CHECKING, len(rows))
            if (step.rows, step.digest) != (copied.rows, copied.digest):
                raise MoveDiffers(
                    f"{self._target.place}: table {table.name} differs from its source"
                    f" ({step.rows} of {copied.rows} rows); give this move up with `restante store"
                    " move --undo`, and look for damage of the disk"
                )
            await self._target.note(name, replace(step, is_done=True))
        self._report.digests[table.name] = copied.digest

    async def _prove(self, table: MovedTable, rows: list[MovedRow]) -> list[Row]:
        """Read the content of rows back, and note damaged messages."""
        if not table.has_content:
            return [row.values for row in rows]
        proven = []
        for row in rows:
            values = row.values
            found = None
            is_sound = is_whole(values[_HEAD], values[_HEAD_CRC32])
            if row.content:
                read = _ReadContent(self._target.content(row.content))
                async for _ in read.blocks():
                    pass
                found = read.digest
                size = file_octets(values[_SIZE], values[_HEAD], values[_HEAD_CRC32])
                is_sound &= (read.size, read.crc32) == (size, values[_FILE_CRC32])
            if not is_sound:
                self._report.damaged.append(values[_NUMBER])
            proven.append((*values, found))
        return proven

    def _tell(self, phase: str, rows: int) -> None:
        self._done += rows
        self._on_moved(phase, self._done, self._total)


async def undo_move(source: MoveEnd, target: MoveTarget | None) -> None:
    """Let servers use the source again. `target` is emptied; it must not be whole.

    Raises StoreMismatched.
    """
    mark = source.mark
    if mark is None or not mark.is_source:
        raise StoreMismatched(f"{source.place} was not moved; there is nothing to undo")
    if target is not None and target.mark is not None:
        if target.mark.move_id != mark.move_id:
            raise StoreMismatched(f"{target.place} belongs to another move; name no --to")
        if target.is_whole or target.mark.phase is MovePhase.ARRIVED:
            raise StoreMismatched(
                f"{target.place} is a whole store, and can have newer mail; move it back to a new"
                f" store with --from {target.place}"
            )
        await target.clear()
    await source.set_mark(None)


def new_mark(move_id: str, target: str) -> MoveMark:
    """Return the mark of a source, as of now."""
    return MoveMark(move_id, MovePhase.LEAVING, target, time.time())


class _ReadContent:
    """Large content on its way, with its digest so far."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source
        self._digest = ContentDigest()
        self.crc32 = 0

    @property
    def size(self) -> int:
        """The octets so far."""
        return self._digest.size

    @property
    def digest(self) -> str:
        """The digest of these."""
        return self._digest.value

    async def blocks(self) -> AsyncIterator[bytes]:
        """Yield it."""
        async for block in self._source:
            self._digest.add(block)
            self.crc32 = zlib.crc32(block, self.crc32)
            yield block


async def _slices(
    end: MoveEnd, table: MovedTable, after: Row | None
) -> AsyncIterator[list[MovedRow]]:
    """Yield a table in slices. The next one is read while the last is worked on."""
    reading = asyncio.ensure_future(end.rows(table, after))
    try:
        while rows := await reading:
            reading = asyncio.ensure_future(end.rows(table, table.key_of(rows[-1].values)))
            yield rows
    finally:
        with suppress(Exception):
            await reading


def _next_step(
    table: MovedTable, step: MoveStep, rows: list[MovedRow], proven: list[Row]
) -> MoveStep:
    octets = sum(row.values[_SIZE] for row in rows) if table is MESSAGES else 0
    return MoveStep(
        step.rows + len(rows),
        step.octets + octets,
        table.key_of(rows[-1].values),
        digest_of(proven, step.digest),
    )


def _other(mark: MoveMark | None) -> str:
    return mark.other if mark is not None else "another store"
