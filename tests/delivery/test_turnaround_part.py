"""One domain of a turnaround, beside drains, ETRN, stops and changes of its record."""

import asyncio
from dataclasses import replace

import pytest

from restante.delivery.account_turnarounds import IDLE_SECONDS
from restante.delivery.cannot_start import CannotStart, TurnaroundBusy
from restante.delivery.client_turnaround import ClientTurnaround
from restante.delivery.dispatcher import TURN_ASKED_AGAIN, DrainStart
from restante.queue.drain_word import DrainEnd, DrainState, DrainWay
from restante.queue.recipient_status import RecipientStatus
from restante.store.handover_store import Drain
from restante.store.release_store import ReleaseDrain
from restante.store.store_errors import StoreError
from restante.telemetry.events import DrainStarted, StoreFailed
from restante.tenancy.model import Destination, parse_authorized_hosts
from restante.tenancy.policy import Policy, Suspension, TurnaroundPolicy
from tests.delivery.scripted_primary import SILENCE, Script, ScriptedPrimary
from tests.delivery.turning import ALLOWED, Turning, ended, wire_to
from tests.delivery.world import until
from tests.wire import NOW, audit


def test_a_release_asked_for_meanwhile_begins_a_drain_if_mail_is_left() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        offer = ("PIPELINING", "LIMITS MAILMAX=1")
        slow = {"CONTENT": 0.02}
        async with (
            ScriptedPrimary(offer=offer, seconds=slow) as client,
            ScriptedPrimary() as primary,
            world.dispatcher() as dispatcher,
        ):
            domain = await turning.hosts(count=3)
            await turning.leads_to(domain, primary)
            turnaround = await turning.granted(dispatcher, domain, release=1)
            turnaround.begin(await wire_to(client))
            started = await dispatcher.start(domain, "login other", 2)
            assert started is DrainStart.JOINED
            await until(lambda: len(client.taken) == 1)
            seen: list[ReleaseDrain] = []
            while len(primary.taken) < 2 or dispatcher.is_draining(domain.id):
                seen += await world.store.releases.release_drains(2, 9)
                await asyncio.sleep(0)
            assert {one.ended_at for one in seen if one.delivered < 3} == {None}
            counts = [one.delivered for one in seen]
            assert counts == sorted(counts)
            assert counts[0] >= 0
            [last] = await world.store.releases.release_drains(2, 9)
            assert (last.delivered, last.left, last.end) == (3, 0, DrainEnd.FINISHED)
        started_by = [line["requested_by"] for line in world.log.of(DrainStarted)]
        assert started_by == ["login acme-mail", "login other"]

    asyncio.run(main())


def test_a_running_drain_is_ended_gently_first_and_mail_leaves_once() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        world.grace = 5.0
        async with (
            ScriptedPrimary() as client,
            ScriptedPrimary(seconds={"CONTENT": 0.02}) as primary,
            world.dispatcher() as dispatcher,
        ):
            domain = await turning.hosts(count=30)
            domain = await turning.leads_to(domain, primary)
            await dispatcher.start(domain, "operator", 0)
            await until(lambda: len(primary.taken) > 0)
            await turning.whole(dispatcher, client, domain)
            assert len(primary.taken) + len(client.taken) == 30
            assert client.taken
            assert primary.commands[-1] == "QUIT"

    asyncio.run(main())


@pytest.mark.parametrize("obstacle", ["stopping", "busy elsewhere"])
def test_an_obstacle_that_can_be_known_ends_no_drain(obstacle: str) -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with (
            ScriptedPrimary({"GREETING": SILENCE}) as primary,
            world.dispatcher() as dispatcher,
        ):
            domain = await turning.leads_to(await turning.hosts(count=1), primary)
            other = await turning.hosts("c.example", count=1)
            await dispatcher.start(domain, "operator", 0)
            await until(lambda: primary.connections == 1)
            [drain] = world.store.handover.open_drains()
            if obstacle == "busy elsewhere":
                opened = await world.store.handover.open_drain(
                    other.id, NOW, NOW + 60, way=DrainWay.TURNAROUND
                )
                assert isinstance(opened, Drain)
            else:
                world.intercept("open_drains", list)
                dispatcher._is_stopping = True
            with pytest.raises((TurnaroundBusy, CannotStart)):
                await turning.granted(dispatcher, domain, other)
            dispatcher._is_stopping = False
            snapshot = dispatcher.drain_of(domain.id)
            assert snapshot is not None
            assert snapshot.state is not DrainState.STOPPING
            assert (await world.store.handover.asked([drain])) == []

    asyncio.run(main())


@pytest.mark.parametrize("cause", ["called off", "the disk is full"])
def test_a_drain_that_was_ended_for_a_turnaround_without_a_beginning_is_followed_by_another(
    cause: str,
) -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        world.grace = 0.1
        real = world.store.handover.open_drain

        async def failing(domain_id: int, *given: object, **more: object) -> object:
            if more.get("way") is DrainWay.TURNAROUND:
                raise StoreError("the disk is full")
            return await real(domain_id, *given, **more)  # type: ignore[arg-type]

        script: Script = {"MAIL": SILENCE}
        async with (
            ScriptedPrimary(script) as primary,
            world.dispatcher() as dispatcher,
        ):
            domain = await turning.leads_to(await turning.hosts(count=2), primary)
            await dispatcher.start(domain, "operator", 0)
            await until(lambda: bool(primary.commands) and primary.commands[-1].startswith("MAIL"))
            del script["MAIL"]
            if cause == "called off":
                (await turning.granted(dispatcher, domain)).call_off(cause)
            else:
                world.intercept("open_drain", failing)
                with pytest.raises(StoreError):
                    await turning.granted(dispatcher, domain)
            await until(lambda: len(primary.taken) == 2)
            await ended(dispatcher, [domain])
            started_by = [(line["requested_by"]) for line in world.log.of(DrainStarted)]
            assert started_by[0] == started_by[-1] == "operator"

    asyncio.run(main())


def test_a_drain_that_nobody_runs_yet_is_ended_first() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with ScriptedPrimary() as client, world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=1)
            await world.store.handover.open_drain(domain.id, NOW, NOW + 60, 0, "operator")
            world.on_pause = dispatcher.look_for_drains
            await turning.whole(dispatcher, client, domain)
            assert len(client.taken) == 1

    asyncio.run(main())


def test_a_recorded_turnaround_is_closed_at_the_start_and_its_mail_stays() -> None:
    """Resumed, it would deliver to the destination, for which nobody has asked."""

    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=1)
            await turning.leads_to(domain, primary)
            await world.store.handover.open_drain(domain.id, NOW, NOW + 60, way=DrainWay.TURNAROUND)
            await dispatcher.look_for_drains()
            assert world.store.handover.open_drains() == []
            assert list(dispatcher.drains()) == []
            assert primary.connections == 0
            assert len(await world.waiting(RecipientStatus.HELD)) == 1

    asyncio.run(main())


def test_a_release_that_joined_a_lost_turnaround_begins_a_drain() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=1)
            await turning.leads_to(domain, primary)
            handover = world.store.handover
            lost = await handover.open_drain(domain.id, NOW, NOW + 60, way=DrainWay.TURNAROUND)
            assert isinstance(lost, Drain)
            await handover.open_drain(domain.id, NOW, NOW + 60)
            await dispatcher.look_for_drains()
            await until(lambda: len(primary.taken) == 1)

    asyncio.run(main())


def test_a_stop_of_one_domain_leaves_the_others() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        world.grace = 5.0
        async with (
            ScriptedPrimary(seconds={"CONTENT": 0.01}) as client,
            world.dispatcher() as dispatcher,
        ):
            first = await turning.hosts("b.example", 50)
            second = await turning.hosts("c.example", 2)
            turnaround = await turning.begun(dispatcher, client, first, second)
            await until(lambda: len(client.taken) > 0)
            assert await dispatcher.stop(first.id)
            await turnaround.over.wait()
            await ended(dispatcher, [first, second])
            domains = [one.forward_paths[0] for one in client.taken]
            assert domains.count("x@c.example") == 2
            assert domains.count("x@b.example") < 50
            past = await world.store.handover.past_drains()
            assert past[first.id].end is DrainEnd.STOPPED
            assert past[second.id].end is DrainEnd.FINISHED

    asyncio.run(main())


def test_a_domain_that_was_stopped_is_free_at_once() -> None:
    """The rest of the turnaround may take hours."""

    async def main() -> None:
        turning = Turning()
        world = turning.world
        world.grace = 5.0
        client = ScriptedPrimary({"CONTENT": ["250 OK", SILENCE]}, seconds={"CONTENT": 0.02})
        async with client, world.dispatcher() as dispatcher:
            first = await turning.hosts("b.example", 1)
            second = await turning.hosts("c.example", 1)
            third = await turning.hosts("d.example", 1)
            turnaround = await turning.begun(dispatcher, client, first, second, third)
            await until(lambda: client.commands.count("DATA") == 1, turns=10_000_000)
            await dispatcher.stop(first.id)  # in the connection
            await dispatcher.stop(third.id)  # not begun
            await until(lambda: client.commands.count("DATA") == 2, turns=10_000_000)
            await ended(dispatcher, [first, third])
            assert not turnaround.over.is_set()
            assert [one.domain_id for one in world.store.handover.open_drains()] == [second.id]
            past = await world.store.handover.past_drains()
            assert {past[one.id].end for one in (first, third)} == {DrainEnd.STOPPED}
            assert past[first.id].delivered == 1
            turnaround.abort("over")

    asyncio.run(main())


@pytest.mark.parametrize(
    "way", ["stopped here", "stopped elsewhere", "stopped meanwhile", "suspended"]
)
def test_no_drain_follows_the_turnaround_of_a_domain_that_was_stopped(way: str) -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        world.grace = 5.0
        async with (
            ScriptedPrimary({"CONTENT": SILENCE}) as client,
            ScriptedPrimary() as primary,
            world.dispatcher() as dispatcher,
        ):
            domain = await turning.hosts(count=3)
            domain = replace(domain, destination=Destination("127.0.0.1", primary.port))
            await world.store.records.put_domain(domain, audit())
            await world.directory.refresh()
            turnaround = await turning.begun(dispatcher, client, domain)
            await until(lambda: "DATA" in client.commands)
            real = world.store.handover.open_drain

            async def meanwhile(*given: object, **more: object) -> object:
                if way == "stopped meanwhile":
                    await dispatcher.stop(domain.id)
                return await real(*given, **more)  # type: ignore[arg-type]

            world.intercept("open_drain", meanwhile)
            assert await dispatcher.start(domain, "login other", 0) is DrainStart.JOINED
            if way == "stopped here":
                await dispatcher.stop(domain.id)
            elif way == "stopped elsewhere":
                await world.store.handover.ask_stop(domain.id, "on request")
                await dispatcher.look_for_drains()
            elif way == "suspended":
                suspended = replace(domain.policy, suspension=Suspension("unpaid"))
                await world.store.records.put_domain(replace(domain, policy=suspended), audit())
                await world.directory.refresh()
                dispatcher.look_at_record(domain.id)
            turnaround.abort("over")
            await ended(dispatcher, [domain])
            await asyncio.sleep(0)
            await ended(dispatcher, [domain])
        assert primary.connections == 0
        assert [line["requested_by"] for line in world.log.of(DrainStarted)] == ["login acme-mail"]

    asyncio.run(main())


def test_no_drain_follows_a_lost_turnaround_that_was_stopped() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=1)
            domain = replace(domain, destination=Destination("127.0.0.1", primary.port))
            await world.store.records.put_domain(domain, audit())
            await world.directory.refresh()
            handover = world.store.handover
            await handover.open_drain(domain.id, NOW, NOW + 60, way=DrainWay.TURNAROUND)
            await handover.open_drain(domain.id, NOW, NOW + 60)
            await handover.ask_stop(domain.id, "on request")
            await dispatcher.look_for_drains()
            await asyncio.sleep(0)
            await ended(dispatcher, [domain])
            assert handover.open_drains() == []
        assert world.log.of(DrainStarted) == []

    asyncio.run(main())


def test_a_record_that_changed_before_the_lease_was_taken_decides() -> None:
    """A drain that runs is ended first, which takes seconds."""

    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with ScriptedPrimary() as client, world.dispatcher() as dispatcher:
            domain, other = await turning.hosts(count=1), await turning.hosts("c.example", 1)
            real = world.store.handover.open_drain

            async def meanwhile(domain_id: int, *given: object, **more: object) -> object:
                if domain_id == domain.id:
                    policy = replace(ALLOWED, turnaround=TurnaroundPolicy.DENY)
                    await world.store.records.put_domain(replace(domain, policy=policy), audit())
                    await world.directory.refresh()
                    dispatcher.look_at_record(domain.id)
                return await real(domain_id, *given, **more)  # type: ignore[arg-type]

            world.intercept("open_drain", meanwhile)
            await turning.whole(dispatcher, client, domain, other)
            assert [one.forward_paths for one in client.taken] == [("x@c.example",)]
            past = await world.store.handover.past_drains()
            assert past[domain.id].end is DrainEnd.STOPPED

    asyncio.run(main())


@pytest.mark.parametrize(
    ("before", "after", "goes_on"),
    [
        (["203.0.113.0/24", "a.example"], ["203.0.113.0/24"], False),
        (["203.0.113.0/24"], ["198.51.100.0/24"], False),
        (["203.0.113.0/24"], ["203.0.113.0/24", "198.51.100.1"], True),
    ],
)
def test_a_host_that_is_not_authorized_any_more_gets_no_more(
    before: list[str], after: list[str], goes_on: bool
) -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=1)
            allowing = replace(domain, authorized_hosts=parse_authorized_hosts(before))
            await world.store.records.put_domain(allowing, audit())
            await world.directory.refresh()
            turnaround = await turning.granted(dispatcher, allowing)
            changed = replace(domain, authorized_hosts=parse_authorized_hosts(after))
            await world.store.records.put_domain(changed, audit())
            await world.directory.refresh()
            dispatcher.look_at_record(domain.id)
            (view,) = dispatcher.drains()
            assert (view.state is not DrainState.STOPPING) == goes_on
            turnaround.call_off("over")

    asyncio.run(main())


@pytest.mark.parametrize(
    "policy",
    [
        replace(ALLOWED, turnaround=TurnaroundPolicy.DENY),
        replace(ALLOWED, suspension=Suspension("unpaid")),
    ],
)
def test_a_domain_whose_record_forbids_it_gives_no_more(policy: Policy) -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        world.grace = 5.0
        async with (
            ScriptedPrimary(seconds={"CONTENT": 0.01}) as client,
            world.dispatcher() as dispatcher,
        ):
            domain = await turning.hosts(count=50)
            await turning.begun(dispatcher, client, domain)
            await until(lambda: len(client.taken) > 0)
            await world.store.records.put_domain(replace(domain, policy=policy), audit())
            await world.directory.refresh()
            dispatcher.look_at_record(domain.id)
            await ended(dispatcher, [domain])
            assert len(client.taken) < 50
            assert client.commands[-1] == "QUIT"

    asyncio.run(main())


def test_a_client_that_says_nothing_is_cut_after_the_grace_of_a_stop() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        world.grace = 0.01
        script: Script = {"CONTENT": SILENCE}
        async with ScriptedPrimary(script) as client, world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=2)
            await turning.begun(dispatcher, client, domain)
            await until(lambda: "DATA" in client.commands)
            await dispatcher.stop(domain.id)
            await until(lambda: not dispatcher.runs_here(domain.id), turns=10_000_000)
            assert len(await world.waiting(RecipientStatus.HELD)) == 2

    asyncio.run(main())


def test_a_release_that_joined_is_dropped_without_a_failure_when_the_server_stops() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await turning.leads_to(await turning.hosts(count=1), primary)
            await dispatcher.stop_all()
            await dispatcher._start_after(domain, "login other", 0)
        assert world.log.of(StoreFailed) == []
        assert world.log.of(DrainStarted) == []

    asyncio.run(main())


def test_a_request_for_another_turnaround_ends_one_that_is_idle_then_and_not_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        turning = Turning()
        handover = turning.world.store.handover
        async with (
            ScriptedPrimary({"CONTENT": SILENCE}) as client,
            turning.world.dispatcher() as dispatcher,
        ):
            domain = await turning.hosts(count=1)
            turnaround = await turning.begun(dispatcher, client, domain)
            await handover.ask_stop(domain.id, TURN_ASKED_AGAIN)
            await dispatcher.look_for_drains()
            monkeypatch.setattr(ClientTurnaround, "seconds_still", property(lambda _: IDLE_SECONDS))
            await dispatcher.look_for_drains()
            for _ in range(200):
                await asyncio.sleep(0)
            assert not turnaround.over.is_set()
            await handover.ask_stop(domain.id, TURN_ASKED_AGAIN)
            await dispatcher.look_for_drains()
            await turnaround.over.wait()
            await ended(dispatcher, [domain])

    asyncio.run(main())


def test_a_release_that_came_with_such_a_request_begins_a_drain_afterwards() -> None:
    async def main() -> None:
        turning = Turning()
        handover = turning.world.store.handover
        async with (
            ScriptedPrimary({"CONTENT": SILENCE}) as client,
            ScriptedPrimary() as primary,
            turning.world.dispatcher() as dispatcher,
        ):
            domain = await turning.leads_to(await turning.hosts(count=1), primary)
            turnaround = await turning.begun(dispatcher, client, domain)
            await handover.open_drain(domain.id, NOW, NOW + 60, 0, "login other")
            await handover.ask_stop(domain.id, TURN_ASKED_AGAIN)
            await dispatcher.look_for_drains()
            turnaround.abort("the client has gone")
            await until(lambda: len(primary.taken) == 1)
            await ended(dispatcher, [domain])

    asyncio.run(main())
