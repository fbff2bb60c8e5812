"""A change whose answer was lost was made or not, and the process knows which."""

import asyncio

import asyncpg
import pytest

from restante.store.postgres import PostgresStore, postgres_core
from restante.store.postgres.database_session import OutcomeUnknown
from restante.store.postgres.lane_set import SessionKind
from restante.store.store_errors import StoreError, StoreUnreachable
from tests.contract.making import NOTED, account, hosted
from tests.store.postgres.waiting import when_one_waits

MARKS = "SELECT number FROM made_change ORDER BY number"


async def lose(
    store: PostgresStore,
    monkeypatch: pytest.MonkeyPatch,
    kind: SessionKind = SessionKind.WORK,
    *,
    is_sent: bool,
) -> None:
    """Let the session of a kind be lost in its next COMMIT: before it is sent, or after."""
    async with store.core._lanes[kind].session() as session:
        made = session._command

    async def command(text: str) -> str:
        if text != "COMMIT":
            return await made(text)
        if is_sent:
            await made(text)
        session.abort()
        raise ConnectionResetError

    monkeypatch.setattr(session, "_command", command)


async def test_a_change_is_made_once_if_only_its_answer_was_lost(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lose(store, monkeypatch, is_sent=True)
    await store.records.put_account(account(), NOTED)
    assert await store.audit.audit() == [NOTED]


async def test_the_answer_of_a_change_is_not_lost(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain_id = await hosted(store)
    await lose(store, monkeypatch, SessionKind.DRAINS, is_sent=True)
    drain = await store.handover.open_drain(domain_id, 1.0, 2.0)
    assert store.handover.open_drains() == [drain]


async def test_a_change_that_the_database_never_committed_changed_nothing(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lose(store, monkeypatch, is_sent=False)
    with pytest.raises(StoreUnreachable, match="and nothing changed"):
        await store.records.put_account(account(), NOTED)
    assert await store.audit.audit() == []
    await store.records.put_account(account(), NOTED)


async def test_it_stays_unknown_while_the_database_is_away(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    async def away(_core: object, _mark: int) -> bool:
        looks.append(1)
        raise ConnectionRefusedError

    monkeypatch.setattr(postgres_core, "_PAUSES", (0.0, 0.0))
    monkeypatch.setattr(type(store.core), "_was_made", away)
    await lose(store, monkeypatch, is_sent=True)
    with pytest.raises(OutcomeUnknown):
        await store.records.put_account(account(), NOTED)
    assert len(looks) == 3


async def test_a_process_that_lost_its_slot_learns_nothing(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    """It cannot write to learn whether a standby has the change."""
    await lose(store, monkeypatch, is_sent=True)
    another = await asyncpg.connect(postgres_url)
    await another.execute("UPDATE node SET epoch = epoch + 1")
    await another.close()
    with pytest.raises(StoreError, match="lost in a commit"):
        await store.records.put_account(account(), NOTED)


async def test_the_look_waits_for_a_database_that_is_still_at_work(
    store: PostgresStore, postgres_url: str
) -> None:
    one, other = await asyncpg.connect(postgres_url), await asyncpg.connect(postgres_url)
    mark = store.core._marks._last + 1
    transaction = one.transaction()
    await transaction.start()
    await one.execute("INSERT INTO made_change VALUES ($1, $2)", store.core.node.key.id, mark)
    look = asyncio.create_task(store.core._was_made(mark))
    await when_one_waits(other)
    assert not look.done()
    await transaction.commit()
    assert await look
    await one.close()
    await other.close()


async def test_a_change_that_was_looked_for_too_early_is_never_made(store: PostgresStore) -> None:
    mark = store.core._marks._last + 1
    assert not await store.core._was_made(mark)
    with pytest.raises(StoreError, match="duplicate key"):
        await store.records.put_account(account(), NOTED)


async def test_old_marks_are_removed(store: PostgresStore, postgres_url: str) -> None:
    first = store.core._marks._last + 1
    for number in range(1, 4):
        await store.records.put_account(account(f"a{number}"), NOTED)
    store.core._marks._last = first + 2047
    await store.records.put_account(account(), NOTED)
    assert await store.core.fetch(MARKS) == [(first + 2048,)]
