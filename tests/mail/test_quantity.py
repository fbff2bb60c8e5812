"""One is one; none, and more, are many."""

import pytest

from restante.mail.quantity import agreeing, counted, read_span, span_text


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 messages"), (1, "1 message"), (2, "2 messages"), (11, "11 messages")],
)
def test_a_thing_is_counted(number: int, said: str) -> None:
    assert counted(number, "message") == said


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 senders are"), (1, "1 sender is"), (2, "2 senders are")]
)
def test_a_verb_agrees_with_its_number(number: int, said: str) -> None:
    assert counted(number, "sender is", "senders are") == said


@pytest.mark.parametrize(("number", "said"), [(0.5, "days"), (1.0, "day"), (1.5, "days")])
def test_parts_of_a_thing_are_many(number: float, said: str) -> None:
    assert agreeing(number, "day", "days") == said


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2_592_000.0, "30d"), (90_000, "25h"), (5400.0, "90m"), (61, "61s"), (0, "0s")],
)
def test_a_span_has_the_largest_unit_that_divides_it(seconds: float, text: str) -> None:
    assert span_text(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"), [("90m", 5400), (" 2d ", 172_800), ("1w", 604_800), ("0s", 0)]
)
def test_a_span_is_read_as_options_take_it(text: str, seconds: int) -> None:
    assert read_span(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "d", "2 d", "-2d", "²d", "2y"])
def test_another_text_is_no_span(text: str) -> None:
    with pytest.raises(ValueError, match="is not an age"):
        read_span(text)
