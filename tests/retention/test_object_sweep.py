"""Content that left goes often, stray content hourly and after a grace; not during an outage."""

import asyncio
from dataclasses import dataclass, field

import pytest

from restante.background.rounds import Rounds
from restante.retention.object_sweep import LEFT_SECONDS, STRAY_SECONDS, ObjectSweep
from restante.store.memory import MemoryStore
from restante.store.store_errors import ContentUnreachable
from restante.telemetry.events import ObjectsRemoved, StoreFailed
from restante.telemetry.work_word import WorkWord
from tests.log_lines import Lines


@dataclass
class Upkeep:
    """The part of a store that is used here."""

    content_absence: str = ""
    failure: str = ""
    stray: int = 0
    calls: list[object] = field(default_factory=list)

    async def remove_left_content(self) -> int:
        self.calls.append("left")
        if self.failure:
            raise ContentUnreachable(self.failure)
        return 3

    async def remove_stray_content(self, grace: float) -> int:
        self.calls.append(grace)
        return self.stray


class Scene:
    """A sweep with a clock of its own, and a grace of two hours."""

    def __init__(self, hours: int | None = 2) -> None:
        self.upkeep, self.log, self.now = Upkeep(), Lines(), 1e9
        self.sweep = ObjectSweep(
            self.upkeep,  # type: ignore[arg-type]
            MemoryStore().duties,
            Rounds(self.log, WorkWord.SWEEP_OBJECTS),
            lambda: self.now,
            orphan_hours=lambda: hours,
            log=self.log,
        )

    def after(self, seconds: float) -> list[object]:
        """Sweep so much later; return the calls."""
        self.now += seconds
        self.upkeep.calls.clear()
        assert asyncio.run(self.sweep.sweep()) == LEFT_SECONDS
        return list(self.upkeep.calls)


def test_content_that_left_goes_each_time_and_stray_content_hourly() -> None:
    scene = Scene()
    assert scene.after(0) == ["left", 7200.0]
    assert scene.after(LEFT_SECONDS) == ["left"]
    assert scene.after(STRAY_SECONDS) == ["left", 7200.0]
    assert scene.log.of(ObjectsRemoved) == []


def test_stray_content_is_reported() -> None:
    scene = Scene()
    scene.upkeep.stray = 5
    scene.after(0)
    assert [line["count"] for line in scene.log.of(ObjectsRemoved)] == [5]


def test_a_store_without_objects_is_left_alone() -> None:
    scene = Scene(hours=None)
    assert asyncio.run(scene.sweep.sweep()) == STRAY_SECONDS
    assert scene.upkeep.calls == []


def test_nothing_is_tried_during_an_outage() -> None:
    scene = Scene()
    scene.upkeep.content_absence = "no answer in time"
    assert scene.after(0) == []
    scene.upkeep.content_absence = ""
    assert scene.after(LEFT_SECONDS) == ["left", 7200.0]


def test_content_that_cannot_be_deleted_keeps_no_stray_content() -> None:
    scene = Scene()
    scene.upkeep.failure = "one stays"
    with pytest.raises(ContentUnreachable, match="one stays"):
        scene.after(0)
    assert scene.upkeep.calls == ["left", 7200.0]


async def _one_round(scene: Scene) -> None:
    running = asyncio.create_task(scene.sweep.run())
    async with asyncio.timeout(60):
        while not scene.log.of(StoreFailed):  # noqa: ASYNC110  it is published, and not awaited
            await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_a_failure_ends_one_round_and_is_logged() -> None:
    scene = Scene()
    scene.upkeep.failure = "no answer in time"
    asyncio.run(_one_round(scene))
    [line] = scene.log.of(StoreFailed)
    assert line["doing"] == "sweep-objects"
