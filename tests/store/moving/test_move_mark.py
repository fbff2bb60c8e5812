"""A mark keeps servers away from a store, and says what to do."""

import pytest

from restante.store.moving.move_mark import MoveMark, MovePhase, check_mark, read_mark
from restante.store.store_errors import StoreMismatched

HERE, THERE = "sqlite:///var/lib/restante", "postgresql://restante@db1/restante"


def mark(phase: MovePhase) -> MoveMark:
    return MoveMark("id", phase, THERE, 1.5)


@pytest.mark.parametrize("phase", MovePhase)
def test_a_mark_is_read_back(phase: MovePhase) -> None:
    assert read_mark(mark(phase).as_text()) == mark(phase)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"move_id": "a"}', mark(MovePhase.LEFT).as_text()[:-9]]
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_mark(text)


def test_a_store_without_a_mark_or_with_all_of_another_is_used() -> None:
    check_mark(None, HERE)
    check_mark(mark(MovePhase.ARRIVED), HERE)


@pytest.mark.parametrize(
    ("phase", "texts"),
    [
        (
            MovePhase.ARRIVING,
            ("has not ended", f"`restante store move --from {THERE} --to {HERE}`"),
        ),
        (
            MovePhase.LEAVING,
            (
                f"is being moved to {THERE}",
                f"`restante store move --from {HERE} --to {THERE}`",
                f"`restante store move --undo --from {HERE}`",
            ),
        ),
        (
            MovePhase.LEFT,
            (
                f"was moved to {THERE}",
                "no server may use the other one",
                f"`restante store move --undo --from {HERE}`",
            ),
        ),
    ],
)
def test_others_are_refused_with_the_remedy(phase: MovePhase, texts: tuple[str, ...]) -> None:
    with pytest.raises(StoreMismatched) as refused:
        check_mark(mark(phase), HERE)
    for text in texts:
        assert text in str(refused.value)
