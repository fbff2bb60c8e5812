"""Callouts on the wire: the meaning of each answer, and how long it counts."""

import asyncio
from typing import Any

import pytest

from restante.delivery.callout import AT_ONCE, AWAY_SECONDS, NO_COUNTS_FOR
from restante.mail.address import split_mailbox
from restante.tenancy.recipients import Recipient, RecipientSource
from tests.delivery.scripted_primary import CLOSE, GARBAGE, SILENCE, Script, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.world import World

PATH = "anna@b.example"
NOBODY = "550 5.1.1 no such mailbox"


async def asked(
    world: World, script: Script, *paths: str, **destination: Any
) -> tuple[list[bool | None], ScriptedPrimary]:
    """Ask one after the other."""
    async with ScriptedPrimary(script) as primary, world.dispatcher() as dispatcher:
        domain = await world.host(primary.port, **destination)
        return [
            await dispatcher.ask_destination(domain, split_mailbox(path)) for path in paths
        ], primary


def test_it_asks_as_a_sender_would_and_sends_nothing() -> None:
    answers, primary = asyncio.run(asked(World(), {}, PATH))
    assert answers == [True]
    assert primary.commands == ["EHLO mx2.example.net", "MAIL FROM:<>", f"RCPT TO:<{PATH}>", "QUIT"]
    assert primary.taken == []


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ({"QUIT": CLOSE}, True),
        ({"RCPT": NOBODY}, False),
        ({"RCPT": "551 5.1.6 moved"}, False),
        ({"RCPT": "550 5.7.1 not from you"}, None),
        ({"RCPT": "550 no"}, None),
        ({"RCPT": "450 4.1.1 later"}, None),
        ({"MAIL": "550 5.1.1 nobody likes you"}, None),
        ({"GREETING": "421 busy"}, None),
        ({"EHLO": "250 mx2.example.net"}, None),
        ({"RCPT": CLOSE}, None),
        ({"RCPT": GARBAGE}, None),
    ],
)
def test_each_answer_has_its_meaning(script: Script, answer: bool | None) -> None:
    assert asyncio.run(asked(World(), script, PATH))[0] == [answer]


def test_an_unknown_recipient_is_not_asked_about_again_for_an_hour() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary({"RCPT": NOBODY}) as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            seen = []
            for pause in (0.0, NO_COUNTS_FOR - 1, 1.0):
                world.now += pause
                assert (
                    await dispatcher.ask_destination(domain, split_mailbox(PATH.upper())) is False
                )
                seen.append(primary.connections)
            assert seen == [1, 1, 2]

    asyncio.run(main())


def test_an_accepted_recipient_is_learned() -> None:
    world = World()
    learned: list[Recipient] = []

    async def learn(_domain_id: int, facts: Any) -> None:
        learned.extend(facts)

    world.learn = learn
    asyncio.run(asked(world, {"RCPT": ["250 ok", "450 later"]}, "Anna@b.example", "bert@b.example"))
    assert learned == [Recipient("anna", RecipientSource.CALL, is_there=True, at=world.now)]


def test_a_destination_that_is_away_is_asked_again_after_a_minute() -> None:
    async def main() -> None:
        world = World()
        async with (
            ScriptedPrimary({"GREETING": CLOSE}) as primary,
            world.dispatcher() as dispatcher,
        ):
            domain = await world.host(primary.port)
            seen = []
            for pause in (0.0, AWAY_SECONDS - 1, 1.0):
                world.now += pause
                assert await dispatcher.ask_destination(domain, split_mailbox(PATH)) is None
                seen.append(primary.connections)
            assert seen == [1, 1, 2]

    asyncio.run(main())


def test_nobody_waits_longer_than_a_few_seconds() -> None:
    async def main() -> float:
        began = asyncio.get_running_loop().time()
        answers, _ = await asked(World(), {"RCPT": SILENCE}, PATH)
        assert answers == [None]
        return asyncio.get_running_loop().time() - began

    assert 4.5 < run_swiftly(main()) < 10


def test_an_answer_does_not_wait_for_a_goodbye() -> None:
    answers, _ = run_swiftly(asked(World(), {"QUIT": SILENCE}, PATH))
    assert answers == [True]


def test_equal_questions_at_once_are_asked_once_and_not_too_many() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            domain = await world.host(primary.port)
            names = [f"user{number}@b.example" for number in range(AT_ONCE + 2)]
            answers = await asyncio.gather(
                *(
                    dispatcher.ask_destination(domain, split_mailbox(name))
                    for name in [*names, names[0]]
                )
            )
            assert answers == [*[True] * AT_ONCE, None, None, True]
            assert primary.connections == AT_ONCE

    asyncio.run(main())


def test_our_own_listener_is_not_asked() -> None:
    async def main() -> None:
        world = World()
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            world.own_addresses.append(("127.0.0.1", primary.port))
            assert (
                await dispatcher.ask_destination(
                    await world.host(primary.port), split_mailbox(PATH)
                )
                is None
            )
            assert primary.connections == 0

    asyncio.run(main())


@pytest.mark.parametrize("path", ["a\r\nRSET@b.example", "ünï@b.example"])
def test_a_path_that_no_command_can_carry_is_not_asked(path: str) -> None:
    answers, primary = asyncio.run(asked(World(), {}, path))
    assert (answers, primary.connections) == ([None], 0)
