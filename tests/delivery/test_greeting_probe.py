"""The look at a destination that reads its greeting only, on the wire."""

import asyncio

import pytest

from restante.telemetry.events import DeliveryAttempt
from tests.delivery.scripted_primary import CLOSE, GARBAGE, SILENCE, Script, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.world import World


async def greeted(world: World, script: Script) -> tuple[str, list[str]]:
    """The result for a primary with this script, and the commands that it got."""
    async with ScriptedPrimary(script) as primary, world.dispatcher() as dispatcher:
        domain = await world.host(primary.port)
        return await dispatcher.greet(domain.destination), primary.commands


def test_it_takes_leave_at_once_and_is_no_attempt() -> None:
    world = World()
    said, heard = asyncio.run(greeted(world, {}))
    assert said == ""
    assert heard == ["QUIT"]
    assert world.log.of(DeliveryAttempt) == []


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({"GREETING": "421 not now"}, "421 not now"),
        ({"GREETING": "554 go away"}, "554 go away"),
        ({"GREETING": CLOSE}, "closed"),
        ({"GREETING": GARBAGE}, ""),
        ({"GREETING": "250 hello"}, "250 hello"),
    ],
)
def test_a_greeting_other_than_220_means_away(script: Script, words: str) -> None:
    said, _ = asyncio.run(greeted(World(), script))
    assert said
    assert words in said


def test_a_greeting_of_several_lines_is_one() -> None:
    said, heard = asyncio.run(greeted(World(), {"GREETING": "220-one\r\n220 two"}))
    assert (said, heard) == ("", ["QUIT"])


@pytest.mark.parametrize("script", [{"QUIT": SILENCE}, {"QUIT": CLOSE}, {"QUIT": GARBAGE}])
def test_its_answer_to_our_leave_does_not_matter(script: Script) -> None:
    async def main() -> str:
        return (await greeted(World(), script))[0]

    assert run_swiftly(main()) == ""


def test_silence_is_waited_for_half_a_minute_only() -> None:
    async def main() -> tuple[str, float]:
        began = asyncio.get_running_loop().time()
        said, _ = await greeted(World(), {"GREETING": SILENCE})
        return said, asyncio.get_running_loop().time() - began

    said, seconds = run_swiftly(main())
    assert "timed out" in said
    assert 29 < seconds < 40


def test_where_nobody_listens_nobody_is_there() -> None:
    async def main() -> str:
        world = World()
        async with world.dispatcher() as dispatcher:
            async with ScriptedPrimary() as primary:
                port = primary.port
            return await dispatcher.greet((await world.host(port)).destination)

    assert "connect" in asyncio.run(main()).lower()


def test_our_own_listener_is_not_greeted() -> None:
    async def main() -> tuple[str, list[str]]:
        world = World()
        async with ScriptedPrimary() as primary, world.dispatcher() as dispatcher:
            world.own_addresses.append(("127.0.0.1", primary.port))
            domain = await world.host(primary.port)
            return await dispatcher.greet(domain.destination), primary.commands

    said, heard = asyncio.run(main())
    assert "this server itself" in said
    assert heard == []
