"""A table fits its width and leaves nothing out."""

import textwrap

from hypothesis import given
from hypothesis import strategies as st

from restante.cli.table import ColumnHeading, lay_out, shorten
from restante.cli.text_width import width_of

HEADINGS = [
    ColumnHeading("DOMAIN"),
    ColumnHeading("MESSAGES", is_number=True),
    ColumnHeading("DESTINATION"),
    ColumnHeading("LAST ERROR", is_detail=True),
    ColumnHeading("AGE", is_number=True),
]
ROWS = [
    ["alpha.example", "12", "mail.alpha.example:25", "connection refused", "3m 05s"],
    ["b.example", "1", "[2001:db8::25]:2525", "", "9d 4h"],
]


def shown(width: int) -> str:
    return "\n".join(lay_out(HEADINGS, ROWS, width)) + "\n"


def test_a_table_that_fits_has_one_line_a_row() -> None:
    assert shown(80) == textwrap.dedent("""\
        DOMAIN         MESSAGES  DESTINATION            LAST ERROR             AGE
        alpha.example        12  mail.alpha.example:25  connection refused  3m 05s
        b.example             1  [2001:db8::25]:2525                         9d 4h
        """)


def test_details_move_below_their_row_first() -> None:
    assert shown(60) == textwrap.dedent("""\
        DOMAIN         MESSAGES  DESTINATION               AGE
        alpha.example        12  mail.alpha.example:25  3m 05s
            last error connection refused
        b.example             1  [2001:db8::25]:2525     9d 4h
        """)


def test_then_the_last_columns_move() -> None:
    assert shown(40) == textwrap.dedent("""\
        DOMAIN         MESSAGES
        alpha.example        12
            destination mail.alpha.example:25
            last error connection refused
            age 3m 05s
        b.example             1
            destination [2001:db8::25]:2525
            age 9d 4h
        """)


CELLS = st.text(
    st.characters(max_codepoint=127, categories=("L", "N"), include_characters="件名🚀"),
    max_size=300,
)


@given(st.lists(st.lists(CELLS, min_size=5, max_size=5), max_size=4), st.integers(40, 120))
def test_no_value_is_lost_and_no_line_is_too_long(rows: list[list[str]], width: int) -> None:
    lines = lay_out(HEADINGS, rows, width)
    assert all(width_of(line) <= width for line in lines)
    text = "".join("".join(lines).split())
    assert all(cell in text for row in rows for cell in row)


def test_a_long_first_value_has_a_line_of_its_own_and_widens_no_other_row() -> None:
    rows = [["a" * 41, "7", "x", "", ""], ["b.example", "1", "y", "", ""]]
    assert lay_out(HEADINGS, rows, 80) == [
        "DOMAIN     MESSAGES  DESTINATION  LAST ERROR  AGE",
        "a" * 41,
        "                  7  x",
        "b.example         1  y",
    ]


@given(st.text(max_size=300), st.integers(3, 90))
def test_a_shortened_text_fits_and_keeps_its_beginning(text: str, room: int) -> None:
    short = shorten(text, room)
    assert width_of(short) <= room
    assert short == text or short[0] in (text[0], "…")
    assert short == text or width_of(short) >= room - 2


def test_a_long_value_is_folded() -> None:
    rows = [["a.example", "1", "x", "550 5.7.1 " + "no " * 60, ""]]
    lines = lay_out(HEADINGS, rows, 50)
    assert max(map(len, lines)) <= 50
    assert "".join(lines).count("no") == 60
