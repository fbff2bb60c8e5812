"""This process among those that have the store open: its slot, its heartbeat, and its lease.

A process takes a slot whose lease has ended, or a new one, with the next epoch. A drain belongs to
a slot and an epoch. Others may take it over once the lease of the slot has ended by the clock of
the database. The process itself counts by its own monotonic clock from before each heartbeat, and
stops a margin earlier.

A heartbeat that needed a new session, or failed, may have come at a change of the primary. The
former one may still answer. So all other sessions are replaced then. A host on which no heartbeat
succeeds until the lease has ended is left for another one, if the URL has more.

With a recovery point of zero, each heartbeat looks first whether a commit still waits for a
standby. If commits do not wait, `risk` says so, and no mail may be acknowledged. If there is no
standby to wait for, nothing is written, and the database counts as away.
"""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from restante import __version__
from restante.store.database_access import DatabaseAccess, RecoveryPoint
from restante.store.postgres import node_queries, sqlstate
from restante.store.postgres.commit_safety import CommitFacts, CommitSafety, judge_commits
from restante.store.postgres.database_session import DatabaseSession, PostgresRow
from restante.store.postgres.lane_set import LaneSet, SessionKind
from restante.store.postgres.postgres_transaction import NodeKey
from restante.store.postgres.record_statements import CHANGES_CHANNEL
from restante.store.postgres.slot_file import SlotFile
from restante.store.store_errors import StoreUnreachable, StoreUnusable

BEAT: Final = 1.0  # seconds
LEASE: Final = 5.0  # seconds that a heartbeat is good for
MARGIN: Final = 1.0  # seconds before its end at which the process stops
_BEATS_BEFORE_JUDGING: Final = 2  # after a reconnect
_MOST_SLOTS: Final = 255
_SURELY_OVER: Final = 300.0  # seconds after the end of a lease: its process has ended


class ClusterNode:
    """One process. Belongs to the event loop on which it was opened."""

    def __init__(
        self,
        lanes: LaneSet,
        key: NodeKey,
        beaten_at: float,
        recovery_point: RecoveryPoint,
        slot_file: SlotFile | None = None,
    ) -> None:
        self.key = key
        self.recovery_point = recovery_point
        self.is_retiring = False  # it was asked to stop
        self.others = 0  # processes that lived at the last look
        self.risk = ""  # why acknowledged mail could be lost; "" while it cannot
        self.failure = ""  # why it cannot go on; "" while it can
        self.change_listeners: list[Callable[[], None]] = []  # to changes of records
        self.clock_offset: float | None = None  # seconds that our clock is ahead of the database's
        self.absence = ""  # why the database cannot be reached; "" while it can
        # Times that our lease ended before it was renewed; others may have taken over.
        self.lapses = 0
        self._lanes = lanes
        self._beaten_at = beaten_at
        self._beats = 0  # since the last time that the database was away, perhaps until now
        self._timer: asyncio.TimerHandle | None = None
        self._beating: set[asyncio.Task[None]] = set()
        self._is_following = False
        self._is_closed = False
        self._next_beat = asyncio.Event()
        self._session: DatabaseSession | None = None  # of the last heartbeat
        self._slot_file = slot_file

    def begin(self, on_beat: Callable[[], Awaitable[None]]) -> None:
        """Send a heartbeat each second from now on. `on_beat` is awaited after each.

        The next heartbeat does not wait for it. It is passed over while the last one is at work.
        """
        loop = asyncio.get_running_loop()

        def start() -> None:
            task = loop.create_task(self._beat_and(on_beat, start))
            self._beating.add(task)
            task.add_done_callback(self._beating.discard)

        self._timer = loop.call_later(BEAT, start)

    def lease_left(self) -> float:
        """Return the seconds for which nobody else can take this process's drains over."""
        return max(0.0, self._beaten_at + LEASE - MARGIN - time.monotonic())

    @property
    def silence(self) -> str:
        """Why nothing may be relied on although no heartbeat has failed; "" while that is not so.

        A pooler, or a database that hangs, lets the heartbeat wait.
        """
        return "" if self.lease_left() else "the database does not answer the heartbeat"

    @property
    def may_judge(self) -> bool:
        """Whether it may take over the drains of other processes.

        After the database was away, all leases have ended. So others get the time for a heartbeat.
        """
        return self._beats >= _BEATS_BEFORE_JUDGING and self.lease_left() > 0

    async def next_beat(self) -> None:
        """Wait for the end of the next heartbeat."""
        await self._next_beat.wait()

    async def close(self) -> None:
        """Stop, and end the lease at once."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._beating:
            await asyncio.wait(set(self._beating))
        with suppress(Exception):  # the lease ends by itself
            async with self._lanes[SessionKind.NODE].session() as session:
                await session.fetch(node_queries.RETIRE, *self.key)
        if self._slot_file is not None:
            self._slot_file.close()

    async def beat(self) -> None:
        """Renew the lease."""
        at = time.monotonic()
        session: DatabaseSession | None = None
        try:
            async with self._lanes[SessionKind.NODE].session() as session:
                await self._look_at_session(session)
                self.risk = await risk_of(session, self.recovery_point)
                sent = time.time()
                found = await session.fetch(node_queries.BEAT, *self.key, LEASE)
        except Exception as error:  # noqa: BLE001  whatever it is, the next heartbeat tries again
            self.absence = str(sqlstate.store_error(error, "heartbeat") or repr(error))
            self._beats = 0
            self._session = None
            if session is not None and not self.lease_left():
                self._lanes.leave_host(session)
            return
        self.absence = ""
        if found:
            self.is_retiring = bool(found[0][0])
            self.clock_offset = (sent + time.time()) / 2 - float(found[0][1])
        else:
            self.failure = "another process has the slot of this one in the database"
            return
        if not self.lease_left():
            self.lapses += 1
        self._beaten_at = at
        self._beats += 1

    def tell_listeners(self) -> None:
        """Tell that records were changed, or may have been."""
        for listener in self.change_listeners:
            listener()

    async def _look_at_session(self, session: DatabaseSession) -> None:
        if session is not self._session:
            self._lanes.renew()
            self._session = session
            await session.listen(CHANGES_CHANNEL, self.tell_listeners)

    async def _beat_and(
        self, on_beat: Callable[[], Awaitable[None]], again: Callable[[], None]
    ) -> None:
        await self.beat()
        if not self._is_closed:
            self._timer = asyncio.get_running_loop().call_later(BEAT, again)
        if self._is_following:
            return
        if not (self.absence or self.failure):
            await self._follow(on_beat)
        waited, self._next_beat = self._next_beat, asyncio.Event()
        waited.set()

    async def _follow(self, on_beat: Callable[[], Awaitable[None]]) -> None:
        self._is_following = True
        try:
            await on_beat()
        except Exception as error:  # noqa: BLE001  as above
            self.absence = str(sqlstate.store_error(error, "heartbeat") or repr(error))
        finally:
            self._is_following = False


async def risk_of(session: DatabaseSession, recovery_point: RecoveryPoint) -> str:
    """Tell why an answered commit could be lost; "": it cannot, or the operator accepts that.

    Raises StoreUnreachable while no commit would be answered.
    """
    if recovery_point is RecoveryPoint.ACCEPT_LOSS:
        return ""
    [facts] = await session.fetch(node_queries.COMMIT_FACTS)
    verdict = judge_commits(CommitFacts(*facts))
    if verdict.safety is CommitSafety.WAITING:
        raise StoreUnreachable(verdict.text)
    if verdict.safety is CommitSafety.SAFE:
        return ""
    return f"acknowledged mail could be lost: {verdict.text}"


async def join_cluster(lanes: LaneSet, access: DatabaseAccess) -> ClusterNode:
    """Take a slot. Raises StoreUnusable if there is none, and the driver's errors."""
    seat = access.seat
    if seat is None:
        name = f"{socket.gethostname()}:{os.getpid()}"
        return ClusterNode(lanes, *await _join(lanes, name, None), access.recovery_point)
    file = SlotFile(seat.file)
    try:
        key, at = await _join(lanes, seat.name, file.former())
        file.keep(key)
    except BaseException:
        file.close()
        raise
    return ClusterNode(lanes, key, at, access.recovery_point, file)


async def _join(lanes: LaneSet, name: str, former: NodeKey | None) -> tuple[NodeKey, float]:
    """Return a slot and the time from which its lease counts."""
    async with lanes[SessionKind.NODE].session() as session:
        for _ in range(_MOST_SLOTS):
            at = time.monotonic()
            try:
                rows = await _slot(session, name, former)
            except Exception as error:
                if not sqlstate.is_taken(error):
                    raise
                continue  # another process was faster
            if rows:
                return NodeKey(*rows[0]), at
            break
    raise StoreUnusable(f"all {_MOST_SLOTS} slots are taken by processes that have the store open")


async def _slot(session: DatabaseSession, name: str, former: NodeKey | None) -> list[PostgresRow]:
    """Take the former slot, or one that nobody can or in need seems to have, or a new one."""
    again = (
        await session.fetch(node_queries.TAKE_SLOT_AGAIN, LEASE, name, __version__, *former)
        if former is not None
        else []
    )
    return (
        again
        or await session.fetch(node_queries.TAKE_OVER_SLOT, LEASE, name, _SURELY_OVER, __version__)
        or await session.fetch(node_queries.ADD_SLOT, LEASE, name, __version__)
        or await session.fetch(node_queries.TAKE_OVER_SLOT, LEASE, name, 0.0, __version__)
    )
