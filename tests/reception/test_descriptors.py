"""How many sessions there are descriptors for, and what the door makes of it."""

import resource
import sys

import pytest

from restante.reception.descriptors import MOST_KEPT_BACK, sessions_possible, sessions_within
from restante.reception.doorkeeper import DoorLimits, door_limits
from restante.reception.settings import ReceptionSettings


@pytest.mark.parametrize(("limit", "sessions"), [(0, 1), (3, 1), (256, 96), (1024, 384), (65536, 31744)])
def test_two_descriptors_for_each_session_and_some_kept_back(limit: int, sessions: int) -> None:
    assert sessions_within(limit) == sessions
    assert 2 * sessions_within(limit) <= max(2, limit - min(limit // 4, MOST_KEPT_BACK))


def test_no_limit_is_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert sessions_possible() > sys.maxsize // 4


def test_the_door_opens_as_far_as_both_allow() -> None:
    """And the share of authorized hosts stays, however few sessions there may be."""
    settings = ReceptionSettings(connections_limit=1000, unauthenticated_limit=800, connections_per_block_limit=20)
    assert door_limits(settings, 5000) == DoorLimits(1000, 800, 20, 600)
    assert door_limits(settings, 100) == DoorLimits(100, 90, 20, 600)
    assert door_limits(ReceptionSettings(connections_limit=300), 5000) == DoorLimits(300, 270, 200, 600)
    assert door_limits(settings, 1) == DoorLimits(1, 1, 20, 600)
