"""Only the messages that were named leave, at any server, until all mail is asked for."""

import asyncio
from typing import Any

import pytest

from restante.delivery.cannot_start import CannotStart
from restante.delivery.dispatcher import Dispatcher, DrainStart
from restante.delivery.named_messages import named_messages
from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage, message_name
from restante.queue.drain_word import DrainEnd, DrainWay
from restante.store.handover_store import Drain, PastDrain
from restante.store.memory import MemoryStore
from restante.store.release_store import ReleaseRecord
from restante.tenancy.model import HostedDomain
from restante.tenancy.release_result import ReleaseResult
from tests.delivery.cluster import Cluster, Server
from tests.delivery.drained import numbers
from tests.delivery.scripted_primary import SILENCE, ScriptedPrimary
from tests.delivery.turning import Turning
from tests.delivery.world import World, is_idle, until
from tests.wire import NOW, audit


async def ask_for(world: World, domain: HostedDomain, release: int, *wanted: int) -> None:
    """Record a release of these messages."""
    record = ReleaseRecord(
        id=release,
        at=world.now,
        actor="operator",
        acted_from="control socket",
        target=" ".join(map(message_name, wanted)),
        account=domain.account,
        domain=domain.name,
        result=ReleaseResult.GRANTED,
        reason="operator",
        pending=len(wanted),
        way=DrainWay.MESSAGES,
    )
    await world.store.releases.record_release(record, audit())


async def named(
    world: World, dispatcher: Dispatcher, domain: HostedDomain, release: int, *wanted: int
) -> DrainStart:
    """Release these messages."""
    await ask_for(world, domain, release, *wanted)
    return await dispatcher.start(domain, "operator", release, way=DrainWay.MESSAGES)


def later(world: World) -> int:
    """Return the id of a release of this moment."""
    return world.store.releases.next_id(world.now)


def test_only_the_named_messages_leave_and_others_stay_held() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary:
            domain = await world.host(primary.port)
            await world.hold(domain, 6)
            suspect = Envelope("a@a.example", ("b@b.example",), is_suspect=True)
            await world.store.reception.hold(
                [NewMessage(7, domain.id, suspect, NOW, b"7\r\n"), another(domain, suspect)]
            )
            async with world.dispatcher() as dispatcher:
                await named(world, dispatcher, domain, later(world), 3, 7, 99)
                await until(lambda: is_idle(dispatcher))
            assert world.store.handover.open_drains() == []
            past = (await world.store.handover.past_drains())[domain.id]
        assert sorted(numbers(primary)) == [3, 7]
        assert await world.waiting() == [1, 2, 4, 5, 6, 8]
        assert (past.end, past.reason) == (
            DrainEnd.FINISHED,
            "the named messages were tried: 2 delivered",
        )

    asyncio.run(main())


def another(domain: HostedDomain, envelope: Envelope) -> NewMessage:
    return NewMessage(8, domain.id, envelope, NOW, b"8\r\n")


def test_a_deferred_one_is_tried_again_alone() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary(script={"CONTENT": ["450 4.2.0 later"]}) as primary:
            domain = await world.host(primary.port)
            await world.hold(domain, 3)
            async with world.dispatcher() as dispatcher:
                await named(world, dispatcher, domain, later(world), 2)
                await until(lambda: is_idle(dispatcher))
        assert (numbers(primary), await world.waiting()) == ([2], [1, 3])

    asyncio.run(main())


def test_all_mail_leaves_once_somebody_asks_for_it_meanwhile() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary(script={"CONTENT": [SILENCE]}) as primary:
            domain = await world.host(primary.port, connections=1)
            await world.hold(domain, 3)
            async with world.dispatcher() as dispatcher:
                await named(world, dispatcher, domain, later(world), 2)
                await until(lambda: any(one._is_silent for one in primary.open))
                assert await dispatcher.start(domain, "login", later(world)) is DrainStart.JOINED
                [shown] = dispatcher.drains()
                assert shown.way is DrainWay.DESTINATION
                for session in list(primary.open):
                    session.transport.abort()
                await until(lambda: is_idle(dispatcher))
        assert set(numbers(primary)) == {1, 2, 3}
        assert await world.waiting() == []

    asyncio.run(main())


def test_a_second_request_for_named_messages_joins_the_first() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary:
            domain = await world.host(primary.port)
            await world.hold(domain, 4)
            finish_drain, joined = world.store.handover.finish_drain, list[DrainStart]()
            async with world.dispatcher() as dispatcher:

                async def finish(*arguments: Any) -> bool:
                    if not joined:  # the drain has read the names that it knows
                        joined.append(DrainStart.STARTED)
                        release = later(world)
                        await ask_for(world, domain, release, 4)
                        await world.store.handover.open_drain(
                            domain.id, world.now, world.now + 60, release, way=DrainWay.MESSAGES
                        )
                    return bool(await finish_drain(*arguments))

                world.intercept("finish_drain", finish)
                await named(world, dispatcher, domain, later(world), 2)
                await until(lambda: bool(joined))
                await dispatcher.look_for_drains()
                await until(lambda: is_idle(dispatcher))
        assert (numbers(primary), await world.waiting()) == ([2, 4], [1, 3])

    asyncio.run(main())


def test_a_server_that_takes_over_hands_over_the_named_messages_only() -> None:
    async def main() -> None:
        cluster = Cluster()
        world = cluster.world
        async with ScriptedPrimary(script={"CONTENT": [SILENCE]}) as primary:
            domain = await world.host(primary.port, connections=1)
            await world.hold(domain, 5)
            first, second = await Server(cluster).begin(), await Server(cluster).begin()
            await named(world, first.dispatcher, domain, later(world), 4)
            await until(lambda: any(one._is_silent for one in primary.open))
            await first.kill()
            world.now += 10
            await second.second()
            await until(lambda: not world.store.handover.open_drains())
            await second.stop()
        assert set(numbers(primary)) == {4}
        assert await world.waiting() == [1, 2, 3, 5]

    asyncio.run(main())


def test_a_drain_whose_release_is_forgotten_hands_nothing_over() -> None:
    async def main() -> None:
        world = World(store=MemoryStore())
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            await world.hold(domain, 2)
            await dispatcher.start(domain, "operator", 4711, way=DrainWay.MESSAGES)
            await until(lambda: is_idle(dispatcher))
            assert world.store.handover.open_drains() == []
        assert (numbers(primary), await world.waiting()) == ([], [1, 2])

    asyncio.run(main())


def test_named_messages_wait_for_no_turnaround_and_cause_no_drain_after_it() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with world.dispatcher() as dispatcher, ScriptedPrimary() as client:
            domain = await turning.hosts(count=2)
            turnaround = await turning.granted(dispatcher, domain)
            with pytest.raises(CannotStart, match="own connection"):
                await named(world, dispatcher, domain, later(world), 1)
            turnaround.call_off("the test is over")
            await until(lambda: is_idle(dispatcher))
            assert world.store.handover.open_drains() == []
            assert numbers(client) == []

    asyncio.run(main())


def test_names_of_releases_that_are_over_are_not_read_again() -> None:
    async def main() -> None:
        world = World()
        domain = await world.host(9)
        await world.hold(domain, 3)
        for wanted in (1, 2):
            release = later(world)
            await ask_for(world, domain, release, wanted)
            drain = await world.store.handover.open_drain(
                domain.id, world.now, world.now + 60, release, way=DrainWay.MESSAGES
            )
            assert isinstance(drain, Drain)
            assert await named_messages(world.store.releases, drain, domain) == [wanted]
            past = PastDrain(NOW, NOW, "operator", DrainEnd.GIVEN_UP, "", 0, 0, 0, "")
            await world.store.handover.close_drain(drain, past)

    asyncio.run(main())
