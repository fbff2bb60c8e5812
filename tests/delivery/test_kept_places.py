"""The places of turnarounds are in the store: another server and the next start go on there."""

import asyncio

from restante.delivery.kept_places import KeptPlaces
from restante.delivery.turnaround_order import TriedMail, TurnPlaces
from restante.store.store_errors import StoreError
from restante.telemetry.events import StoreFailed
from restante.telemetry.work_word import WorkWord
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.turning import Turning
from tests.delivery.world import World, until
from tests.wire import audit

NONE = TurnPlaces()


def test_they_are_kept_read_for_some_domains_and_forgotten() -> None:
    async def main() -> None:
        world = World()
        places = KeptPlaces(world.store.retention, world.log)
        ids = [(await world.host(9, f"{name}.example")).id for name in "abc"]
        await places.keep(NONE, TriedMail({ids[0]: 7, ids[1]: 9, ids[2]: 0}, ids[1], False))
        kept = await places.read(ids)
        assert kept == TurnPlaces({ids[0]: 1.0, ids[1]: 2.0}, {ids[0]: 7.0, ids[1]: 9.0})
        assert await places.read(ids[1:]) == TurnPlaces({ids[1]: 2.0}, {ids[1]: 9.0})
        await places.keep(kept, TriedMail({ids[0]: 7}, ids[0], is_whole=True))
        assert await places.read(ids) == TurnPlaces({ids[1]: 2.0}, {ids[1]: 9.0})

    asyncio.run(main())


def test_a_mark_that_cannot_be_kept_is_logged_and_costs_only_itself() -> None:
    async def main() -> None:
        world = World()

        async def failing(*_: object) -> None:
            raise StoreError("the disk is full")

        world.intercept("keep_mark", failing)
        domain = await world.host(9)
        places = KeptPlaces(world.store.retention, world.log)
        await places.keep(NONE, TriedMail({domain.id: 7}, domain.id, is_whole=False))
        assert [line["doing"] for line in world.log.of(StoreFailed)] == [WorkWord.KEEP_PLACES]
        assert await places.read([domain.id]) == NONE

    asyncio.run(main())


def test_a_domain_that_was_removed_meanwhile_is_no_failure_and_the_others_are_kept() -> None:
    async def main() -> None:
        world = World()
        places = KeptPlaces(world.store.retention, world.log)
        kept = [(await world.host(9, f"d{one}.example")).id for one in range(30)]
        await world.store.records.remove_domain(kept[0], audit())
        await places.keep(NONE, TriedMail(dict.fromkeys(kept, 7), kept[0], is_whole=False))
        assert world.log.of(StoreFailed) == []
        assert sorted((await places.read(kept)).messages) == kept[1:]

    asyncio.run(main())


def test_ten_deferred_messages_keep_no_other_waiting_on_the_next_server() -> None:
    async def main() -> None:
        turning = Turning()
        async with turning.world.dispatcher() as dispatcher:
            first = await turning.hosts("b.example", 12)
            second = await turning.hosts("c.example", 1)
            async with ScriptedPrimary({"CONTENT": "451 4.7.1 sender verify"}) as client:
                await turning.whole(dispatcher, client, first, second)
                assert client.taken == []
        async with turning.world.dispatcher() as next_one, ScriptedPrimary() as client:
            turnaround = await turning.begun(next_one, client, first, second)
            await until(lambda: len(client.taken) == 13)
            contents = [one.content for one in client.taken[:3]]
            assert contents == [b"13\r\n", b"11\r\n", b"12\r\n"]
            await turnaround.over.wait()

    asyncio.run(main())
