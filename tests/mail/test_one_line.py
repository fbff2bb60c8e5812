"""Nothing in a text begins another line, or turns it round."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.one_line import one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode", "plain ünïcode"),
        ("a\r\nb\tc\0", r"a\r\nb\tc\x00"),
        ("a\u2028b", r"a\u2028b"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\ud800", r"\ud800"),
        ("", ""),
    ],
)
def test_what_cannot_be_shown_is_escaped(text: str, shown: str) -> None:
    assert one_line(text) == shown


@given(st.text(st.characters(exclude_categories=[])))
def test_it_is_printable_text_that_utf_8_can_express(text: str) -> None:
    assert one_line(text).isprintable()
    assert one_line(text).encode().decode() == one_line(text)
