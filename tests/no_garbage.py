"""A garbage collector that does nothing, for servers inside of the process of the tests."""

from collections.abc import Sized


class NoGarbage:
    """In place of the module `gc`."""

    def collect(self) -> int:
        return 0

    def freeze(self) -> None:
        pass

    def unfreeze(self) -> None:
        pass

    def disable(self) -> None:
        pass

    def enable(self) -> None:
        pass

    def set_threshold(self, young: int, middle: int, old: int, /) -> None:
        pass

    def get_objects(self, *, generation: int) -> Sized:
        return range(generation)
