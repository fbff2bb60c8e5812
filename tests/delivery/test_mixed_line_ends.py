"""Destinations that end some replies with LF alone get their mail, and forge nothing with it."""

import pytest

from restante.delivery.reply_outcome import MOST_DOUBTS
from restante.queue.recipient_status import RecipientStatus
from restante.smtp.window_size import FEWEST_MESSAGES
from tests.delivery.scripted_primary import SILENCE, Script, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.test_ahead import drain_in_turn
from tests.delivery.world import World

OFFERS = [(), ("PIPELINING",), ("PIPELINING", "CHUNKING")]
FORGED = "250 you \n250 a\n354 b\n250 c\n221 d"


def drained(primary: ScriptedPrimary, count: int) -> World:
    world = World()
    world.set(patience=60.0)

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=2)
            await drain_in_turn(world, domain, lambda: world.hold(domain, count))

    run_swiftly(main())
    return world


def held(world: World) -> list[int]:
    return run_swiftly(world.waiting())


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize(
    "script",
    [
        {"MAIL": "250 ok\n"},
        {"RCPT": "250 ok\n"},
        {"DATA": "354 go\n"},
        {"CONTENT": "250 queued\n"},
        {"MAIL": "250-one\n250 two\n", "DATA": "354 go\n"},
        {"MAIL": "250 ok\n", "RCPT": "250 ok\n", "DATA": "354 go\n", "CONTENT": "250 queued\n"},
    ],
    ids=str,
)
def test_a_destination_that_mixes_line_ends_gets_each_message_once(
    script: Script, offer: tuple[str, ...]
) -> None:
    primary = ScriptedPrimary(script, offer=offer)
    world = drained(primary, 10)
    taken = sorted(int(taken.content) for taken in primary.taken)
    if "CHUNKING" in offer:  # a first window goes again
        assert len(taken) <= 10 + FEWEST_MESSAGES
        taken = sorted(set(taken))
    assert taken == list(range(1, 11))
    assert held(world) == []
    assert primary.connections <= 14
    assert sum(world.pauses) <= 20


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_reply_with_forged_replies_in_it_delivers_nothing(
    step: str, end: str, offer: tuple[str, ...]
) -> None:
    primary = ScriptedPrimary({step: FORGED + end, "CONTENT": "554 no"}, offer=offer)
    world = drained(primary, 3)
    assert held(world) == [1, 2, 3]
    assert primary.taken == []
    statuses = {status for number in (1, 2, 3) for _, status, _ in run_swiftly(world.words(number))}
    is_sent_by_chunks = step == "DATA" and "CHUNKING" in offer  # then it is refused truly
    assert is_sent_by_chunks or RecipientStatus.REFUSED not in statuses


def test_a_destination_that_does_not_close_behind_quit_gets_few_copies() -> None:
    """The audit has no end then, so the message is in doubt."""
    primary = ScriptedPrimary({"MAIL": "250 ok\n", "QUIT": SILENCE}, offer=())
    world = drained(primary, 1)
    assert len(primary.taken) == MOST_DOUBTS
    [(_, status, reply)] = run_swiftly(world.words(1))
    assert status is RecipientStatus.UNCERTAIN
    assert "LF alone" in reply
