"""The places of requests at the `web` listeners: how many are at work at once, in all and of one.

    kind      held while                                   in all   of one account or operator
    --------  -------------------------------------------  -------  --------------------------
    BODY      its body is read                             64       16
    WORK      it is at work, with its whole body            64       16; 32 of the portal
    LONG      it moves mail or follows events               24       8

A slow body takes a place of the first kind only. So it takes none from a request that is complete.
Bodies for the portal can be strangers', and take no place: their connections make room for others.
An operator counts by the name of its token.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Final

from restante.tenancy.principal import Principal

PORTAL: Final = "/portal"  # counts like an account; no account has this name


class NoPlace(Exception):  # noqa: N818
    """All places are taken."""


class PlaceKind(Enum):
    """The kinds of places."""

    BODY = auto()
    WORK = auto()
    LONG = auto()


IN_ALL: Final = {PlaceKind.BODY: 64, PlaceKind.WORK: 64, PlaceKind.LONG: 24}
OF_ONE: Final = {PlaceKind.BODY: 16, PlaceKind.WORK: 16, PlaceKind.LONG: 8}
OF_PORTAL: Final = 32  # at work


def place_owner(principal: Principal) -> str:
    """Return whose places the requests of a principal take."""
    return principal.account or f"operator {principal.name}"


class RequestPlaces:
    """Counts the places that are taken. Belongs to the event loop."""

    def __init__(self) -> None:
        self._taken: dict[PlaceKind, Counter[str]] = {kind: Counter() for kind in PlaceKind}

    @property
    def are_free(self) -> bool:
        """Whether nobody has a place."""
        return not any(taken.total() for taken in self._taken.values())

    @contextmanager
    def place(self, kind: PlaceKind, whose: str) -> Iterator[None]:
        """Hold a place for the time of the block. Raises NoPlace if there is none."""
        if kind is PlaceKind.BODY and whose == PORTAL:
            yield
            return
        taken = self._taken[kind]
        limit = OF_PORTAL if whose == PORTAL else OF_ONE[kind]
        if taken.total() >= IN_ALL[kind] or taken[whose] >= limit:
            raise NoPlace
        taken[whose] += 1
        try:
            yield
        finally:
            taken[whose] -= 1
            if not taken[whose]:
                del taken[whose]
