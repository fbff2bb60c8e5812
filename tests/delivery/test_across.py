"""Destinations that cannot take commands behind content: all mail arrives once, and soon."""

import asyncio

import pytest

from tests.delivery.scripted_primary import CLOSE, DROPS, REFUSES, SILENCE, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.test_ahead import drain_in_turn, drained, manners, numbers, still_held
from tests.delivery.world import World


@pytest.mark.parametrize("behind", [DROPS, REFUSES, CLOSE])
@pytest.mark.parametrize("connections", [1, 20])
def test_all_arrives_once_and_without_a_pause(behind: str, connections: int) -> None:
    primary = ScriptedPrimary(behind_content=behind)
    world = drained(primary, 60, connections=connections)
    assert sorted(numbers(primary)) == list(range(1, 61))
    assert not still_held(world)
    assert not world.pauses


@pytest.mark.parametrize("behind", [DROPS, REFUSES, CLOSE])
def test_it_costs_seconds_once_and_is_known_to_the_next_drain(behind: str) -> None:
    primary, world, seconds = ScriptedPrimary(behind_content=behind), World(), []

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=1)

            async def hold() -> None:
                seconds.append(asyncio.get_running_loop().time())
                await world.hold(domain, 20)

            await drain_in_turn(world, domain, hold, hold)
            seconds.append(asyncio.get_running_loop().time())

    run_swiftly(main())
    assert numbers(primary) == list(range(1, 41))
    assert seconds[1] - seconds[0] < 10
    assert seconds[2] - seconds[1] < 1
    assert manners(world)[1:] == [("data", "quit")] * (1 if behind == REFUSES else 2)


def test_a_flight_that_breaks_the_first_transaction_is_sent_one_command_at_a_time() -> None:
    """PIPELINING is offered, but commands after MAIL in one flight get no reply."""
    primary = ScriptedPrimary({"RCPT": [SILENCE]})
    world = drained(primary, 1)
    assert numbers(primary) == [1]
    assert manners(world) == [("data", "broken"), ("data", "quit")]
    assert not world.pauses


def test_without_running_ahead_nothing_follows_content() -> None:
    primary = ScriptedPrimary(behind_content=CLOSE)
    world = drained(primary, 20, run_ahead=False)
    assert numbers(primary) == list(range(1, 21))
    assert manners(world) == [("data", "quit")]


def test_a_silence_in_a_later_opening_gives_the_message_back_and_waits_from_then_on() -> None:
    """It passed the trial, then another server answers. Its content was not sent, so no copy."""
    primary = ScriptedPrimary({"MAIL": [*["250 OK"] * 10, SILENCE]})
    world = drained(primary, 30)
    assert numbers(primary) == list(range(1, 31))
    assert not world.pauses
    assert not still_held(world)
