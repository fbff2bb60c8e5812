"""Messages whose connection ended before their outcome."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from restante.delivery.link_plan import ConnectionEnd, EndKind
from restante.delivery.lost_mail import is_suspect, may_be_the_line
from restante.mail.message import ContentFile
from restante.store.store_errors import StoreError
from restante.telemetry.events import (
    DeliveryAttempt,
)
from restante.tenancy.model import HostedDomain
from tests.delivery.drained import drained, numbers, play, still_held
from tests.delivery.scripted_primary import CLOSE, GARBAGE, ScriptedPrimary
from tests.delivery.world import World
from tests.smtp.client_talk import mail

ONE, OTHER = mail(1), mail(2)


async def unreadable(_file: ContentFile) -> AsyncIterator[bytes]:
    """A disk that gives a file back once, when it is proven, and not again."""
    yield b"half of it"
    raise StoreError("content file: I/O error")


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


def ended(kind: EndKind = EndKind.BROKEN, **facts: Any) -> ConnectionEnd:
    fields = {"was_ready": True, "outstanding": (ONE,), "suspect": ONE, **facts}
    return ConnectionEnd(kind, "", tls="", **fields)


@pytest.mark.parametrize(
    ("end", "others_wait", "expected"),
    [
        (ended(), True, True),
        (ended(), False, False),
        (ended(suspect=OTHER), True, False),
        (ended(EndKind.ABORTED), True, False),
        (ended(suspect=OTHER, delivered=1, was_closed=True), False, True),
    ],
    ids=[
        "its reply was due",
        "no other waits",
        "that of another",
        "by us",
        "after mail, lost often",
    ],
)
def test_a_message_that_may_have_broken_the_connection(
    end: ConnectionEnd, others_wait: bool, expected: bool
) -> None:
    assert is_suspect(ONE, end, others_wait=others_wait) is expected


@pytest.mark.parametrize(
    ("end", "doubts", "expected"),
    [
        (ended(was_closed=True), 0, True),
        (ended(was_closed=True), 1, False),
        (ended(was_closed=True, garbled="OK"), 0, False),
        (ended(was_silent=True), 0, False),
    ],
    ids=["closed", "closed again", "no reply", "silence"],
)
def test_a_loss_that_may_have_nothing_to_do_with_the_content(
    end: ConnectionEnd, doubts: int, expected: bool
) -> None:
    assert may_be_the_line(ONE._replace(doubts=doubts), end) is expected
