"""Drains while the store cannot be reached: nothing is lost, and nothing is sent twice."""

import asyncio
from typing import Any

import pytest

from restante.delivery.dispatcher import DrainStart
from restante.store.store_errors import StoreUnreachable
from restante.telemetry.events import DrainFinished, StoreFailed
from tests.away_store import AwayStore
from tests.delivery.drained import numbers
from tests.delivery.scripted_primary import SILENCE, ScriptedPrimary
from tests.delivery.world import World, is_idle, until


def test_deliveries_meanwhile_are_recorded_when_the_store_is_back() -> None:
    """For longer than patience with an error of a disk: the lease is still this process's own."""

    async def main() -> None:
        store = AwayStore()
        world = World(store=store)
        async with ScriptedPrimary() as primary:
            domain = await world.host(primary.port)
            await world.hold(domain, 5)
            settle, leaves = store.handover.settle, [True]

            async def leave(*arguments: Any) -> None:
                if leaves:
                    leaves.pop()
                    store.absence = "connection refused"
                await settle(*arguments)

            async def come_back() -> None:
                if len(world.pauses) == 300:
                    store.absence = ""

            world.intercept("settle", leave)
            world.on_pause = come_back
            await world.drain(domain)
            assert store.handover.open_drains() == []
            assert await world.waiting() == []
        assert sorted(numbers(primary)) == [1, 2, 3, 4, 5]
        assert world.pauses[:300] == [1.0] * 300
        assert len(world.pauses) == 301, "and one before held mail is read again"
        assert len(world.log.of(StoreFailed)) == 1

    asyncio.run(main())


def test_without_a_lease_the_drain_ends_and_is_taken_up_when_the_store_is_back() -> None:
    async def main() -> None:
        store = AwayStore()
        world = World(store=store)
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            await world.hold(domain, 2)
            settle, leaves = store.handover.settle, [True]

            async def leave(*arguments: Any) -> None:
                if leaves:
                    leaves.pop()
                    store.absence, store.lease_left = "connection refused", 0.0
                await settle(*arguments)

            world.intercept("settle", leave)
            await dispatcher.start(domain, "test")
            await until(lambda: is_idle(dispatcher))
            assert len(store.handover.open_drains()) == 1
            with pytest.raises(StoreUnreachable):
                await dispatcher.start(domain, "test")
            store.absence = ""
            assert await dispatcher.start(domain, "test") is DrainStart.JOINED
            await dispatcher.look_for_drains()
            assert is_idle(dispatcher), "it takes nothing without a lease of its own"
            store.lease_left = 5.0
            await dispatcher.look_for_drains()
            await until(lambda: is_idle(dispatcher))
            assert await world.waiting() == []
        assert set(numbers(primary)) == {1, 2}
        assert len(numbers(primary)) <= 4

    asyncio.run(main())


@pytest.mark.parametrize(("lease_left", "is_stopped"), [(2.5, False), (2.0, True), (0.0, True)])
def test_drains_stop_before_their_lease_ends(lease_left: float, is_stopped: bool) -> None:
    """Another server takes them over then; connections must not go on with the same mail."""

    async def main() -> None:
        store = AwayStore()
        world = World(store=store)
        primary = ScriptedPrimary(script={"CONTENT": ["250 OK", SILENCE]})
        async with primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port, connections=1)
            await world.hold(domain, 9)
            await dispatcher.start(domain, "test")
            await until(lambda: any(session._is_silent for session in primary.open))
            store.lease_left = lease_left
            dispatcher.fence()
            if is_stopped:
                await until(lambda: is_idle(dispatcher))
                assert "another server" in world.log.of(DrainFinished)[-1]["reason"]
            else:
                assert not is_idle(dispatcher)
            assert len(store.handover.open_drains()) == 1
            assert len(numbers(primary)) == 1

    asyncio.run(main())
