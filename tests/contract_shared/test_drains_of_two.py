"""Drains and duties of two processes on one database: one owner at a time, and it is fenced."""

import asyncio

import asyncpg
import pytest

from restante.store.database_access import DatabaseAccess
from restante.store.handover_store import Drain, JoinedDrain
from restante.store.postgres import PostgresStore
from restante.store.store_errors import LeaseLost
from tests.contract.making import (
    NOTED,
    account,
    all_held,
    delivered,
    held_numbers,
    hold,
    hosted,
    message,
    opened,
    taken_over,
)
from tests.contract_shared.conftest import second

END = "UPDATE node SET expires_at = '-infinity' WHERE id = $1"


async def kill(url: str, store: PostgresStore) -> None:
    """Let the lease of a process end, as that of one that was killed: it beats no more."""
    timer = store.core.node._timer
    assert timer is not None
    timer.cancel()
    connection = await asyncpg.connect(url)
    await connection.execute(END, store.core.node.key.id)
    await connection.close()


async def test_a_request_at_another_process_joins_the_drain(
    one: PostgresStore, other: PostgresStore
) -> None:
    domain_id = await hosted(one)
    drain = await opened(one, domain_id, deadline=60.0)
    joined = await other.handover.open_drain(domain_id, 5.0, 90.0)
    assert isinstance(joined, JoinedDrain)
    assert (joined.drain.number, joined.times) == (drain.number, 1)
    [asked] = await one.handover.asked([drain])
    assert (asked.deadline, asked.times, asked.is_lost) == (90.0, 1, False)
    assert await other.handover.claimable_drains([]) == []


async def test_a_stop_that_is_asked_of_another_process_reaches_the_owner(
    one: PostgresStore, other: PostgresStore
) -> None:
    domain_id = await hosted(one)
    drain = await opened(one, domain_id)
    assert await other.handover.ask_stop(domain_id, "enough")
    [asked] = await one.handover.asked([drain])
    assert asked.stop == "enough"


async def test_one_of_several_takes_over_the_drain_of_a_dead_process_which_is_fenced(
    one: PostgresStore, other: PostgresStore, postgres_url: str
) -> None:
    domain_id = await hosted(one)
    await hold(one, domain_id, 1, 2)
    drain = await opened(one, domain_id)
    await one.handover.settle(drain, [delivered(1)])
    await kill(postgres_url, one)
    claims = await asyncio.gather(*(other.handover.take_over(drain) for _ in range(3)))
    [taken] = [claim for claim in claims if claim is not None]
    with pytest.raises(LeaseLost):
        await one.handover.settle(drain, [delivered(2)])
    with pytest.raises(LeaseLost):
        await one.handover.finish_drain(drain)
    assert await held_numbers(other, domain_id) == [2]
    await other.handover.settle(taken, [delivered(2)])
    assert await other.handover.finish_drain(taken)
    assert await one.handover.claimable_drains([]) == []


async def test_a_drain_is_not_finished_while_another_process_has_held_mail(
    one: PostgresStore, other: PostgresStore
) -> None:
    """The owner has not read of it: no heartbeat comes in between."""
    domain_id = await hosted(one)
    drain = await opened(one, domain_id)
    await hold(other, domain_id, 1)
    assert not await one.handover.finish_drain(drain)
    assert one.handover.is_draining(domain_id)
    await one.handover.settle(drain, [delivered(1)])
    assert await one.handover.finish_drain(drain)


async def test_mail_with_a_number_behind_the_cursor_makes_another_round(
    one: PostgresStore, other: PostgresStore
) -> None:
    domain_id = await hosted(one)
    late = other.reception.numbers().next(1.0)  # given, and not held yet
    await hold(one, domain_id, one.reception.numbers().next(2.0))
    drain = await opened(one, domain_id)
    [first] = await all_held(one, domain_id)
    assert late < first.number
    await one.handover.settle(drain, [delivered(first.number)])
    await other.reception.hold([message(late, domain_id)])
    assert await one.handover.held(domain_id, first.number, 10, 1 << 20) == []
    assert not await one.handover.finish_drain(drain)
    assert await held_numbers(one, domain_id) == [late]  # the round from the beginning


async def test_numbers_of_two_processes_are_never_the_same(
    one: PostgresStore, other: PostgresStore
) -> None:
    given = [store.reception.numbers().next(7.0) for _ in range(100) for store in (one, other)]
    assert len(set(given)) == 200


async def test_a_change_reaches_another_process_within_a_second(
    one: PostgresStore, other: PostgresStore, access: DatabaseAccess
) -> None:
    """Records at once if the database notifies it, and in any case when it next asks."""
    told = asyncio.Event()
    other.records.on_change(told.set)
    await second(other)  # it listens
    number = (await other.records.directory()).change_number
    await one.records.put_account(account("later"), NOTED)
    if not access.is_plain:
        async with asyncio.timeout(60):
            await told.wait()
    changes = await other.records.changes_since(number)
    assert changes is not None
    assert [change.key for change in changes] == ["later"]


async def test_drains_of_another_process_are_known_after_a_second(
    one: PostgresStore, other: PostgresStore
) -> None:
    domain_id = await hosted(one)
    drain = await opened(one, domain_id)
    await second(one, other)  # the one tells that it was changed, the other one reads it
    assert other.handover.open_drains() == [drain]
    await one.handover.close_drain(drain)
    await second(one, other)
    assert other.handover.open_drains() == []


async def test_a_duty_is_one_process_s_until_it_is_given_back_or_its_owner_is_dead(
    one: PostgresStore, other: PostgresStore, postgres_url: str
) -> None:
    numbers: list[int] = []

    async def perform() -> None:
        async with other.duties.perform("retention") as number:
            numbers.append(number)

    async with one.duties.perform("retention") as number:
        waiting = asyncio.create_task(perform())
        await second(other)
        assert numbers == []
        await kill(postgres_url, one)
        await second(other)
        await waiting
    assert numbers == [number + 1]


async def test_work_on_one_thing_is_one_process_s_until_its_end_or_its_death(
    one: PostgresStore, other: PostgresStore, postgres_url: str
) -> None:
    async def is_free(store: PostgresStore) -> bool:
        async with store.duties.perform_if_free("drill of a.example") as is_ours:
            return is_ours

    async with one.duties.perform_if_free("drill of a.example") as is_ours:
        assert is_ours
        assert not await is_free(other)
    assert await is_free(other)
    connection = await asyncpg.connect(postgres_url)
    left = await connection.fetch("SELECT name FROM duty WHERE name LIKE '%a.example'")
    await connection.close()
    assert left == []
    async with one.duties.perform_if_free("drill of a.example"):
        await kill(postgres_url, one)
        await second(other)
        assert await is_free(other)


async def test_a_drain_that_was_taken_over_is_not_taken_again_by_its_former_owner(
    one: PostgresStore, other: PostgresStore, postgres_url: str
) -> None:
    domain_id = await hosted(one)
    drain: Drain = await opened(one, domain_id)
    await kill(postgres_url, one)
    taken = await taken_over(other, drain)
    assert await one.handover.take_over(drain) is None
    assert (await one.handover.asked([drain]))[0].is_lost
    assert await other.handover.asked([taken]) == []


async def test_drains_of_a_dead_process_are_taken_over_together(
    one: PostgresStore, other: PostgresStore, postgres_url: str
) -> None:
    """A drain that cannot be claimed keeps no other from its new owner."""
    ids = [await hosted(one, f"d{number}.example") for number in range(4)]
    drains = [await opened(one, domain_id) for domain_id in ids]
    own = await opened(other, await hosted(other, "own.example"))
    await kill(postgres_url, one)
    earlier = drains[0]
    drains[0] = await taken_over(other, earlier)
    over = drains[1]
    await other.handover.close_drain(await taken_over(other, over))
    asked = [earlier, over, drains[2], drains[3], drains[3], own]
    answers = await asyncio.gather(*map(other.handover.take_over, asked))
    assert answers[:2] == [None, None], "another was faster, and one is over"
    assert [answer and answer.number for answer in answers[2:]] == [
        drains[2].number + 1,
        drains[3].number + 1,
        None,
        own.number + 1,
    ]
    assert [answer.domain_id for answer in answers if answer] == [ids[2], ids[3], own.domain_id]
    assert await other.handover.asked([one for one in answers if one]) == []
