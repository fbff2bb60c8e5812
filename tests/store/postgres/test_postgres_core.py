"""A change is made to its end, repeated if others were in its way, and undone if it fails."""

import asyncio
import gc

import asyncpg
import pytest

from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.store.postgres import PostgresStore, postgres_reception
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import Conflict, StoreError, StoreUnreachable
from tests.contract.making import (
    NOTED,
    account,
    delivered,
    held_numbers,
    hold,
    hosted,
    message,
    opened,
)

ADD = "INSERT INTO counter (name, value) VALUES ($1, 1)"
COUNT = "SELECT count(*) FROM counter WHERE name = $1"


async def test_a_change_is_made_although_its_caller_is_cancelled(store: PostgresStore) -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def change(transaction: PostgresTransaction) -> None:
        begun.set()
        await end.wait()
        await transaction.fetch(ADD, "kept")

    caller = asyncio.create_task(store.core.write(change))
    await begun.wait()
    caller.cancel()
    await asyncio.wait([caller])
    end.set()
    await store.records.put_account(account(), NOTED)  # behind it in the lane
    assert await store.core.fetch(COUNT, "kept") == [(1,)]


async def test_closing_waits_for_what_was_begun(store: PostgresStore, postgres_url: str) -> None:
    async def change(transaction: PostgresTransaction) -> None:
        await transaction.fetch(ADD, "kept")

    caller = asyncio.create_task(store.core.write(change))
    await asyncio.sleep(0)
    await store.close()
    await caller
    connection = await asyncpg.connect(postgres_url)
    assert await connection.fetchval(COUNT, "kept") == 1
    await connection.close()
    with pytest.raises(StoreError, match="closed"):
        await store.core.fetch(COUNT, "kept")


async def test_a_change_that_others_were_in_the_way_of_is_repeated(store: PostgresStore) -> None:
    tries = []

    async def change(transaction: PostgresTransaction) -> str:
        await transaction.fetch(ADD, "kept")
        tries.append(1)
        if len(tries) < 3:
            raise asyncpg.DeadlockDetectedError("in a test")
        return "made"

    assert await store.core.write(change) == "made"
    assert len(tries) == 3


async def test_after_some_tries_it_fails(store: PostgresStore) -> None:
    async def change(_: PostgresTransaction) -> None:
        raise asyncpg.SerializationError("in a test")

    with pytest.raises(StoreError, match="in a test"):
        await store.core.write(change)


async def test_a_change_that_fails_moves_no_figure(store: PostgresStore) -> None:
    domain_id = await hosted(store)

    async def change(transaction: PostgresTransaction) -> None:
        transaction.move(domain_id, 1, 10)
        raise Conflict("in a test")

    with pytest.raises(Conflict):
        await store.core.write(change)
    assert store.figures.usage(domain_id) == NO_USAGE


async def test_a_defect_of_a_change_stays_what_it_is(store: PostgresStore) -> None:
    async def change(_: PostgresTransaction) -> None:
        raise KeyError("in a test")

    with pytest.raises(KeyError):
        await store.core.write(change)
    await hosted(store)


async def test_figures_are_written_with_the_change(store: PostgresStore) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    [(messages, octets)] = await store.core.fetch("SELECT messages, octets FROM usage")
    assert DomainUsage(messages, octets) == store.figures.usage(domain_id)


# --- the loss of an answer


async def test_mail_is_held_if_only_the_answer_was_lost(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain_id = await hosted(store)
    lose_answers(store, monkeypatch, is_sent=True)
    assert await store.reception.hold([message(1, domain_id), message(2, domain_id)]) == {}
    assert await held_numbers(store, domain_id) == [1, 2]
    assert store.figures.usage(domain_id).messages == 2


async def test_mail_is_not_acknowledged_by_a_process_that_lost_its_slot(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    """It cannot write to learn whether a standby has the mail."""
    domain_id = await hosted(store)
    lose_answers(store, monkeypatch, is_sent=True)
    another = await asyncpg.connect(postgres_url)
    await another.execute("UPDATE node SET epoch = epoch + 1")
    await another.close()
    with pytest.raises(StoreError, match="another process has the slot"):
        await store.reception.hold([message(1, domain_id)])


async def test_a_sender_does_not_wait_for_a_look_that_takes_long(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    """As without a standby. The look goes on, and then the figures are right."""
    domain_id = await hosted(store)
    lose_answers(store, monkeypatch, is_sent=True)
    monkeypatch.setattr(postgres_reception, "LOOK_PATIENCE", 0.05)
    another = await asyncpg.connect(postgres_url)
    block = another.transaction()
    await block.start()
    await another.execute("SELECT 1 FROM node FOR UPDATE")
    with pytest.raises(StoreUnreachable):
        await store.reception.hold([message(1, domain_id)])
    await block.rollback()
    await another.close()
    await store.records.put_account(account("behind it"), NOTED)
    assert store.figures.usage(domain_id).messages == 1


async def test_figures_are_right_again_after_an_answer_was_lost(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    drain = await opened(store, domain_id)
    lose_answers(store, monkeypatch, is_sent=True)
    with pytest.raises(StoreUnreachable):
        await store.handover.settle(drain, [delivered(1)])
    assert store.figures.usage(domain_id).messages == 2
    await store.core.look_again()
    assert store.figures.usage(domain_id).messages == 1
    assert store.figures.usage_of_account("alpha").messages == 1


async def test_a_question_whose_caller_is_cancelled_breaks_no_session(
    store: PostgresStore,
) -> None:
    for _ in range(3):  # more than there are sessions
        caller = asyncio.create_task(store.core.fetch("SELECT pg_sleep(0.02)"))
        await asyncio.wait([caller], timeout=0.005)
        caller.cancel()
        await asyncio.wait([caller])
    assert await store.core.fetch("SELECT 1") == [(1,)]


async def test_mail_is_not_held_if_the_database_never_got_it(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain_id = await hosted(store)
    lose_answers(store, monkeypatch, is_sent=False)
    with pytest.raises(StoreError, match="cannot be reached"):
        await store.reception.hold([message(1, domain_id)])
    assert await held_numbers(store, domain_id) == []
    assert store.figures.usage(domain_id) == NO_USAGE


def lose_answers(store: PostgresStore, monkeypatch: pytest.MonkeyPatch, *, is_sent: bool) -> None:
    """Break the session of the next batch of mail off: before its statement, or behind it."""

    async def lost(*given: object) -> object:
        session = given[0]
        if is_sent:
            await session.fetch(given[1], *given[2])  # type: ignore[attr-defined, misc]
        raise ConnectionResetError("in a test")

    monkeypatch.setattr(store.core, "_fetched", lost)


async def test_a_doubt_of_a_core_apart_is_one_of_the_store(store: PostgresStore) -> None:
    store.core.apart()._doubt(ConnectionResetError("in a test"))
    assert store.core._doubts.looks > 0


async def test_a_change_that_fails_after_its_caller_left_is_no_defect(
    store: PostgresStore,
) -> None:
    told: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: told.append(context))
    going, failing, over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def fails() -> None:
        going.set()
        await failing.wait()
        loop.call_soon(over.set)
        raise StoreUnreachable("away")

    caller = asyncio.create_task(store.core.carry_out(fails()))
    await going.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    failing.set()
    await over.wait()
    await asyncio.sleep(0)
    gc.collect()
    assert told == []
