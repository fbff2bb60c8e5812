"""The common core of the ports on PostgreSQL: its lanes, its node, its figures.

Each change is a task of its own. It goes on if its caller is cancelled, so no COMMIT is ever
cancelled. Changes of one lane are made in the order in which they were asked for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from restante.shielded_task import shielded
from restante.store.content_store import OnDamage
from restante.store.figure_store import DomainUsage
from restante.store.postgres import sqlstate, usage_queries
from restante.store.postgres.change_marks import ChangeMarks
from restante.store.postgres.cluster_node import ClusterNode
from restante.store.postgres.content_objects import ContentObjects
from restante.store.postgres.database_session import DatabaseSession, OutcomeUnknown, PostgresRow
from restante.store.postgres.figure_mirror import FigureMirror
from restante.store.postgres.lane_set import LaneSet, SessionKind
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import StoreError, StoreUnreachable

_Answer = TypeVar("_Answer")
PostgresChange = Callable[[PostgresTransaction], Awaitable[_Answer]]
PostgresQuestion = Callable[[DatabaseSession], Awaitable[_Answer]]

_TRIES: Final = 5  # of a transaction that others are in the way of
_LOOKS: Final = 2  # at the own figures, after an answer was lost
# Settling and spooling can be repeated.
_MARKED: Final = (SessionKind.HOLDING, SessionKind.DRAINS, SessionKind.WORK)
_PAUSES: Final = (0.1, 0.3, 1.0, 2.0, 4.0)  # seconds between looks at a change without an answer
_SNAPSHOT: Final = "ISOLATION LEVEL REPEATABLE READ READ ONLY"


@dataclass(slots=True)
class Doubts:
    """How often the own figures must be read, because an answer was lost."""

    looks: int = 0


class _AnswerLost(OutcomeUnknown):
    """A change may have been made. Its mark tells, and then it has this answer."""

    def __init__(self, error: OutcomeUnknown, made: PostgresTransaction, answer: object) -> None:
        super().__init__(str(error))
        self.made = made
        self.answer = answer


class PostgresCore:
    """Writes and reads for the parts. Belongs to the event loop on which it was opened."""

    def __init__(
        self,
        lanes: LaneSet,
        node: ClusterNode,
        mirror: FigureMirror,
        on_damage: OnDamage,
        objects: ContentObjects | None = None,
    ) -> None:
        """`objects`: where large content is; None: in the database."""
        self._lanes = lanes
        self.node = node
        self.mirror = mirror
        self.on_damage = on_damage
        self.objects = objects
        self._reading = SessionKind.READING
        self._at_work: set[asyncio.Task[Any]] = set()  # shared with a core apart
        self._doubts = Doubts()  # shared with a core apart
        self._marks = ChangeMarks(node.key.epoch)  # as above

    def apart(self) -> "PostgresCore":
        """Return a core of the same data, whose reads have sessions of their own."""
        other = copy(self)
        other._reading = SessionKind.READING_APART  # noqa: SLF001  it is one of us
        return other

    async def write(
        self, change: PostgresChange[_Answer], lane: SessionKind = SessionKind.WORK
    ) -> _Answer:
        """Make a change in a transaction. Raises StoreError."""
        self.check()
        return await self.carry_out(self._write(change, lane))

    async def write_at_once(
        self,
        statement: str,
        values: Sequence[Any],
        lane: SessionKind,
        moved: Callable[[PostgresTransaction, list[PostgresRow]], None],
    ) -> list[PostgresRow]:
        """Make a change by one statement, which is a transaction by itself: one round trip.

        The statement writes the figures too; `moved` tells them from its rows.
        """
        self.check()

        async def make() -> list[PostgresRow]:
            try:
                async with self._lanes[lane].session() as session:
                    return await self._fetched(session, statement, values, moved)
            except Exception as error:
                self._doubt(error)
                raise self._as_raised(error, "writing") from error

        return await self.carry_out(make())

    async def read(self, question: PostgresQuestion[_Answer], *, at_once: bool = False) -> _Answer:
        """Ask something; if it needs several statements, as at one moment. Raises StoreError.

        It is read to its end, too: the driver cannot give a session on that was cancelled.
        """
        self.check()
        return await self.carry_out(self._read(question, at_once=at_once))

    async def fetch(self, statement: str, *values: Any) -> list[PostgresRow]:
        """Read the rows of one statement. Raises StoreError."""
        return await self.read(lambda session: session.fetch(statement, *values))

    async def carry_out(self, work: Coroutine[Any, Any, _Answer]) -> _Answer:
        """Do a work to its end, even if the caller is cancelled meanwhile.

        If the work fails after the caller left, nobody is there for its error: that is no defect.
        """
        task = self.begin(work)
        task.add_done_callback(take_note)
        return await shielded(task)

    def begin(self, work: Coroutine[Any, Any, _Answer]) -> asyncio.Task[_Answer]:
        """Begin a work that is finished before the store is closed."""
        task = asyncio.get_running_loop().create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return task

    def check(self) -> None:
        """Raise StoreError if the store is closed, or another process has this one's place."""
        if self._lanes.is_closed:
            raise StoreError("the store is closed")
        if self.node.failure:
            raise StoreError(self.node.failure)

    async def close(self) -> None:
        """Finish what was begun and let go of the database."""
        if not self._lanes.is_closed:
            self._lanes.is_closed = True
            await asyncio.gather(*self._at_work, return_exceptions=True)
            if self.objects is not None:
                await self.objects.close()
            await self.node.close()
            await self._lanes.close()

    async def look_again(self) -> None:
        """Read the figures of this process again, if an answer was lost: between all changes.

        Twice, because the database may still be at work on the statement without an answer.
        """
        if not self._doubts.looks:
            return
        async with self._lanes.quiet(), self._lanes[SessionKind.NODE].session() as session:
            rows = await session.fetch(usage_queries.OWN, self.node.key.id)
            self._doubts.looks -= 1
            self.mirror.take_own({domain_id: DomainUsage(*figures) for domain_id, *figures in rows})

    async def _read(self, question: PostgresQuestion[_Answer], *, at_once: bool) -> _Answer:
        try:
            async with self._lanes[self._reading].session() as session:
                if not at_once:
                    return await question(session)
                async with session.transaction(_SNAPSHOT):
                    return await question(session)
        except Exception as error:
            raise self._as_raised(error, "reading") from error

    async def _write(self, change: PostgresChange[_Answer], lane: SessionKind) -> _Answer:
        try:
            async with self._lanes[lane].session() as session:
                try:
                    return await self._tried(change, session, is_marked=lane in _MARKED)
                except _AnswerLost as lost:  # in the lane still: figures are read between changes
                    await self._make_certain(lost)
                    return cast(_Answer, lost.answer)
        except Exception as error:
            self._doubt(error)
            raise self._as_raised(error, "writing") from error

    async def _tried(
        self, change: PostgresChange[_Answer], session: DatabaseSession, *, is_marked: bool
    ) -> _Answer:
        for _ in range(_TRIES - 1):
            try:
                return await self._made(change, session, is_marked=is_marked)
            except Exception as error:
                if not sqlstate.is_worth_repeating(error):
                    raise
        return await self._made(change, session, is_marked=is_marked)

    async def _made(
        self, change: PostgresChange[_Answer], session: DatabaseSession, *, is_marked: bool
    ) -> _Answer:
        transaction = PostgresTransaction(session, self.node.key)
        try:
            async with session.transaction():
                answer = await change(transaction)
                await transaction.write_moves()
                if is_marked:
                    transaction.mark = await self._marks.mark(transaction)
        except OutcomeUnknown as error:  # of the COMMIT: all else was done
            if not is_marked:
                raise
            raise _AnswerLost(error, transaction, answer) from error
        self._take(transaction)
        return answer

    def _take(self, done: PostgresTransaction) -> None:
        self.mirror.take(done)
        if done.has_new_records:
            self.node.tell_listeners()

    async def _make_certain(self, lost: _AnswerLost) -> None:
        """Take over a change if it was made. Raises StoreUnreachable if it was not."""
        for pause in (*_PAUSES, None):
            try:
                is_made = await self._was_made(lost.made.mark)
                break
            except Exception as error:
                if pause is None or not sqlstate.is_away(error):
                    raise lost from error
            await asyncio.sleep(pause)
        if not is_made:
            raise StoreUnreachable(f"writing: the database was lost, and nothing changed: {lost}")
        self._take(lost.made)

    async def _was_made(self, mark: int) -> bool:
        async with self._lanes[SessionKind.READING].session() as session:
            look = PostgresTransaction(session, self.node.key)
            async with session.transaction():
                return await self._marks.was_made(look, mark)

    async def _fetched(
        self,
        session: DatabaseSession,
        statement: str,
        values: Sequence[Any],
        moved: Callable[[PostgresTransaction, list[PostgresRow]], None],
    ) -> list[PostgresRow]:
        for _ in range(_TRIES - 1):
            try:
                rows = await session.fetch(statement, *values)
                break
            except Exception as error:
                if not sqlstate.is_worth_repeating(error):
                    raise
        else:
            rows = await session.fetch(statement, *values)
        done = PostgresTransaction(session, self.node.key)
        moved(done, rows)
        self.mirror.take(done)
        return rows

    def _doubt(self, error: Exception) -> None:
        """Note that a change may have been made without an answer."""
        if sqlstate.is_away(error) or isinstance(error, OutcomeUnknown):
            self._doubts.looks = _LOOKS

    def _as_raised(self, error: Exception, doing: str) -> Exception:
        """Return the error that a caller gets; one that is a defect of ours stays as it is."""
        return sqlstate.store_error(error, doing) or error


def take_note(task: asyncio.Task[Any]) -> None:
    """Let the event loop know that somebody has looked at an error."""
    if not task.cancelled():
        task.exception()
