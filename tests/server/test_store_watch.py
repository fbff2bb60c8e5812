"""The server's acts when a store is away, and when one has failed."""

from restante.server.store_watch import StoreWatch
from restante.telemetry.events import ObjectsAway, ObjectsBack, ServerFailing, StoreAway, StoreBack
from tests.away_store import AwayStore
from tests.log_lines import Lines


class Scene:
    def __init__(self) -> None:
        self.store, self.log, self.now = AwayStore(), Lines(), 0.0
        self.failures: list[str] = []
        self.watch = StoreWatch(self.store.upkeep, self.log, lambda: self.now, self.failures.append)

    def look(self, absence: str) -> None:
        """Look, with the store away for this reason; a second passes."""
        self.store.absence = absence
        self.watch.look()
        self.now += 1.0


def test_an_absence_is_reported_when_it_begins_and_when_it_ends() -> None:
    scene = Scene()
    for absence in ("", "connection refused", "timeout", "connection refused", "", "", "timeout"):
        scene.look(absence)
    assert [line["reason"] for line in scene.log.of(StoreAway)] == ["connection refused", "timeout"]
    assert [line["seconds"] for line in scene.log.of(StoreBack)] == [3.0]
    assert scene.failures == [], "the process goes on"


def test_an_outage_of_the_object_store_is_reported_beside() -> None:
    class WithObjects:
        failure = absence = content_absence = ""

    scene, upkeep = Scene(), WithObjects()
    watch = StoreWatch(upkeep, scene.log, lambda: scene.now, scene.failures.append)  # type: ignore[arg-type]
    for scene.now, upkeep.content_absence in ((0.0, ""), (1.0, "slow"), (2.0, "gone"), (5.0, "")):
        watch.look()
    assert [line["reason"] for line in scene.log.of(ObjectsAway)] == ["slow"]
    assert [line["seconds"] for line in scene.log.of(ObjectsBack)] == [4.0]
    assert scene.log.of(StoreAway) == []


def test_a_failure_ends_the_server_once() -> None:
    class Failed:
        failure = "a sync failed: the store must be reopened"
        absence = content_absence = ""

    scene = Scene()
    watch = StoreWatch(Failed(), scene.log, lambda: 0.0, scene.failures.append)  # type: ignore[arg-type]
    watch.look()
    watch.look()
    assert scene.failures == ["a sync failed: the store must be reopened"]
    assert len(scene.log.of(ServerFailing)) == 1
