"""Stores without one of the guards, to show the harm that the guard prevents.

Only tests take a guard away, and only here. Each function has the guard that it removes in its
name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from restante.store.postgres import PostgresStore, mail_statements, postgres_reception
from restante.store.postgres.database_session import DatabaseSession
from restante.store.postgres.lane_set import SessionKind
from restante.store.postgres.postgres_transaction import PostgresTransaction

_SHARE: Final = "FOR SHARE"


def without_barrier(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for messages whose answer was lost without writing anything."""
    write = store.core.write

    async def look_or_write(change: Any, lane: SessionKind = SessionKind.WORK) -> Any:
        if getattr(change, "func", None) is not postgres_reception._are_held:
            return await write(change, lane)
        numbers = [message.number for message in change.keywords["messages"]]
        [(found,)] = await store.core.fetch(mail_statements.COUNT_PRESENT, numbers)
        return found == len(numbers)

    monkeypatch.setattr(store.core, "write", look_or_write)


def without_share_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settle without a lock on the drain, so that it can be taken over meanwhile."""
    statement = mail_statements.SETTLE_WHOLE
    assert statement.count(_SHARE) == 1
    monkeypatch.setattr(mail_statements, "SETTLE_WHOLE", statement.replace(_SHARE, ""))


def without_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Finish a drain when the cursor has found no more, whatever the figures say."""

    async def nothing(_transaction: PostgresTransaction, _domain_id: int) -> int:
        return 0

    monkeypatch.setattr(PostgresTransaction, "held", nothing)


def be_impatient(store: PostgresStore, seconds: float) -> None:
    """Have new sessions wait so long for an answer; no guard goes with it."""
    for lane in store.core._lanes._lanes.values():
        lane._connect = _impatient(lane._connect, seconds)
        lane.renew()


def _impatient(
    connect: Callable[[], Awaitable[DatabaseSession]], seconds: float
) -> Callable[[], Awaitable[DatabaseSession]]:
    async def connect_so() -> DatabaseSession:
        session = await connect()
        session._patience = seconds
        return session

    return connect_so


async def stop_beating(store: PostgresStore) -> None:
    """Let a process send no heartbeat after the next one, as one that was killed."""
    await store.core.node.next_beat()
    timer = store.core.node._timer
    assert isinstance(timer, asyncio.TimerHandle)
    timer.cancel()
