"""The mark that a move leaves in both stores, so that no server begins on half of one. Pure."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from restante.store.store_errors import StoreMismatched


class MovePhase(StrEnum):
    """The part of a store in a move, and how far that is."""

    LEAVING = "leaving"  # the source of a move that has not ended
    LEFT = "left"  # the source of a move that has ended
    ARRIVING = "arriving"  # the target of a move that has not ended
    ARRIVED = "arrived"  # the target of a move that has ended: a store like any other


@dataclass(frozen=True, slots=True)
class MoveMark:
    """The mark of one store."""

    move_id: str  # the same in both stores
    phase: MovePhase
    other: str  # the URL of the other store
    at: float  # Unix time of the beginning

    @property
    def is_source(self) -> bool:
        """Whether mail is moved, or was moved, out of this store."""
        return self.phase in (MovePhase.LEAVING, MovePhase.LEFT)

    def as_text(self) -> str:
        """Write it as JSON."""
        return json.dumps(asdict(self))


def read_mark(text: str) -> MoveMark:
    """Read a mark. Raises ValueError."""
    try:
        found = json.loads(text)
        return MoveMark(
            str(found["move_id"]),
            MovePhase(found["phase"]),
            str(found["other"]),
            float(found["at"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no mark of a move: {error}") from None


def check_mark(mark: MoveMark | None, place: str) -> None:
    """Raise StoreMismatched if no server may use a store with this mark. `place` is its URL."""
    if mark is None or mark.phase is MovePhase.ARRIVED:
        return
    undo = f"`restante store move --undo --from {place}`"
    match mark.phase:
        case MovePhase.ARRIVING:
            text = (
                f"{place} is the target of a move that has not ended; run `restante store move"
                f" --from {mark.other} --to {place}` again"
            )
        case MovePhase.LEAVING:
            text = (
                f"{place} is being moved to {mark.other}; run `restante store move --from {place}"
                f" --to {mark.other}` again, or give the move up with {undo}"
            )
        case _:
            text = (
                f"{place} was moved to {mark.other}, which has its mail now; use that store. To use"
                f" this old copy instead, run {undo}: no server may use the other one then"
            )
    raise StoreMismatched(text)
