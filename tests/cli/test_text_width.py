import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.cli.text_width import beginning, ending, folded, padded, width_of

TEXTS = st.text(st.characters(categories=("L", "M", "N", "So"), include_characters=" 件名🚀"))


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("abc", 3), ("件名", 4), ("🚀", 2), ("e\u0301", 1), ("ｶﾅ", 2), ("ß→", 2)],
)
def test_a_text_takes_the_columns_of_its_characters(text: str, columns: int) -> None:
    assert width_of(text) == columns


def test_a_text_is_padded_to_columns() -> None:
    assert padded("件", 4) == "件  "
    assert padded("件", 4, is_right=True) == "  件"


def test_no_wide_character_is_halved() -> None:
    assert beginning("件名", 3) == "件"
    assert ending("件名", 3) == "名"


def test_a_combining_character_stays_with_its_base() -> None:
    assert beginning("e\u0301x", 1) == "e\u0301"
    assert ending("xe\u0301", 1) == "e\u0301"


@given(TEXTS, st.integers(12, 90))
def test_folded_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = list(folded(text, width, "- ", "    "))
    assert all(width_of(line) <= width for line in lines)
    assert "".join(text.split()) == "".join("".join(line[2:].split()) for line in lines)


def test_gaps_inside_a_line_stay() -> None:
    assert list(folded("a  b  c", 5, "", "  ")) == ["a  b", "  c"]
