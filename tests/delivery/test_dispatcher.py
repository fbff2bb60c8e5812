"""Requests for drains: started, joined, stopped, resumed; and one drain's defect is no other's."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from restante.delivery import domain_drain
from restante.delivery.cannot_start import CannotStart
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.dispatcher import Dispatcher, DrainStart
from restante.mail.address import split_mailbox
from restante.mail.message import HeldMessage
from restante.queue.drain_word import DrainState
from restante.queue.recipient_status import RecipientStatus
from restante.store.store_errors import LeaseLost, StoreError
from restante.telemetry.events import DrainFinished, DrainStarted, InternalError
from restante.tenancy.policy import HoldPolicy, Policy, Suspension
from tests.contract.making import opened
from tests.contract.store_parts import part_with
from tests.delivery.drained import numbers
from tests.delivery.scripted_primary import SILENCE, ScriptedPrimary
from tests.delivery.world import World, only_drain, until
from tests.log_lines import Lines
from tests.wire import NOW, audit


def states(dispatcher: Dispatcher) -> list[DrainState]:
    return [view.state for view in dispatcher.drains()]


async def forever() -> None:
    await asyncio.Event().wait()


def test_a_drain_is_on_record_before_it_is_confirmed_and_no_longer_when_it_is_over() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            await world.hold(domain, 3)
            assert await dispatcher.start(domain, "login alpha") is DrainStart.STARTED
            (recorded,) = world.store.handover.open_drains()
            assert recorded.deadline == NOW + world.settings.patience
            await until(lambda: not list(dispatcher.drains()))
            assert world.store.handover.open_drains() == []
        assert world.log.of(DrainStarted)[0]["requested_by"] == "login alpha"
        assert world.log.of(DrainStarted)[0]["held"] == 3

    asyncio.run(main())


def rubbish() -> list[object]:
    """Return objects of ours that only the collector would have freed."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        return [one for one in gc.garbage if type(one).__module__.startswith("restante.")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()


@pytest.mark.parametrize(
    "script",
    [
        {},
        {"GREETING": "421 not now"},
        {"RCPT TO:": "550 5.1.1 no such user"},
        None,  # nobody listens
    ],
)
def test_a_drain_that_is_over_leaves_nothing_for_the_collector(
    script: dict[str, Any] | None,
) -> None:
    """A look at all objects stops the event loop: it has to be seldom."""

    async def main() -> None:
        world = World()
        world.set(patience=0.0)
        async with ScriptedPrimary(script or {}) as primary, world.dispatcher() as dispatcher:
            domain = await world.host(9 if script is None else primary.port)
            await world.hold(domain, 3)
            await dispatcher.start(domain, "login alpha")
            drain = weakref.ref(dispatcher._drains[domain.id])
            gc.collect()
            gc.disable()
            try:
                await until(lambda: not list(dispatcher.drains()))
                await until(lambda: drain() is None)
                assert rubbish() == []
            finally:
                gc.enable()

    asyncio.run(main())


def test_how_a_drain_went_is_kept() -> None:
    async def main() -> None:
        world = World()
        world.set(patience=1.0)
        async with (
            ScriptedPrimary({"GREETING": "421 not now"}) as primary,
            world.dispatcher() as dispatcher,
        ):
            domain = await world.host(primary.port)
            await world.hold(domain, 3)
            await dispatcher.start(domain, "login alpha")
            await until(lambda: not list(dispatcher.drains()))
            past = (await world.store.handover.past_drains())[domain.id]
            assert (past.requested_by, past.end, past.delivered, past.last_error) == (
                "login alpha",
                "given-up",
                0,
                "421 not now",
            )
            assert past.reason.startswith("the time for attempts is over")
            primary.script.clear()
            await dispatcher.start(domain, "operator")
            await until(lambda: not list(dispatcher.drains()))
            past = (await world.store.handover.past_drains())[domain.id]
            assert (past.requested_by, past.end, past.delivered, past.last_error) == (
                "operator",
                "finished",
                3,
                "",
            )

    asyncio.run(main())


def test_a_destination_that_has_ever_taken_mail_is_kept_with_later_drains() -> None:
    """In a later process too. They deliver nothing, and uncertain messages are counted apart."""

    async def main() -> None:
        world = World()
        world.set(patience=0.0)
        async with ScriptedPrimary() as primary:
            domain = await world.host(primary.port)
            takers = []
            for greeting in ("421 not yet", "220 hello", "421 not now"):
                primary.script["GREETING"] = greeting
                await world.hold(domain)
                await world.drain(domain)
                past = (await world.store.handover.past_drains())[domain.id]
                takers.append(past.taker)
                world.takers = (past.taker,) if past.taker else ()
            assert takers == ["", domain.destination.text, domain.destination.text]

    asyncio.run(main())


def test_a_second_request_joins_and_makes_it_try_at_once_with_new_patience() -> None:
    """The customer says that they are back: no back-off stands between them and their mail."""

    async def main() -> None:
        world = World(settings=DeliverySettings(patience=100.0, first_retry=80.0))
        primary = ScriptedPrimary(script={"GREETING": ["421 not yet"] * 2})
        async with primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)

            async def ask_again() -> None:
                (view,) = dispatcher.drains()
                assert view.state is DrainState.WAITING_TO_RETRY
                assert view.next_attempt_at is not None
                assert view.last_error == "421 not yet"
                assert await dispatcher.start(domain, "test") is DrainStart.JOINED

            world.on_pause = ask_again
            await world.hold(domain, 3)
            await dispatcher.start(domain, "test")
            await until(lambda: not list(dispatcher.drains()))
        assert numbers(primary) == [1, 2, 3]
        assert world.now == NOW
        assert len(world.pauses) == 2

    asyncio.run(main())


def test_a_request_during_an_attempt_is_followed_by_a_new_round() -> None:
    """Mail that was refused and is released again has a number that the walk has passed."""

    async def main() -> None:
        world = World()
        primary = ScriptedPrimary(script={"CONTENT": ["554 a virus"]})
        async with primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port, connections=1)
            await world.hold(domain, 20)
            settle = world.store.handover.settle

            async def release_again(*arguments: Any) -> None:
                await settle(*arguments)
                if await world.store.queue.release_refused([1], audit()):
                    assert await dispatcher.start(domain, "test") is DrainStart.JOINED

            world.intercept("settle", release_again)
            await dispatcher.start(domain, "test")
            await until(lambda: not list(dispatcher.drains()))
        assert numbers(primary) == [*range(2, 21), 1]
        assert not world.pauses

    asyncio.run(main())


def test_requests_at_the_same_moment_make_one_drain() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            await world.hold(domain, 3)
            open_drain = world.store.handover.open_drain

            async def open_slowly(*arguments: Any, **named: Any) -> Any:
                await asyncio.sleep(0)
                return await open_drain(*arguments, **named)

            world.intercept("open_drain", open_slowly)
            starts = await asyncio.gather(*(dispatcher.start(domain, "test") for _ in range(10)))
            await until(lambda: not list(dispatcher.drains()))
        assert starts == [DrainStart.STARTED] + [DrainStart.JOINED] * 9
        assert sorted(numbers(primary)) == [1, 2, 3]

    asyncio.run(main())


def test_a_request_for_a_drain_that_is_ending_starts_another() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            finish_drain, starts = (
                world.store.handover.finish_drain,
                list[asyncio.Task[DrainStart]](),
            )

            async def finish_slowly(*arguments: Any) -> bool:
                is_end = await finish_drain(*arguments)
                if not starts:
                    await world.hold(domain, 1)
                    starts.append(asyncio.ensure_future(dispatcher.start(domain, "test")))
                    await asyncio.sleep(0)
                    await asyncio.sleep(0)
                return is_end

            world.intercept("finish_drain", finish_slowly)
            await dispatcher.start(domain, "test")
            await until(lambda: bool(starts) and starts[0].done() and not list(dispatcher.drains()))
            assert await starts[0] is DrainStart.STARTED
        assert numbers(primary) == [1]

    asyncio.run(main())


def finishing(world: World, before: Callable[[], Awaitable[None]], times: int = 1) -> list[bool]:
    """Have something happen before the store decides of an end, so often; return its answers."""
    finish_drain, answers = world.store.handover.finish_drain, list[bool]()

    async def finish(*arguments: Any) -> bool:
        if len(answers) < times:
            await before()
        answers.append(await finish_drain(*arguments))
        return answers[-1]

    world.intercept("finish_drain", finish)
    return answers


def test_mail_that_arrives_while_a_drain_ends_leaves_with_it() -> None:
    """Durable after the last read, before the end is on record: neither may miss it."""

    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary:
            domain = await world.host(primary.port)
            await world.hold(domain, 3)
            answers = finishing(world, lambda: world.hold(domain, 1), times=2)
            await world.drain(domain)
            assert world.store.handover.open_drains() == []
        assert answers == [False, False, True]
        assert sorted(numbers(primary)) == [1, 2, 3, 4, 5]
        assert world.pauses == []
        assert (world.end["end"], world.end["held"]) == ("finished", 0)

    asyncio.run(main())


def test_mail_behind_the_cursor_leaves_in_a_new_round() -> None:
    """Several nodes accept mail: the numbers do not become durable in their order."""

    async def main() -> None:
        world = World(held=4)
        async with ScriptedPrimary() as primary:
            domain = await world.host(primary.port)
            await world.hold(domain, 2)

            async def lag() -> None:
                world.held = 1
                await world.hold(domain, 2)

            assert finishing(world, lag) == []
            await world.drain(domain)
        assert numbers(primary) == [5, 6, 2, 3]
        assert world.end["held"] == 0

    asyncio.run(main())


def test_a_request_waits_for_the_decision_and_joins_the_drain_that_goes_on() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            starts = list[asyncio.Task[DrainStart]]()

            async def ask() -> None:
                await world.hold(domain, 1)
                starts.append(asyncio.ensure_future(dispatcher.start(domain, "test")))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                assert not starts[0].done()

            finishing(world, ask)
            await dispatcher.start(domain, "test")
            await until(lambda: bool(starts) and not list(dispatcher.drains()))
            assert await starts[0] is DrainStart.JOINED
        assert numbers(primary) == [1]

    asyncio.run(main())


def test_mail_that_is_counted_and_cannot_be_read_is_given_up_with_patience() -> None:
    """Without pauses such a drain would be a loop that never rests."""

    async def main() -> None:
        world = World()
        world.set(patience=3600.0)
        async with ScriptedPrimary() as primary:
            domain = await world.host(primary.port)
            await world.hold(domain, 1)

            async def nothing(*_: Any, **__: Any) -> list[HeldMessage]:
                return []

            world.intercept("held", nothing)
            await world.drain(domain)
            assert world.store.handover.open_drains() == []
        assert 3 < len(world.pauses) < 20
        assert sum(world.pauses) <= 3600.0
        assert world.end["end"] == "given-up"
        assert "cannot be read" in world.end["reason"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("error", "end", "records"),
    [
        (StoreError("disk full"), "finished", 1),
        (LeaseLost("taken over"), "given-up", 1),
    ],
)
def test_an_end_that_cannot_be_recorded_is_left_to_the_next_owner(
    error: StoreError, end: str, records: int
) -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary:
            domain = await world.host(primary.port)

            async def fail(*_: Any) -> bool:
                raise error

            world.intercept("finish_drain", fail)
            await world.drain(domain)
            assert len(world.store.handover.open_drains()) == records
        assert world.end["end"] == end

    asyncio.run(main())


def test_a_stop_while_the_end_is_decided_counts_if_the_drain_goes_on() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)

            async def stop() -> None:
                await world.hold(domain, 1)
                assert await dispatcher.stop(domain.id)

            assert finishing(world, stop) == []
            await dispatcher.start(domain, "test")
            await until(lambda: not list(dispatcher.drains()))
            assert world.store.handover.open_drains() == []
            assert await world.waiting(RecipientStatus.HELD) == [1]
        assert world.log.of(DrainFinished)[-1]["end"] == "stopped"

    asyncio.run(main())


def test_a_stop_while_the_end_is_decided_does_not_undo_the_end() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)

            async def stop() -> None:
                await dispatcher.stop(domain.id)

            finishing(world, stop)
            await dispatcher.start(domain, "test")
            await until(lambda: not list(dispatcher.drains()))
            assert (await world.store.handover.past_drains())[domain.id].end == "finished"
        assert world.log.of(DrainFinished)[-1]["end"] == "finished"

    asyncio.run(main())


def test_a_store_that_cannot_record_a_drain_starts_none() -> None:
    async def main() -> None:
        world = World()
        async with world.dispatcher() as dispatcher:
            domain = await world.host(1)

            async def fail(*_: Any, **_named: Any) -> Any:
                raise StoreError("disk full")

            world.intercept("open_drain", fail)
            with pytest.raises(StoreError):
                await dispatcher.start(domain, "test")
            assert list(dispatcher.drains()) == []

    asyncio.run(main())


def test_so_many_drains_at_once_and_the_others_visibly_wait_in_order() -> None:
    async def main() -> None:
        world = World(settings=DeliverySettings(drains_limit=2))
        primary = ScriptedPrimary(script={"GREETING": [SILENCE, SILENCE]})
        async with primary, world.dispatcher() as dispatcher:
            domains = [await world.host(primary.port, name=f"{name}.example") for name in "abcd"]
            for domain in domains:
                await world.hold(domain, 1)
                await dispatcher.start(domain, "test")
            await until(lambda: len(primary.open) == 2)
            assert states(dispatcher) == [DrainState.DELIVERING] * 2 + [DrainState.WAITING_TURN] * 2
            await dispatcher.stop(domains[3].id)  # one that waits
            await dispatcher.stop(domains[0].id)
            await until(lambda: len(list(dispatcher.drains())) == 1)
            assert len(world.store.handover.open_drains()) == 1
        assert numbers(primary) == [3]

    asyncio.run(main())


def test_a_drain_that_waits_to_retry_holds_nobody_up() -> None:
    async def main() -> None:
        world = World(settings=DeliverySettings(drains_limit=1))
        world.on_pause = forever
        primary = ScriptedPrimary(script={"GREETING": ["421 not now"]})
        async with primary, world.dispatcher() as dispatcher:
            for name in ("a.example", "b.example"):
                domain = await world.host(primary.port, name=name)
                await world.hold(domain, 1)
                await dispatcher.start(domain, "test")
            await until(lambda: len(primary.taken) == 1)
            await until(lambda: states(dispatcher) == [DrainState.WAITING_TO_RETRY])

    asyncio.run(main())


def test_stopping_one_drain_is_for_good_and_leaves_its_mail_held() -> None:
    async def main() -> None:
        world = World()
        world.on_pause = forever
        async with (
            ScriptedPrimary({"GREETING": "421 not now"}) as primary,
            world.dispatcher() as dispatcher,
        ):
            domain = await world.host(primary.port)
            await world.hold(domain, 2)
            await dispatcher.start(domain, "test")
            await until(lambda: states(dispatcher) == [DrainState.WAITING_TO_RETRY])
            await dispatcher.stop(domain.id)
            assert states(dispatcher) == [DrainState.STOPPING]
            await until(lambda: not list(dispatcher.drains()))
            await dispatcher.stop(domain.id)  # nothing happens
            assert world.store.handover.open_drains() == []
            assert await world.waiting(RecipientStatus.HELD) == [1, 2]
        assert world.log.of(DrainFinished)[0]["reason"] == "stopped on request"

    asyncio.run(main())


def test_a_changed_destination_ends_a_pause_and_a_change_of_other_things_does_not() -> None:
    async def main() -> None:
        world = World()
        async with (
            ScriptedPrimary({"GREETING": "421 not now"}) as old,
            world.dispatcher() as dispatcher,
        ):
            domain = await world.host(old.port)
            await world.hold(domain, 2)
            world.on_pause = forever
            await dispatcher.start(domain, "test")
            await until(lambda: states(dispatcher) == [DrainState.WAITING_TO_RETRY])
            await world.host(old.port, policy=Policy(ignores_tags=True))
            dispatcher.look_at_record(domain.id)
            drain = only_drain(dispatcher)
            assert not drain._woken.is_set()
            await world.host(1)
            dispatcher.look_at_record(domain.id)
            assert drain._woken.is_set()

    asyncio.run(main())


def test_a_change_of_the_destination_takes_a_running_drain_to_the_new_one() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary({"CONTENT": SILENCE}) as old, ScriptedPrimary() as new:
            async with world.dispatcher() as dispatcher:
                domain = await world.host(old.port)
                await world.hold(domain, 5)
                await dispatcher.start(domain, "test")
                await until(lambda: "DATA" in old.commands)
                await world.host(old.port, policy=Policy(ignores_tags=True))
                dispatcher.look_at_record(domain.id)
                assert states(dispatcher) == [DrainState.DELIVERING]
                await world.host(new.port)
                dispatcher.look_at_record(domain.id)
                await until(lambda: not list(dispatcher.drains()))
            assert sorted(numbers(new)) == [1, 2, 3, 4, 5]
            assert await world.waiting() == []
        assert len(world.log.of(DrainStarted)) == 1

    asyncio.run(main())


def test_mail_is_held_off_in_a_pause_and_not_while_it_may_be_on_its_way() -> None:
    async def main() -> None:
        world = World()
        begun = asyncio.Event()
        primary = ScriptedPrimary({"GREETING": ["421 not now"], "CONTENT": [SILENCE]})
        async with primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            async with dispatcher.held_off(domain.id) as is_held_off:
                assert is_held_off
                asking = asyncio.create_task(dispatcher.start(domain, "test"))
                await asyncio.sleep(0)
                assert not list(dispatcher.drains())
            await world.hold(domain, 2)

            async def pause() -> None:
                await begun.wait()

            world.on_pause = pause
            await asking
            await until(lambda: states(dispatcher) == [DrainState.WAITING_TO_RETRY])
            async with dispatcher.held_off(domain.id) as is_held_off:
                assert is_held_off
                begun.set()
                await until(lambda: states(dispatcher) == [DrainState.WAITING_TURN])
                await world.store.queue.delete([1], audit())
                assert primary.connections == 1
            await until(lambda: "DATA" in primary.commands)
            async with dispatcher.held_off(domain.id) as is_held_off:
                assert not is_held_off

    asyncio.run(main())


def test_at_sigterm_replies_outstanding_are_waited_for_and_settled() -> None:
    async def main() -> None:
        world = World(grace=60.0)
        primary = ScriptedPrimary(script={"CONTENT": ["250 OK"] * 3 + [SILENCE]})
        async with primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port, connections=1)
            await world.hold(domain, 10)
            await dispatcher.start(domain, "test")
            await until(lambda: any(session._is_silent for session in primary.open))
            stopping = asyncio.ensure_future(dispatcher.stop_all())
            await until(lambda: states(dispatcher) == [DrainState.STOPPING])
            (session,) = primary.open
            session._is_silent = False
            session._say("250 at last")
            session.transport.resume_reading()
            session.data_received(b"")
            await stopping
            assert states(dispatcher) == [DrainState.UNCLAIMED]
            with pytest.raises(CannotStart):
                await dispatcher.start(domain, "test")
            assert len(world.store.handover.open_drains()) == 1, "it goes on at the next start"
        held = await world.waiting(RecipientStatus.HELD)
        assert 4 not in held
        assert not set(numbers(primary)) & set(held)

    asyncio.run(main())


def test_at_sigterm_a_silent_destination_is_left_after_the_grace() -> None:
    async def main() -> None:
        world = World(grace=0.0)
        async with (
            ScriptedPrimary({"CONTENT": SILENCE}) as primary,
            world.dispatcher() as dispatcher,
        ):
            domain = await world.host(primary.port)
            await world.hold(domain, 3)
            await dispatcher.start(domain, "test")
            await until(lambda: any(session._is_silent for session in primary.open))
            await dispatcher.stop_all()
            assert await world.waiting(RecipientStatus.HELD) == [1, 2, 3]

    asyncio.run(main())


def test_a_recorded_drain_is_taken_up_at_the_next_start() -> None:
    """One attempt is made even if the deadline has passed while the server was down."""

    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary:
            domain = await world.host(primary.port)
            await world.hold(domain, 3)
            await opened(world.store, domain.id, NOW - 7200, NOW - 3600)
            async with world.dispatcher() as dispatcher:
                await dispatcher.look_for_drains()
                await until(lambda: not list(dispatcher.drains()))
            assert world.store.handover.open_drains() == []
        assert sorted(numbers(primary)) == [1, 2, 3]

    asyncio.run(main())


def test_the_requester_of_a_drain_is_known_after_a_restart() -> None:
    async def main() -> None:
        world = World(grace=0.0)
        async with ScriptedPrimary({"CONTENT": [SILENCE, "250 OK"]}) as primary:
            domain = await world.host(primary.port)
            await world.hold(domain)
            async with world.dispatcher() as dispatcher:
                await dispatcher.start(domain, "login alpha")
                await until(lambda: any(session._is_silent for session in primary.open))
                await dispatcher.stop_all()
            async with world.dispatcher() as dispatcher:
                await dispatcher.look_for_drains()
                await until(lambda: not list(dispatcher.drains()))
            past = (await world.store.handover.past_drains())[domain.id]
            assert (past.requested_by, past.end) == ("login alpha", "finished")

    asyncio.run(main())


def test_a_domain_suspended_meanwhile_is_not_taken_up_again() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary:
            domain = await world.host(
                primary.port, policy=Policy(suspension=Suspension("not paid"))
            )
            await world.hold(domain, 3)
            await opened(world.store, domain.id, NOW - 60, NOW + 3600)
            async with world.dispatcher() as dispatcher:
                await dispatcher.look_for_drains()
                assert list(dispatcher.drains()) == []
            assert world.store.handover.open_drains() == []
        assert await world.waiting(RecipientStatus.HELD) == [1, 2, 3]

    asyncio.run(main())


def test_a_defect_in_one_drain_is_logged_and_ends_that_drain_alone() -> None:
    async def main() -> None:
        world = World(log=Lines(takes_defects=True))
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            bad = await world.host(primary.port, name="bad.example")
            good = await world.host(primary.port, name="good.example")
            held = world.store.handover.held

            async def stumble(domain_id: int, *arguments: Any, **options: Any) -> Any:
                if domain_id == bad.id:
                    raise RuntimeError("a defect")
                return await held(domain_id, *arguments, **options)

            world.intercept("held", stumble)
            await world.hold(bad, 1)
            await world.hold(good, 1)
            await dispatcher.start(bad, "test")
            await dispatcher.start(good, "test")
            await until(lambda: not list(dispatcher.drains()))
            assert world.store.handover.open_drains() == []
        assert numbers(primary) == [2]
        (line,) = world.log.of(InternalError)
        assert line["domain"] == "bad.example"

    asyncio.run(main())


def test_a_defect_of_the_store_ends_the_drain_and_its_record() -> None:
    async def main() -> None:
        world = World(log=Lines(takes_defects=True))
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)

            async def stumble(*_: Any) -> None:
                raise RuntimeError("a defect")

            world.intercept("settle", stumble)
            await world.hold(domain, 5)
            await dispatcher.start(domain, "test")
            await until(lambda: not list(dispatcher.drains()))
            assert world.store.handover.open_drains() == []
            assert len(await world.waiting(RecipientStatus.HELD)) == 5
        assert world.log.of(DrainFinished)[0]["reason"] == "internal error"
        assert len(world.log.of(InternalError)) == 1

    asyncio.run(main())


def test_a_view_tells_what_a_drain_is_doing() -> None:
    async def main() -> None:
        world = World()
        primary = ScriptedPrimary(script={"CONTENT": ["250 OK", "554 no", "451 later", SILENCE]})
        async with primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port, connections=1)
            await world.hold(domain, 9)
            await dispatcher.start(domain, "test")
            await until(lambda: any(session._is_silent for session in primary.open))
            (view,) = dispatcher.drains()
            assert (view.domain, view.destination) == ("b.example", f"127.0.0.1:{primary.port}")
            assert (view.delivered, view.refused, view.deferred) == (1, 1, 1)
            assert (view.connections, view.state) == (1, DrainState.DELIVERING)
            assert view.started_at == NOW
            assert view.last_error == "451 later"

    asyncio.run(main())


def test_settings_can_be_replaced() -> None:
    async def main() -> None:
        world = World()
        async with world.dispatcher() as dispatcher:
            world.settings = DeliverySettings(patience=7.0)
            domain = await world.host(1)
            await dispatcher.start(domain, "test")
            assert (world.store.handover.open_drains())[0].deadline == NOW + 7

    asyncio.run(main())


@pytest.mark.parametrize("method", ["read_file", "prove_file", "held"])
def test_at_sigterm_a_read_of_our_own_disk_that_hangs_is_left_behind(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it hangs: in the middle of content, before content, or in a query of the store."""
    monkeypatch.setattr(domain_drain, "_ABORT_SECONDS", 0.0)
    hangs = asyncio.Event()

    async def hang(*_arguments: object, **_options: object) -> None:
        hangs.set()
        await asyncio.Event().wait()

    async def hang_in_the_middle(*_arguments: object) -> AsyncIterator[bytes]:
        yield b"half"
        await hang()

    async def main() -> None:
        world = World(grace=0.0)
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            await world.hold_large(domain, b"Received: x\r\n", b"content\r\n")
            kept = getattr(part_with(world.store, method), method)
            world.intercept(method, hang_in_the_middle if method == "read_file" else hang)
            await dispatcher.start(domain, "test")
            await asyncio.wait_for(hangs.wait(), 60)
            await asyncio.wait_for(dispatcher.stop_all(), 60)
            world.intercept(method, kept)
            assert await world.waiting(RecipientStatus.HELD) == [1]
            assert [lease.domain_id for lease in world.store.handover.open_drains()] == [domain.id]
        assert world.log.of(InternalError) == []

    asyncio.run(main())


@pytest.mark.parametrize("hold", [HoldPolicy.UNTIL_ASKED, HoldPolicy.RELAY])
def test_a_domain_without_a_destination_has_no_drain(hold: HoldPolicy) -> None:
    async def main() -> None:
        world = World()
        async with world.dispatcher() as dispatcher:
            domain = await world.host(25, host="", policy=Policy(hold=hold))
            await world.hold(domain, 1)
            assert domain.destination.text == "none"
            with pytest.raises(CannotStart, match="leaves by ATRN only"):
                await dispatcher.start(domain, "login alpha")
            assert world.store.handover.open_drains() == []
            assert world.names.asked == []
            assert await dispatcher.ask_destination(domain, split_mailbox("b@b.example")) is None

    asyncio.run(main())
