"""Text in roff shows as it stands."""

import pytest

from tools.roff import described, escaped, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("--all", "\\-\\-all"),
        (".SH", "\\&.SH"),
        ("'x", "\\&'x"),
        ("a\\b", "a\\eb"),
        ("…", "\\[u2026]"),
    ],
)
def test_no_text_is_a_request_or_an_escape(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_an_argument_may_have_quotes() -> None:
    assert quoted('a "b"') == '"a \\(dqb\\(dq"'


def test_a_section_without_rows_is_left_out() -> None:
    assert [*described("OPTIONS", [])] == []
    assert [*described("OPTIONS", [("-x", "one\n  two")])] == [
        ".SH OPTIONS",
        ".TP",
        ".B \\-x",
        "one two",
    ]
