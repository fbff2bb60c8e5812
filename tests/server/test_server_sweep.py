"""The sweep reports connections turned away, failed accepts, and room on the disk."""

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from restante.reception.disk_space import DiskSpace
from restante.reception.listener import SWEEP_SECONDS
from restante.server import server_sweep
from restante.server.built_parts import ReceptionParts
from restante.server.server_sweep import ServerSweep
from restante.server.store_watch import StoreWatch
from restante.server.task_spawner import CallbackDefects
from restante.telemetry.events import (
    AcceptsFailed,
    ConnectionsShed,
    InternalError,
    RoomBack,
    RoomShort,
)
from tests.delivery.swift_loop import run_swiftly_for
from tests.log_lines import Lines


class Scene:
    """The parts that are looked at, and the acts in their order."""

    def __init__(self) -> None:
        self.log, self.acts, self.free, self.sessions = Lines(), list[str](), 100, 7
        self.shed, self.has_accept_failed = Counter[str](), False
        reception = SimpleNamespace(
            disk_space=DiskSpace(lambda: self.free, reserve=10),
            door=self,
            listeners=SimpleNamespace(sweep=lambda: self.acts.append("listeners")),
        )
        self.sweep = ServerSweep(
            cast("ReceptionParts", reception),
            cast("StoreWatch", SimpleNamespace(look=lambda: self.acts.append("store"))),
            defects=cast("CallbackDefects", self),
            log=self.log,
            fence=lambda: self.acts.append("fence"),
        )

    def take_shed(self) -> Counter[str]:
        shed, self.shed = self.shed, Counter()
        return shed

    def take_accept_failed(self) -> bool:
        has_failed, self.has_accept_failed = self.has_accept_failed, False
        return has_failed

    def run(self, rounds: int = 1) -> Lines:
        """Run so many rounds."""
        run_swiftly_for((rounds - 0.5) * SWEEP_SECONDS, self.sweep.run())
        return self.log


def test_each_round_looks_at_everything() -> None:
    scene = Scene()
    assert scene.run(3).lines == []
    assert scene.acts == ["fence", "listeners", "store"] * 3


def test_a_defect_ends_only_its_round_and_drains_are_still_fenced() -> None:
    scene = Scene()
    scene.log.takes_defects = True
    scene.shed = cast("Counter[str]", None)  # once
    assert [line["doing"] for line in scene.run(3).of(InternalError)] == ["sweep"]
    assert scene.acts == ["fence", "listeners", *(["fence", "listeners", "store"] * 2)]


def test_connections_turned_away_are_one_line_for_each_reason_and_told_once() -> None:
    scene = Scene()
    scene.shed = Counter({"sessions": 3, "unauthenticated-sessions": 1})
    assert scene.run(2).of(ConnectionsShed) == [
        {"count": 3, "cause": "sessions", "sessions": 7},
        {"count": 1, "cause": "unauthenticated-sessions", "sessions": 7},
    ]


@pytest.mark.parametrize("is_uvloop", [True, False])
def test_accepts_that_failed_are_told_whatever_the_loop(
    is_uvloop: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvloop reports none, so the sweep tries for a descriptor itself."""
    scene = Scene()
    if is_uvloop:
        monkeypatch.setattr(server_sweep, "is_exhausted", lambda: True)
    else:
        scene.has_accept_failed = True
    assert scene.run().of(AcceptsFailed) == [{"sessions": 7}]


def test_room_is_told_when_it_becomes_short_and_when_it_is_back() -> None:
    scene = Scene()
    told: list[tuple[Any, ...]] = []
    for scene.free in (100, 5, 4, 100, 100):
        scene.log.lines.clear()
        scene.sweep.look_for_room()
        told.append(tuple((kind, fields["free_octets"]) for kind, fields in scene.log.lines))
    assert told == [(), ((RoomShort, 5),), (), ((RoomBack, 100),), ()]
