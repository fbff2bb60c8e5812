"""Held mail that two processes change at once."""

import asyncio

import asyncpg

from restante.queue.recipient_status import RecipientStatus
from restante.store.postgres import PostgresStore
from tests.contract.making import NOTED, held_numbers, hold, hosted
from tests.store.postgres.waiting import when_one_waits

LOCK = "SELECT 1 FROM message WHERE number = 1 FOR UPDATE"
RELEASED = "INSERT INTO last_reply VALUES ($1, 1, 'anna@alpha.example', 0, '', 99)"


async def test_mail_that_is_held_again_while_its_end_waits_stays(
    store: PostgresStore, postgres_url: str
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    another = await asyncpg.connect(postgres_url)
    block = another.transaction()
    await block.start()
    await another.fetch(LOCK)
    expiring = store.retention.expire(domain_id, [1], RecipientStatus.HELD, 50.0, NOTED)
    ending = asyncio.create_task(expiring)
    await when_one_waits(another)
    await another.execute(RELEASED, domain_id)
    await block.commit()
    assert await ending == 0
    assert await held_numbers(store, domain_id) == [1]
    await another.close()
