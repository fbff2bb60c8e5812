"""A drain changes hands only if nobody runs it, and without waiting for the locks of others."""

import asyncpg

from restante.store.postgres import PostgresStore
from tests.contract.making import hosted, opened


async def test_a_drain_that_is_locked_is_not_waited_for(
    store: PostgresStore, other: PostgresStore, postgres_url: str
) -> None:
    """Its lock may be that of a machine that has vanished."""
    drain = await opened(store, await hosted(store))
    await store.handover.give_back([drain])
    connection = await asyncpg.connect(postgres_url)
    async with connection.transaction():
        await connection.execute("SELECT 1 FROM drain FOR SHARE")
        assert await other.handover.take_over(drain) is None
    assert await other.handover.take_over(drain) is not None
    await connection.close()
