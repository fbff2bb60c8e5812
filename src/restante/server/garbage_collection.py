"""When the garbage collector looks at all objects: everything on the event loop waits meanwhile.

Reference counts free nearly everything here. The collector is needed only for objects in reference
cycles. It still looks at new objects by itself, which is short. A look at all objects takes up to
half a microsecond for each, and thousands of drains have half a million. So Python does not choose
the moment, but this, once a minute, by the number of objects:

    objects            look at all of them
    -----------------  ---------------------------------------------------------------------------
    up to FEW          now, which takes less than 50 ms
    more               later: many drains or sessions are under way, and will end
    more than MANY     now, however long it takes: garbage would fill the memory

The objects of the start are frozen: no look includes them. A look at more than MANY includes them,
and freezes what is left, because it has shown to be long-lived.
"""

from collections.abc import Iterator, Sized
from contextlib import contextmanager
from enum import Enum, auto
from typing import Final, Protocol

LOOK_SECONDS: Final = 60.0
FEW: Final = 60_000  # objects; measured: 0.25 to 0.5 microseconds for each
MANY: Final = 1_200_000  # ten thousand running drains have 800,000
_OLDEST: Final = 2  # generation
_NEVER: Final = 1_000_000_000  # looks at the middle generation
THRESHOLDS: Final = (1_000, 10, _NEVER)


class CollectionScope(Enum):
    """The objects to look at."""

    NONE = auto()
    ALL = auto()
    ALL_AND_FROZEN = auto()


class GarbageCollector(Protocol):
    """The part of the module `gc` that is needed."""

    def collect(self) -> int:
        """Look at all objects that are not frozen."""

    def freeze(self) -> None:
        """Exempt all present objects from looks."""

    def unfreeze(self) -> None:
        """Include them again."""

    def disable(self) -> None:
        """Look at nothing by itself."""

    def enable(self) -> None:
        """Look by itself again. `restante serve` begins without."""

    def set_threshold(self, young: int, middle: int, old: int, /) -> None:
        """Choose how seldom it looks by itself."""

    def get_objects(self, *, generation: int) -> Sized:
        """Return the objects of a generation that are not frozen."""


def look_for(objects: int) -> CollectionScope:
    """Decide by the number of objects that are not frozen. Pure."""
    if objects > MANY:
        return CollectionScope.ALL_AND_FROZEN
    return CollectionScope.ALL if objects <= FEW else CollectionScope.NONE


class GarbageCollection:
    """Decides for the whole process."""

    def __init__(self, collector: GarbageCollector) -> None:
        self._collector = collector

    def begin(self) -> None:
        """Freeze the objects of the start, and let Python look at new ones only.

        It does not look at them first, which would take a fifth of the start.
        """
        self._collector.freeze()
        self._collector.set_threshold(*THRESHOLDS)
        self._collector.enable()

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Look at nothing during a block, and freeze what it has loaded, without a look at it."""
        self._collector.disable()
        try:
            yield
        finally:
            self._collector.freeze()
            self._collector.enable()

    async def take_round(self) -> float:
        """Look, if the number of objects says so; return the seconds until the next round."""
        match look_for(len(self._collector.get_objects(generation=_OLDEST))):
            case CollectionScope.ALL:
                self._collector.collect()
            case CollectionScope.ALL_AND_FROZEN:
                self._collector.unfreeze()
                self._collector.collect()
                self._collector.freeze()
            case CollectionScope.NONE:
                pass
        return LOOK_SECONDS
