"""The keepers begin once a record waits for one, and not before."""

import asyncio
from dataclasses import dataclass, field

from restante.network.late_module import ProgramReplaced
from restante.server.keeper_watch import LOOK_SECONDS, KeeperWatch
from restante.store.store_errors import StoreError
from restante.telemetry.events import ProgramUpgraded, StoreFailed
from tests.log_lines import Lines


@dataclass
class Scene:
    """A watch whose pauses end at once, and the answers to its question."""

    answers: list[bool | Exception]
    is_built: bool = False
    is_replaced: bool = False
    begun: int = 0
    pauses: list[float] = field(default_factory=list)
    log: Lines = field(default_factory=Lines)

    async def parts(self) -> object:
        self.begun += 1
        if self.is_replaced:
            raise ProgramReplaced
        return self

    async def is_needed(self) -> bool:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def pause(self, _event: asyncio.Event, seconds: float) -> None:
        self.pauses.append(seconds)

    def run(self) -> None:
        asyncio.run(KeeperWatch(self, self.is_needed, self.log, self.pause).run())
        assert self.answers == []


def test_it_looks_each_minute_and_ends_when_they_have_begun() -> None:
    scene = Scene([False, False, True])
    scene.run()
    assert scene.begun == 1
    assert scene.pauses == [LOOK_SECONDS] * 2


def test_it_ends_without_a_look_where_somebody_has_used_the_api() -> None:
    scene = Scene([], is_built=True)
    scene.run()
    assert scene.begun == 0


def test_a_store_that_fails_is_asked_again() -> None:
    scene = Scene([StoreError("busy"), True])
    scene.run()
    assert scene.begun == 1
    assert [fields["doing"] for fields in scene.log.of(StoreFailed)] == ["begin-keepers"]


def test_after_an_upgrade_it_says_once_that_a_restart_is_needed() -> None:
    scene = Scene([False, True], is_replaced=True)
    scene.run()
    [event] = scene.log.of(ProgramUpgraded)
    assert event["reason"] == str(ProgramReplaced())
