"""One attempt of a drain: how it uses connections, ends, and hands messages on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from restante.delivery.drain_attempt import UNSETTLED_PER_CONNECTION
from restante.delivery.drain_experience import DrainExperience
from restante.delivery.stop_rules import DEFERRED_LIMIT
from restante.mail.message import ContentFile
from restante.store.store_errors import StoreError
from restante.telemetry.events import (
    AttemptEnded,
    DeliveryAttempt,
    DeliveryRefused,
)
from restante.tenancy.model import HostedDomain
from tests.delivery.drained import drained, numbers, play, still_held
from tests.delivery.scripted_primary import CLOSE, GARBAGE, ScriptedPrimary
from tests.delivery.world import World, until


async def unreadable(_file: ContentFile) -> AsyncIterator[bytes]:
    """A disk that gives a file back once, when it is proven, and not again."""
    yield b"half of it"
    raise StoreError("content file: I/O error")


class OneMessageEach(ScriptedPrimary):
    """Ends each connection after a message, by 421 or without a reply, or on the next MAIL."""

    ending = "421 4.7.0 one message is enough"
    is_at_mail = False
    lost = 0

    def answer(self, command: str) -> str:
        if command == "GREETING":
            self.lost = len(self.taken)
        taken = len(self.taken) - self.lost
        if command.startswith("MAIL") and self.is_at_mail and taken:
            self.lost = len(self.taken)
            return self.ending
        return super().answer(command)

    def taken_by(self, session: Any) -> None:
        if not self.is_at_mail and self.ending == CLOSE:
            session.transport.close()
        elif not self.is_at_mail:
            session.transport.write(self.ending.encode() + b"\r\n")
            session.transport.close()


class OneAtATime(ScriptedPrimary):
    """Greets one connection, and says 421 to any other meanwhile."""

    def answer(self, command: str) -> str:
        if command == "GREETING" and len(self.open) > 1:
            return "421 one at a time"
        return super().answer(command)


def test_connections_begin_with_one_and_are_never_more_than_allowed() -> None:
    primary = ScriptedPrimary(script={"CONTENT": ["451 not yet"]})
    drained(200, primary, connections=4)
    assert primary.most_open == 4
    lonely = ScriptedPrimary()
    drained(1, lonely, connections=4)
    assert lonely.connections == 1


def test_content_that_cannot_be_read_never_gets_an_end_mark() -> None:
    primary = ScriptedPrimary()

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold_large(domain, b"Received: x\r\n", b"lost\r\n")
        await world.hold(domain, 3)
        world.intercept("read_file", unreadable)
        world.set(patience=0)
        await world.drain(domain)
        assert (await world.words(1))[0][2].startswith("held content cannot be read")

    world = World()
    play(world, primary, scene, connections=1)
    assert sorted(numbers(primary)) == [2, 3, 4]
    assert still_held(world) == [1]


def test_ten_deferred_messages_in_a_row_stop_an_attempt_and_do_not_block_the_rest() -> None:
    primary = ScriptedPrimary(script={"CONTENT": ["451 busy"] * DEFERRED_LIMIT})
    world = drained(100, primary, connections=1)
    assert numbers(primary)[:3] == [11, 12, 13]
    assert sorted(numbers(primary)) == list(range(1, 101))
    assert len(world.pauses) == 2  # after the ten, and before they are tried again


def test_only_deferrals_in_a_row_stop_an_attempt() -> None:
    primary = ScriptedPrimary(script={"CONTENT": ["451 busy", "250 OK"] * 2 * DEFERRED_LIMIT})
    world = drained(4 * DEFERRED_LIMIT, primary, connections=1)
    assert len(world.pauses) == 1
    assert sorted(numbers(primary)) == list(range(1, 4 * DEFERRED_LIMIT + 1))


def test_a_deferred_message_is_tried_again_after_the_others() -> None:
    primary = ScriptedPrimary(script={"CONTENT": ["451 busy"]})
    world = drained(5, primary, connections=1)
    assert numbers(primary) == [2, 3, 4, 5, 1]
    assert len(world.pauses) == 1


def test_421_after_mail_was_taken_is_followed_by_another_connection_at_once() -> None:
    primary = ScriptedPrimary(script={"MAIL": ["250 OK", "250 OK", "421 4.3.2 too fast"]})
    world = drained(5, primary, connections=1)
    assert numbers(primary) == [1, 2, 3, 4, 5]
    assert not world.pauses
    assert world.log.of(DeliveryAttempt)[0]["end"] == "busy"


def test_421_where_the_connection_took_no_mail_puts_the_message_behind_the_others() -> None:
    primary = ScriptedPrimary(
        script={"MAIL": ["250 OK", "250 OK", "421 4.3.2 too fast", "421 4.3.2 too fast"]}
    )
    world = drained(5, primary, connections=1)
    assert numbers(primary) == [1, 2, 4, 5, 3]
    assert len(world.pauses) == 1


# With many connections the script does not know which of them took the message.
@pytest.mark.parametrize(("connections", "is_at_mail"), [(1, False), (1, True), (20, False)])
@pytest.mark.parametrize("ending", ["421 4.7.0 one message is enough", CLOSE])
@pytest.mark.parametrize("offer", [("PIPELINING",), ("8BITMIME",), ("PIPELINING", "CHUNKING")])
def test_a_primary_that_ends_each_connection_after_a_message_gets_the_next_at_once(
    offer: tuple[str, ...], ending: str, connections: int, is_at_mail: bool
) -> None:
    primary = OneMessageEach(offer=offer)
    primary.ending, primary.is_at_mail = ending, is_at_mail
    world = drained(100, primary, connections=connections)
    assert set(numbers(primary)) == set(range(1, 101))
    assert (
        len(numbers(primary)) <= 104
    )  # the windows with which it was found out may make a copy each
    assert len(world.pauses) <= 2
    assert not still_held(world)
    assert primary.connections <= 110


def test_a_greeting_that_refuses_us_leaves_all_mail_held() -> None:
    world = World()
    world.set(patience=0)
    drained(3, ScriptedPrimary(script={"GREETING": "554 5.7.1 who are you?"}), world)
    assert still_held(world) == [1, 2, 3]
    assert "greeting: 554 5.7.1 who are you?" in world.end["reason"]


def test_a_complaint_about_the_session_refuses_nothing() -> None:
    primary = ScriptedPrimary(script={"MAIL": "530 5.7.0 authenticate first"})
    world = World()
    world.set(patience=20.0)
    drained(30, primary, world)
    assert len(still_held(world)) == 30
    assert not world.log.of(DeliveryRefused)


def test_a_destination_that_bears_one_connection_is_not_asked_for_more_all_the_time() -> None:
    primary = OneAtATime()
    world = drained(2000, primary, connections=4)
    assert sorted(numbers(primary)) == list(range(1, 2001))
    renewed = 2000 // world.settings.messages_per_connection
    assert primary.connections <= 4 + renewed + 2000 // 500
    assert not world.pauses


def test_a_destination_that_refuses_more_connections_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = list[int]()
    monkeypatch.setattr(DrainExperience, "was_crowded", lambda *facts: left.append(facts[-1]))
    drained(200, OneAtATime(), connections=4)
    assert left[-1] == 1


@pytest.mark.parametrize("breach", [CLOSE, GARBAGE, "250 OK\r\n250 OK"])
def test_a_connection_that_breaks_gives_its_messages_to_the_others(breach: str) -> None:
    primary = ScriptedPrimary(script={"MAIL": [*["250 OK"] * 40, breach]})
    world = drained(200, primary, connections=4)
    assert sorted(numbers(primary)) == list(range(1, 201))
    assert not still_held(world)


def test_a_message_that_breaks_every_connection_does_not_block_the_rest() -> None:
    primary = ScriptedPrimary(script={"RCPT TO:<poison@": CLOSE})

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold(domain, 2)
        await world.hold(domain, 1, "poison@b.example")
        await world.hold(domain, 20)
        world.set(patience=30.0)
        await world.drain(domain)

    for connections in (1, 4):
        world = World()
        play(world, primary, scene, connections=connections)
        assert still_held(world) == [3]


def test_a_close_after_content_doubles_that_message_and_loses_none() -> None:
    primary = ScriptedPrimary(script={"CONTENT": ["250 OK", "250 OK", CLOSE]})
    world = drained(5, primary, connections=1)
    assert numbers(primary) == [1, 2, 3, 4, 5]  # the third was not taken the first time
    assert not still_held(world)


def test_no_more_is_sent_than_can_be_doubled_while_the_store_is_slow() -> None:
    primary = ScriptedPrimary()

    async def scene(world: World, primary: ScriptedPrimary, domain: HostedDomain) -> None:
        settle, may_go_on = world.store.handover.settle, asyncio.Event()

        async def settle_slowly(*arguments: Any) -> None:
            await may_go_on.wait()
            await settle(*arguments)

        world.intercept("settle", settle_slowly)
        await world.hold(domain, 300)
        draining = asyncio.ensure_future(world.drain(domain))
        await until(lambda: len(primary.taken) >= UNSETTLED_PER_CONNECTION)
        for _ in range(200):
            await asyncio.sleep(0)
        most = len(primary.taken)
        may_go_on.set()
        await draining
        assert most <= UNSETTLED_PER_CONNECTION + 1

    play(World(), primary, scene, connections=1)
    assert sorted(numbers(primary)) == list(range(1, 301))


def test_an_attempt_that_cannot_read_held_mail_says_so_in_the_log_and_as_last_error() -> None:
    """No connection was made, so that no line of one tells it."""
    errors: list[str] = []

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        async def fail(*_arguments: object, **_options: object) -> None:
            raise StoreError("reading: database disk image is malformed")

        await world.hold(domain, 1)
        world.intercept("held", fail)
        world.set(patience=0)
        async with world.dispatcher() as dispatcher:
            await dispatcher.start(domain, "test")
            while list(dispatcher.drains()):
                errors.append(next(dispatcher.drains()).last_error)
                await asyncio.sleep(0)

    world = World()
    play(world, ScriptedPrimary(), scene)
    [line] = world.log.of(AttemptEnded)
    assert (line["end"], line["tried"]) == ("stopped", 0)
    assert "malformed" in line["reason"]
    assert "malformed" in errors[-1]


def test_an_attempt_that_came_to_its_end_has_no_error() -> None:
    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold(domain, 2)
        await world.drain(domain)

    world = World()
    play(world, ScriptedPrimary(), scene)
    assert [line["end"] for line in world.log.of(AttemptEnded)] == ["complete"]
