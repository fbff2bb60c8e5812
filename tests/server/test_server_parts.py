"""The records that are read before the parts are built."""

import asyncio

from restante.queue.drain_word import DrainEnd
from restante.server.damage_log import DamageLog
from restante.server.server_parts import read_records
from restante.store.handover_store import PastDrain
from restante.store.interface import Store
from restante.store.memory import MemoryStore
from tests.contract.making import hosted, opened
from tests.log_lines import Lines


def past(taker: str) -> PastDrain:
    return PastDrain(1.0, 2.0, "operator", DrainEnd.GIVEN_UP, "why", 0, 0, 0, "", taker=taker)


async def drained(store: Store, name: str, taker: str) -> None:
    drain = await opened(store, await hosted(store, name), 1.0, 60.0)
    await store.handover.close_drain(drain, past(taker))


def test_the_destinations_that_have_ever_taken_mail_are_known_after_a_restart() -> None:
    async def main() -> None:
        store = MemoryStore()
        await drained(store, "a.example", "mail.example:25")
        await drained(store, "b.example", "mail.example:25")
        await drained(store, "c.example", "")
        records = await read_records(store, DamageLog(Lines()))
        assert records.takers == {"mail.example:25"}

    asyncio.run(main())
