"""Final replies that are odd, cut off or missing: one message never keeps the others waiting."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from restante.delivery.connection_losses import LOSSES_LIMIT
from restante.delivery.connection_opener import IDLE_SECONDS
from restante.delivery.drain_attempt import SILENCE_SECONDS
from restante.delivery.reply_outcome import MOST_DOUBTS
from restante.queue.recipient_status import RecipientStatus
from restante.store.queue_store import QueueFilter
from restante.telemetry.events import DeliveryUncertain, DrainFinished, MessageDelivered
from restante.tenancy.model import HostedDomain
from tests.delivery.scripted_primary import CLOSE, GARBAGE, SILENCE, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.test_ahead import CHUNKING, drain_in_turn
from tests.delivery.world import World
from tests.wire import audit

POISON = "poison@b.example"
OTHERS = 5
PLAIN = ("8BITMIME",)
PIPELINING = ("PIPELINING",)
offers = pytest.mark.parametrize("offer", [PLAIN, PIPELINING], ids=["plain", "pipelining"])
UNREADABLE = (GARBAGE, "OK", "250-one\r\n550 two", "354 go ahead", "2500 OK", "250-one\ntwo")


@dataclass
class Poisoned(ScriptedPrimary):
    """Gives one recipient's message a final reply of its own; it keeps count of the copies."""

    final: str = "250 2.0.0 queued"
    copies: int = 0
    last_rcpt: str = ""

    def answer(self, command: str) -> str:
        if command.startswith("RCPT"):
            self.last_rcpt = command
        if command == "CONTENT" and POISON in self.last_rcpt:
            self.copies += 1
            return self.final
        return super().answer(command)


def drained(
    primary: Poisoned, *steps: Callable[[World, HostedDomain], Awaitable[None]], **settings: Any
) -> World:
    """Hold one poisoned message and others behind it, and drain."""
    world = World()
    world.set(**settings)

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=1)

            async def hold() -> None:
                await world.hold(domain, 1, POISON)
                await world.hold(domain, OTHERS)

            async def step(act: Callable[[World, HostedDomain], Awaitable[None]]) -> None:
                await act(world, domain)

            await drain_in_turn(world, domain, hold, *(lambda act=act: step(act) for act in steps))

    run_swiftly(main())
    return world


def standing(world: World) -> list[tuple[RecipientStatus, str]]:
    listed = asyncio.run(world.store.queue.list_queue(QueueFilter()))
    return [(one.status, one.reply) for message in listed for one in message.recipients]


def taken(primary: Poisoned) -> list[int]:
    return [int(one.content) for one in primary.taken if one.forward_paths != (POISON,)]


@offers
@pytest.mark.parametrize(
    "final",
    [
        "250ok",
        "250\t2.0.0 queued",
        "\r\n250 queued",
        "250-one\r\n251 two",
        "250-one\r\ntwo\r\n250 three",
        "250 " + "x" * 10_000,
        "250-x\r\n" * 2_000 + "250 x",
        "250 " + "x" * 300_000,
        "250-x\r\n" * 40_000 + "250 x",
        "250 you said\n250 queued",
    ],
)
def test_a_final_reply_whose_code_can_be_read_counts(offer: tuple[str, ...], final: str) -> None:
    primary = Poisoned(offer=offer, final=final)
    world = drained(primary)
    assert (primary.copies, standing(world), sorted(taken(primary))) == (1, [], [2, 3, 4, 5, 6])
    assert world.pauses == []
    assert all(len(line["reply"]) < 1100 for line in world.log.of(MessageDelivered))


@offers
@pytest.mark.parametrize("final", UNREADABLE)
def test_a_message_without_a_readable_final_reply_goes_behind_the_others(
    offer: tuple[str, ...], final: str
) -> None:
    primary = Poisoned(offer=offer, final=final)
    world = drained(primary, patience=0.0)
    assert sorted(taken(primary)) == [2, 3, 4, 5, 6]
    assert primary.copies == 1
    [(status, reply)] = standing(world)
    assert status is RecipientStatus.HELD
    assert "the final reply cannot be read" in reply


@offers
@pytest.mark.parametrize("final", UNREADABLE)
def test_the_third_time_it_is_set_apart_as_uncertain(offer: tuple[str, ...], final: str) -> None:
    primary = Poisoned(offer=offer, final=final)
    world = drained(primary)
    assert primary.copies == MOST_DOUBTS
    [(status, reply)] = standing(world)
    assert status is RecipientStatus.UNCERTAIN
    assert "the destination may have taken the message" in reply
    [event] = world.log.of(DeliveryUncertain)
    assert (event["forward_path"], event["reply"]) == (POISON, reply)
    assert world.log.of(DrainFinished)[-1]["end"] == "finished"


def test_the_text_is_kept_as_far_as_it_came() -> None:
    world = drained(Poisoned(offer=PLAIN, final="OK, queued as 123"))
    assert standing(world)[0][1].endswith("no SMTP reply: 'OK, queued as 123'")


def test_attempts_are_counted_across_drains_and_releases() -> None:
    primary = Poisoned(offer=PIPELINING, final=GARBAGE)

    async def again(_world: World, _domain: HostedDomain) -> None:
        pass

    async def release(world: World, _domain: HostedDomain) -> None:
        assert await world.waiting(RecipientStatus.UNCERTAIN) == [1]
        await world.store.queue.release_refused([1], audit())
        primary.final = "250 queued"

    world = drained(primary, again, again, release, patience=0.0)
    assert primary.copies == MOST_DOUBTS + 1
    assert standing(world) == []


def test_refused_mail_that_is_bounced_does_not_take_uncertain_mail_along() -> None:
    primary = Poisoned(offer=PIPELINING, final=GARBAGE)

    async def nothing(_world: World, _domain: HostedDomain) -> None:
        pass

    world = World(bounces_refused=True)

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=1)
            await drain_in_turn(world, domain, lambda: world.hold(domain, 1, POISON))
        assert await world.reports() == []

    run_swiftly(main())
    assert [status for status, _ in standing(world)] == [RecipientStatus.UNCERTAIN]


@offers
@pytest.mark.parametrize(("final", "copies"), [(SILENCE, 1), (CLOSE, 2)], ids=["silence", "close"])
def test_a_message_whose_final_reply_is_missing_keeps_nobody_waiting(
    offer: tuple[str, ...], final: str, copies: int
) -> None:
    """The line may cause a close: then the message goes again, before the others."""
    primary = Poisoned(offer=offer, final=final)
    world = drained(primary, patience=0.0)
    assert sorted(taken(primary)) == [2, 3, 4, 5, 6]
    assert primary.copies == copies
    assert [status for status, _ in standing(world)] == [RecipientStatus.HELD]


@pytest.mark.parametrize("final", [CLOSE, SILENCE])
def test_a_missing_final_reply_counts_where_the_destination_takes_other_mail(final: str) -> None:
    """Otherwise a destination that takes the message, and says nothing, gets copies without end."""
    primary = Poisoned(offer=PIPELINING, final=final)
    world = drained(primary)
    assert primary.copies <= 2 * MOST_DOUBTS
    assert [status for status, _ in standing(world)] == [RecipientStatus.UNCERTAIN]


def test_a_destination_that_takes_nothing_makes_no_mail_uncertain() -> None:
    primary = ScriptedPrimary({"CONTENT": CLOSE}, offer=PIPELINING)
    world = World()

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=1)
            await drain_in_turn(world, domain, lambda: world.hold(domain, 3))

    run_swiftly(main())
    assert [status for status, _ in standing(world)] == [RecipientStatus.HELD] * 3


@pytest.mark.parametrize("connections", [1, 2, 4])
def test_a_message_whose_final_reply_is_awaited_keeps_nobody_waiting(connections: int) -> None:
    """Another connection takes the mail behind it: one that waits does no work."""
    taken_at: list[float] = []
    open_then: list[int] = []

    class Clocked(Poisoned):
        def taken_by(self, session: object) -> None:
            taken_at.append(asyncio.get_running_loop().time())
            open_then.append(len(self.open))

    primary = Clocked(offer=PIPELINING, final=SILENCE)
    world = World()

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=connections)

            async def hold() -> None:
                await world.hold(domain, 1, POISON)
                await world.hold(domain, OTHERS)
                taken_at.append(asyncio.get_running_loop().time())

            await drain_in_turn(world, domain, hold)

    run_swiftly(main())
    start, *others = taken_at
    longest = 2 * SILENCE_SECONDS + (IDLE_SECONDS if connections == 1 else 0)
    assert [at - start < longest for at in others] == [True] * OTHERS
    assert max(open_then) <= connections + 1  # one waits


class Dying(Poisoned):
    """Begins its final reply and hangs up."""

    def answer(self, command: str) -> str:
        reply = super().answer(command)
        if not reply.startswith("DIES "):
            return reply
        for session in list(self.open):
            session.transport.write(reply.removeprefix("DIES ").encode())
            session.transport.close()
        return ""


@pytest.mark.parametrize("begun", ["250 que", "250-one\r\n", "250-one\r\n250 tw", "250 ok\r"])
def test_a_final_reply_that_is_cut_off_behind_its_code_counts(begun: str) -> None:
    primary = Dying(offer=PIPELINING, final=f"DIES {begun}")
    world = drained(primary)
    assert (primary.copies, standing(world)) == (1, [])


def test_a_cut_reply_counts_also_if_commands_behind_the_content_wait_for_theirs() -> None:
    """RSET stands behind the second content. Replies come in order: the octets are of the first."""
    primary = Dying(offer=PIPELINING, final="DIES 250 2.0.0 O")
    world = World()

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=1)

            async def hold() -> None:
                await world.hold(domain, 1)
                await world.hold(domain, 1, POISON)

            await drain_in_turn(world, domain, hold)

    run_swiftly(main())
    assert (primary.copies, standing(world)) == (1, [])


@pytest.mark.parametrize("begun", ["2", "250", "250-one\r\n550 t"])
def test_a_final_reply_that_is_cut_off_before_that_is_none(begun: str) -> None:
    primary = Dying(offer=PIPELINING, final=f"DIES {begun}")
    world = drained(primary)
    assert primary.copies == MOST_DOUBTS
    [(status, reply)] = standing(world)
    assert status is RecipientStatus.UNCERTAIN
    assert begun[-1] in reply


@pytest.mark.parametrize("begun", ["250-one", "250 one"])
def test_the_end_of_a_final_reply_with_a_code_is_not_awaited_for_long(begun: str) -> None:
    class Drawling(Poisoned):
        def answer(self, command: str) -> str:
            reply = super().answer(command)
            if reply != "DRAWLS":
                return reply
            for session in list(self.open):
                session.transport.write(begun.encode())
            return SILENCE

    primary = Drawling(offer=PIPELINING, final="DRAWLS")
    world = drained(primary)
    assert (primary.copies, standing(world)) == (1, [])


def test_a_destination_that_loses_every_connection_over_content_is_left_alone() -> None:
    primary = ScriptedPrimary({"CONTENT": CLOSE}, offer=PIPELINING)
    world = World()
    world.set(patience=0.0)

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=1)
            await drain_in_turn(world, domain, lambda: world.hold(domain, 50))

    run_swiftly(main())
    assert primary.connections == LOSSES_LIMIT + 1
    assert len(asyncio.run(world.waiting(RecipientStatus.HELD))) == 50


def test_a_destination_that_never_says_anything_readable_has_not_everything_three_times() -> None:
    primary = ScriptedPrimary({"CONTENT": GARBAGE}, offer=PIPELINING)
    world = World()

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=1)
            await drain_in_turn(world, domain, lambda: world.hold(domain, 200))

    run_swiftly(main())
    assert len(asyncio.run(world.waiting(RecipientStatus.UNCERTAIN))) <= 20
    assert len(asyncio.run(world.waiting())) == 200


def test_after_an_unreadable_reply_nothing_runs_ahead() -> None:
    primary = Poisoned(offer=CHUNKING, final=GARBAGE)
    world = drained(primary)
    assert sorted(set(taken(primary))) == [2, 3, 4, 5, 6]
    assert (
        primary.copies == MOST_DOUBTS + 1
    )  # in a window it is not known which message the reply was for
    assert [status for status, _ in standing(world)] == [RecipientStatus.UNCERTAIN]
