"""How many connections an attempt opens."""

import pytest

from restante.delivery.drain_experience import DrainExperience
from tests.delivery.drained import drained, numbers
from tests.delivery.scripted_primary import ScriptedPrimary


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
