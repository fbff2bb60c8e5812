"""Recorded drains that nobody runs, and requests of others through the store."""

import asyncio
import itertools
from typing import Any

import pytest

from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.dispatcher import Dispatcher, DrainStart
from restante.delivery.drain_claims import LOOK_SECONDS
from restante.queue.drain_word import DrainState
from restante.queue.recipient_status import RecipientStatus
from restante.store.handover_store import Drain
from restante.store.store_errors import StoreError
from restante.telemetry.events import DrainFinished, DrainStarted, InternalError, StoreFailed
from restante.tenancy.model import HostedDomain
from tests.contract.making import opened, taken_over
from tests.delivery.drained import numbers
from tests.delivery.scripted_primary import SILENCE, ScriptedPrimary
from tests.delivery.world import World, is_idle, only_drain, until
from tests.log_lines import Lines
from tests.wire import NOW


def states(dispatcher: Dispatcher) -> list[DrainState]:
    return [view.state for view in dispatcher.drains()]


async def end_unrecorded(world: World, dispatcher: Dispatcher, domain: HostedDomain) -> None:
    """Run a drain whose end the store cannot record."""
    finish_drain = world.store.handover.finish_drain

    async def fail(*_: Any) -> bool:
        raise StoreError("the disk is full")

    world.intercept("finish_drain", fail)
    await dispatcher.start(domain, "test")
    await until(lambda: is_idle(dispatcher))
    world.intercept("finish_drain", finish_drain)


def test_an_unclaimed_drain_is_shown_and_counted() -> None:
    async def main() -> None:
        world = World()
        async with world.dispatcher() as dispatcher:
            domain = await world.host(2525)
            await opened(world.store, domain.id, NOW - 60, NOW + 60)
            (view,) = dispatcher.drains()
            assert (view.domain, view.destination) == ("b.example", "127.0.0.1:2525")
            assert (view.state, view.started_at) == (DrainState.UNCLAIMED, NOW - 60)
            assert dispatcher.census().states == {DrainState.UNCLAIMED: 1}
            assert dispatcher.is_draining(domain.id)

    asyncio.run(main())


def test_a_drain_that_runs_here_is_not_taken_from_itself() -> None:
    async def main() -> None:
        world = World()
        primary = ScriptedPrimary(script={"CONTENT": [SILENCE]})
        async with primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            await world.hold(domain, 1)
            await dispatcher.start(domain, "test")
            await until(lambda: any(session._is_silent for session in primary.open))
            before = world.store.handover.open_drains()
            await dispatcher.look_for_drains()
            assert world.store.handover.open_drains() == before
            assert states(dispatcher) == [DrainState.DELIVERING]

    asyncio.run(main())


def test_a_drain_that_begins_meanwhile_is_not_taken_over() -> None:
    """It is on record before it runs: the look must wait for its start, and look again."""

    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            await world.hold(domain, 1)
            open_drain, looks = world.store.handover.open_drain, list[asyncio.Task[None]]()

            async def open_slowly(*arguments: Any, **named: Any) -> Any:
                drain = await open_drain(*arguments, **named)
                looks.append(asyncio.ensure_future(dispatcher.look_for_drains()))
                for _ in range(5):
                    await asyncio.sleep(0)
                return drain

            world.intercept("open_drain", open_slowly)
            await dispatcher.start(domain, "test")
            await looks[0]
            await until(lambda: is_idle(dispatcher))
            assert world.store.handover.open_drains() == []
        assert numbers(primary) == [1]
        assert len(world.log.of(DrainStarted)) == 1

    asyncio.run(main())


def test_an_end_that_could_not_be_recorded_rests_longer_each_time() -> None:
    async def main() -> None:
        world = World(settings=DeliverySettings(first_retry=10.0, longest_retry=40.0))
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            finishes = list[float]()

            async def fail(*_: Any) -> bool:
                finishes.append(world.now)
                raise StoreError("the disk is full")

            finish_drain = world.store.handover.finish_drain
            world.intercept("finish_drain", fail)
            await dispatcher.start(domain, "test")
            for _ in range(200):
                await until(lambda: is_idle(dispatcher))
                await dispatcher.look_for_drains()
                await until(lambda: is_idle(dispatcher))
                world.now += 1.0
            pauses = [b - a for a, b in itertools.pairwise(finishes)]
            assert 7 <= pauses[0] <= 13
            assert 28 <= pauses[-1] <= 51
            world.intercept("finish_drain", finish_drain)
            world.now += 60.0
            await dispatcher.look_for_drains()
            await until(lambda: is_idle(dispatcher))
            assert world.store.handover.open_drains() == []
            await end_unrecorded(world, dispatcher, domain)
            world.now += 13.0  # it counts from the beginning again
            await dispatcher.look_for_drains()
            await until(lambda: is_idle(dispatcher))
            assert world.store.handover.open_drains() == []

    asyncio.run(main())


def test_a_request_ends_the_rest() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            await end_unrecorded(world, dispatcher, domain)
            await world.hold(domain, 1)
            await dispatcher.look_for_drains()
            assert states(dispatcher) == [DrainState.UNCLAIMED]
            assert await dispatcher.start(domain, "test") is DrainStart.JOINED
            await dispatcher.look_for_drains()
            await until(lambda: is_idle(dispatcher))
            assert world.store.handover.open_drains() == []
        assert numbers(primary) == [1]

    asyncio.run(main())


def test_an_unclaimed_drain_can_be_stopped() -> None:
    async def main() -> None:
        world = World()
        async with world.dispatcher() as dispatcher:
            ended = list[int]()
            dispatcher.on_end(ended.append)
            domain = await world.host(2525)
            await world.hold(domain, 1)
            assert not await dispatcher.stop(domain.id)
            await opened(world.store, domain.id, NOW, NOW + 60)
            assert await dispatcher.stop(domain.id)
            await dispatcher.look_for_drains()
            assert world.store.handover.open_drains() == []
            assert ended == [domain.id]
            assert await world.waiting(RecipientStatus.HELD) == [1]

    asyncio.run(main())


def test_requests_of_another_server_are_obeyed() -> None:
    """A request that joins makes a new round, once; a stop ends it."""

    async def main() -> None:
        world = World()
        primary = ScriptedPrimary(script={"CONTENT": ["451 later", "451 later"]})
        paused = asyncio.Event()

        async def pause() -> None:
            paused.set()
            await asyncio.Event().wait()

        world.on_pause = pause
        async with primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            await world.hold(domain, 1)
            await dispatcher.start(domain, "test")
            await paused.wait()
            await world.store.handover.open_drain(domain.id, NOW, NOW + 1e6)
            running = only_drain(dispatcher)
            patience = running._patience.deadline - running._summary._started
            world.now += 100
            await dispatcher.look_for_drains()
            assert running._woken.is_set()
            assert running._patience.deadline - running._summary._started == 100 + patience
            running._woken.clear()
            await dispatcher.look_for_drains()
            assert not running._woken.is_set(), "one request wakes it once"
            await world.store.handover.ask_stop(domain.id, "stopped elsewhere")
            await dispatcher.look_for_drains()
            await until(lambda: is_idle(dispatcher))
            assert world.store.handover.open_drains() == []
        assert world.log.of(DrainFinished)[-1]["reason"] == "stopped elsewhere"

    asyncio.run(main())


def test_a_drain_that_another_server_took_stops_and_closes_nothing() -> None:
    async def main() -> None:
        world = World()
        primary = ScriptedPrimary(script={"CONTENT": [SILENCE]})
        async with primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            await world.hold(domain, 1)
            await dispatcher.start(domain, "test")
            await until(lambda: any(session._is_silent for session in primary.open))
            later = await taken_over(world.store, world.store.handover.open_drains()[0])
            claimable = world.store.handover.claimable_drains

            async def others(_running: list[Drain]) -> list[Drain]:
                return []

            world.intercept("claimable_drains", others)
            await dispatcher.look_for_drains()
            await until(lambda: is_idle(dispatcher))
            assert world.store.handover.open_drains() == [later]
            world.intercept("claimable_drains", claimable)
        assert "another server" in world.log.of(DrainFinished)[-1]["reason"]

    asyncio.run(main())


def test_a_request_is_recorded_with_its_patience() -> None:
    async def main() -> None:
        world = World(settings=DeliverySettings(patience=100.0))
        primary = ScriptedPrimary(script={"CONTENT": [SILENCE]})
        async with primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            await world.hold(domain, 1)
            await dispatcher.start(domain, "test")
            world.now += 50.0
            assert await dispatcher.start(domain, "test") is DrainStart.JOINED
            assert world.store.handover.open_drains()[0].deadline == NOW + 150
            running = only_drain(dispatcher)
            running._woken.clear()
            await dispatcher.look_for_drains()
            assert not running._woken.is_set(), "it knew already"

    asyncio.run(main())


def test_a_store_that_fails_is_reported_once_and_asked_again() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            await world.hold(domain, 1)
            await opened(world.store, domain.id, NOW, NOW + 60)
            claimable, looks = world.store.handover.claimable_drains, list[int]()

            async def fail_at_first(running: list[Drain]) -> list[Drain]:
                looks.append(1)
                if len(looks) <= 3:
                    raise StoreError("not now")
                return await claimable(running)

            world.intercept("claimable_drains", fail_at_first)
            looking = asyncio.ensure_future(dispatcher.run())
            await until(lambda: world.store.handover.open_drains() == [])
            looking.cancel()
        assert numbers(primary) == [1]
        assert len(world.log.of(StoreFailed)) == 1
        assert world.pauses[:3] == [LOOK_SECONDS] * 3

    asyncio.run(main())


def test_a_defect_does_not_end_the_task() -> None:
    async def main() -> None:
        world = World(log=Lines(takes_defects=True))
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            await opened(world.store, domain.id, NOW, NOW + 60)
            claimable, looks = world.store.handover.claimable_drains, list[int]()

            async def stumble_at_first(running: list[Drain]) -> list[Drain]:
                looks.append(1)
                if len(looks) <= 3:
                    raise RuntimeError("a defect")
                return await claimable(running)

            world.intercept("claimable_drains", stumble_at_first)
            looking = asyncio.ensure_future(dispatcher.run())
            await until(lambda: world.store.handover.open_drains() == [])
            looking.cancel()
        assert len(world.log.of(InternalError)) == 1

    asyncio.run(main())


@pytest.mark.parametrize("count", [1, 250])
def test_many_are_taken_up_at_once(count: int) -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            for ordinal in range(count):
                domain = await world.host(primary.port, name=f"d{ordinal}.example")
                await opened(world.store, domain.id, NOW, NOW + 60)
            await dispatcher.look_for_drains()
            assert len(dispatcher._drains) == count
            await until(lambda: is_idle(dispatcher))
            assert world.store.handover.open_drains() == []

    asyncio.run(main())
