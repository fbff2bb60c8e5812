"""Outcomes by the replies of the destination, and the end that they make."""

from restante.delivery.stop_rules import DEFERRED_LIMIT
from restante.telemetry.events import (
    DeliveryRefused,
)
from tests.delivery.drained import drained, numbers, still_held
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.world import World


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


def test_a_complaint_about_the_session_refuses_nothing() -> None:
    primary = ScriptedPrimary(script={"MAIL": "530 5.7.0 authenticate first"})
    world = World()
    world.set(patience=20.0)
    drained(30, primary, world)
    assert len(still_held(world)) == 30
    assert not world.log.of(DeliveryRefused)
