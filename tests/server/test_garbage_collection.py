"""The garbage collector looks at all objects when that is short, or when they are very many."""

import asyncio
from collections.abc import Sequence, Sized

import pytest

from restante.server.garbage_collection import (
    FEW,
    LOOK_SECONDS,
    MANY,
    THRESHOLDS,
    CollectionScope,
    GarbageCollection,
    look_for,
)


@pytest.mark.parametrize(
    ("objects", "look"),
    [
        (0, CollectionScope.ALL),
        (FEW, CollectionScope.ALL),
        (FEW + 1, CollectionScope.NONE),
        (MANY, CollectionScope.NONE),
        (MANY + 1, CollectionScope.ALL_AND_FROZEN),
    ],
)
def test_the_number_of_objects_decides(objects: int, look: CollectionScope) -> None:
    assert look_for(objects) is look


class Recorded:
    """A collector that finds these numbers of objects, one after the other."""

    def __init__(self, objects: Sequence[int] = ()) -> None:
        self._objects = iter(objects)
        self.acts: list[str] = []

    def collect(self) -> int:
        self.acts.append("collect")
        return 0

    def freeze(self) -> None:
        self.acts.append("freeze")

    def unfreeze(self) -> None:
        self.acts.append("unfreeze")

    def disable(self) -> None:
        self.acts.append("disable")

    def enable(self) -> None:
        self.acts.append("enable")

    def set_threshold(self, young: int, middle: int, old: int, /) -> None:
        self.acts.append(f"set {(young, middle, old)}")

    def get_objects(self, *, generation: int) -> Sized:
        assert generation == 2
        return range(next(self._objects))


def test_objects_of_the_start_are_frozen_and_python_chooses_no_moment_itself() -> None:
    collector = Recorded()
    GarbageCollection(collector).begin()
    assert collector.acts == ["freeze", f"set {THRESHOLDS}", "enable"]


def test_objects_that_are_loaded_later_are_frozen_without_a_look_at_them() -> None:
    collector = Recorded()
    with GarbageCollection(collector).keeping():
        collector.acts.append("load")
    assert collector.acts == ["disable", "load", "freeze", "enable"]


def test_it_looks_once_a_minute_and_waits_while_there_are_many_objects() -> None:
    collector = Recorded([FEW + 1, FEW, MANY + 1])
    collection = GarbageCollection(collector)

    async def rounds() -> None:
        for _ in range(3):
            assert await collection.take_round() == LOOK_SECONDS
            collector.acts.append("pause")

    asyncio.run(rounds())
    assert collector.acts == [
        *["pause"],
        *["collect", "pause"],
        *["unfreeze", "collect", "freeze", "pause"],
    ]
