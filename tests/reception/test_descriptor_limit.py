"""The number of sessions that the descriptors allow, and its effect on the listeners."""

import errno
import os
import resource
import sys

import pytest

from restante.reception.descriptor_limit import (
    HTTP_SERVICES,
    MOST_KEPT_BACK,
    http_connections_possible,
    http_connections_within,
    is_exhausted,
    is_want_of_descriptors,
    sessions_possible,
    sessions_within,
)
from restante.reception.doorkeeper import DoorLimits, door_limits
from restante.reception.reception_settings import ReceptionSettings


@pytest.mark.parametrize(
    ("limit", "sessions"), [(0, 1), (3, 1), (256, 96), (1024, 384), (65536, 31744)]
)
def test_two_descriptors_for_each_session_and_some_kept_back(limit: int, sessions: int) -> None:
    assert sessions_within(limit) == sessions
    assert 2 * sessions_within(limit) <= max(2, limit - min(limit // 4, MOST_KEPT_BACK))


@pytest.mark.parametrize(
    ("limit", "connections"), [(0, 1), (256, 5), (1024, 21), (4096, 85), (8192, 128), (65536, 128)]
)
def test_http_takes_at_most_half_of_what_is_kept_back(limit: int, connections: int) -> None:
    """Three services, and of each as many again that were accepted and are not closed yet."""
    assert http_connections_within(limit) == connections
    assert 2 * HTTP_SERVICES * connections <= max(6, min(limit // 4, MOST_KEPT_BACK) // 2)


@pytest.mark.parametrize(
    ("number", "is_want"), [(errno.EMFILE, True), (errno.ENFILE, True), (errno.EACCES, False)]
)
def test_want_of_descriptors_is_seen(
    monkeypatch: pytest.MonkeyPatch, number: int, is_want: bool
) -> None:
    def fail(*_: object) -> int:
        raise OSError(number, "no")

    assert not is_exhausted()
    monkeypatch.setattr(os, "open", fail)
    assert is_exhausted() is is_want
    assert is_want_of_descriptors(OSError(number, "no")) is is_want


def test_no_limit_is_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )
    assert sessions_possible() > sys.maxsize // 4
    assert http_connections_possible() == 128


def test_the_door_opens_as_far_as_both_allow() -> None:
    """The share of authorized hosts stays, however few sessions there may be.

    One address block takes a small part of the few sessions that the system allows.
    """
    settings = ReceptionSettings(
        connections_limit=1000, unauthenticated_limit=800, connections_per_block_limit=20
    )
    assert door_limits(settings, 5000) == DoorLimits(1000, 800, 20, 600)
    assert door_limits(settings, 100) == DoorLimits(100, 90, 20, 600)
    assert door_limits(ReceptionSettings(connections_limit=300), 5000) == DoorLimits(
        300, 270, 200, 600
    )
    assert door_limits(settings, 1) == DoorLimits(1, 1, 1, 600)
    assert door_limits(ReceptionSettings(), 384) == DoorLimits(384, 346, 86, 600)
