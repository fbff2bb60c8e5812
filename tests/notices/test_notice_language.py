"""Any text of strangers becomes one short line."""

import pytest
from hypothesis import given

from restante.notices.notice_language import KIND_MEANINGS, MAX_TEXT, clean
from restante.tenancy.notice import NoticeKind
from tests.notices.strangers import HOSTILE


@given(HOSTILE)
def test_whatever_comes_is_one_short_line_of_utf8(text: str) -> None:
    line = clean(text)
    assert line.encode("utf-8").decode() == line
    assert line.isprintable()
    assert len(line) <= MAX_TEXT


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain words", "plain words"),
        ("  two\nlines\t here ", "two\N{REPLACEMENT CHARACTER}lines\N{REPLACEMENT CHARACTER} here"),
        ("b\u00fccher", "b\u00fccher"),
        (42, "42"),
        ("x" * MAX_TEXT, "x" * MAX_TEXT),
        ("x" * (MAX_TEXT + 1), "x" * (MAX_TEXT - 1) + "\u2026"),
        (" " * 3 * MAX_TEXT + "late", ""),
    ],
    ids=["plain", "two lines", "not ASCII", "a number", "longest", "too long", "blanks"],
)
def test_a_text_is_shown_on_one_line(given: object, shown: str) -> None:
    assert clean(given) == shown


@given(HOSTILE)
def test_a_cleaned_text_stays_as_it_is(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize("kind", NoticeKind)
def test_each_kind_has_its_meaning_in_whole_sentences(kind: NoticeKind) -> None:
    assert KIND_MEANINGS[kind].endswith(".")
