"""The words of drills."""

from restante.readiness.drill_word import DrillAsk, DrillStep


def test_words_are_stable_and_have_a_text() -> None:
    assert list(DrillStep) == ["check", "enter", "hold", "hand-over"]
    assert DrillStep.HAND_OVER.text == "handed over"
    assert list(DrillAsk) == ["operator", "primary"]
