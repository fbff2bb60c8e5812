"""One attempt of a drain: how it uses connections, and ends."""

from typing import Any

import pytest

from restante.telemetry.events import (
    AttemptEnded,
)
from restante.tenancy.model import HostedDomain
from tests.delivery.drained import drained, numbers, play, still_held
from tests.delivery.scripted_primary import CLOSE, ScriptedPrimary
from tests.delivery.world import World


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


def test_an_attempt_that_came_to_its_end_has_no_error() -> None:
    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold(domain, 2)
        await world.drain(domain)

    world = World()
    play(world, ScriptedPrimary(), scene)
    assert [line["end"] for line in world.log.of(AttemptEnded)] == ["complete"]
