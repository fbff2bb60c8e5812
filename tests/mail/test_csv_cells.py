"""Cells of CSV are no formulas, and come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.csv_cells import marked, unmarked

TEXTS = st.text(alphabet="'=+-@\t\r\n\uff0bab ") | st.text()


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("https://x.example")', '\'=HYPERLINK("https://x.example")'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("\uff1d1", "'\uff1d1"),
        ("'=1", "''=1"),
        ("''=1", "'''=1"),
        ("'quoted'", "'quoted'"),
        ("a=1", "a=1"),
        ("", ""),
        (-1, -1),
        (None, None),
    ],
)
def test_a_cell_that_would_be_a_formula_is_marked(text: object, cell: object) -> None:
    assert marked(text) == cell


@given(TEXTS)
def test_no_marked_cell_is_a_formula_and_each_comes_back(text: str) -> None:
    assert not marked(text).startswith((*"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20",))
    assert unmarked(marked(text)) == text


@given(TEXTS)
def test_a_cell_of_a_person_is_read_as_it_is(text: str) -> None:
    if not text.startswith("'"):
        assert unmarked(text) == text
