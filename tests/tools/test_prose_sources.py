import pytest

from tools.prose_sources import (
    Kind,
    Passage,
    is_prose,
    read_markdown,
    read_python,
    without_markup,
)


def markdown(text: str) -> list[Passage]:
    return list(read_markdown(text).passages)


def python(text: str) -> list[Passage]:
    return list(read_python(text).passages)


def test_a_paragraph_ends_at_an_empty_line() -> None:
    assert markdown("One\ntwo.\n\nThree.\n") == [Passage(1, "One\ntwo."), Passage(4, "Three.")]


def test_each_list_item_is_a_passage_with_its_further_lines() -> None:
    text = "Intro:\n- first\n  goes on\n- second\n1. third\n"
    assert markdown(text) == [
        Passage(1, "Intro:"),
        Passage(2, "first\ngoes on"),
        Passage(4, "second"),
        Passage(5, "third"),
    ]


@pytest.mark.parametrize("fence", ["```", "~~~"])
def test_fences_are_left_out_also_in_a_list(fence: str) -> None:
    text = (
        f"Before.\n\n{fence}sh\nWhat is run\n{fence}\n- item:\n\n"
        f"  {fence}toml\n"
        "  x = 1\n"
        f"  {fence}\n"
    )
    assert [passage.text for passage in markdown(text)] == ["Before.", "item:"]


def test_indented_code_is_left_out_but_a_second_paragraph_of_an_item_is_not() -> None:
    text = "Before.\n\n    code\n\n1. item\n\n    second paragraph\n"
    assert [passage.text for passage in markdown(text)] == ["Before.", "item", "second paragraph"]


def test_a_heading_ends_a_paragraph() -> None:
    assert markdown("Text\n## Heading\nMore\n") == [
        Passage(1, "Text"),
        Passage(2, "Heading", Kind.HEADING),
        Passage(3, "More"),
    ]


def test_each_cell_of_a_table_is_a_passage() -> None:
    text = "| a | b |\n|---|:-:|\n| one `x|y` | two \\| three |\n"
    assert [(passage.line, passage.text) for passage in markdown(text)] == [
        (1, "a"),
        (1, "b"),
        (3, "one code"),
        (3, "two \\| three"),
    ]


@pytest.mark.parametrize(
    ("line", "is_long"),
    [
        ("x " * 50, False),
        ("x " * 50 + "y", True),
        ("| " + "x " * 60 + "|", False),
        ("See https://example.org/" + "x" * 100, False),
        ("x " * 51 + "https://example.org/", True),
        ("```\n" + "x " * 60 + "\n```", False),
    ],
)
def test_lines_over_100_columns_are_too_long_outside_of_tables_and_fences(
    line: str, *, is_long: bool
) -> None:
    assert bool(read_markdown(line).long_lines) is is_long


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("run `restante queue list --json` now", "run code now"),
        ("run ``a `b` c`` now", "run code now"),
        ("a [link with words](https://example.org/a b)", "a link with words"),
        ("before <!-- prints: what is\nheld --> after", "before \n after"),
        ("a `span\nof code`", "a code\n"),
        ("**bold** text", "bold text"),
    ],
)
def test_markup_is_taken_off_and_line_breaks_stay(text: str, plain: str) -> None:
    assert without_markup(text) == plain


def test_docstrings_of_modules_classes_functions_and_attributes_are_prose() -> None:
    text = '''"""Module."""

class One:
    """Class.

    More
    of it.
    """

    x = 1
    """Attribute."""

    def two(self):
        """Function."""
'''
    assert [(passage.line, passage.text) for passage in python(text)] == [
        (1, "Module."),
        (4, "Class."),
        (6, "More\nof it."),
        (11, "Attribute."),
        (14, "Function."),
    ]


def test_comments_one_below_the_other_are_one_passage() -> None:
    text = "# One\n# two.\nx = 1  # Three\n# four\n"
    assert [(passage.line, passage.text) for passage in python(text)] == [
        (1, "One\ntwo."),
        (3, "Three"),
        (4, "four"),
    ]


def test_directives_are_no_comments() -> None:
    text = (
        "#!/usr/bin/python\nx = 1  # noqa: E501\ny = 1  # type: ignore[x]\nz = 1  # why  # noqa:"
        " X\n"
    )
    assert [passage.text for passage in python(text)] == ["why"]


def test_texts_are_prose_and_patterns_sql_and_keys_are_not() -> None:
    text = """
import re
a = "no configuration file was found"
b = f"the file {path} cannot be read"
c = re.compile("one two three four")
d = "SELECT one FROM two WHERE three"
e = "one-word"
f = ("in two " "pieces of text")
"""
    assert [(passage.line, passage.text, passage.kind) for passage in python(text)] == [
        (3, "no configuration file was found", Kind.LITERAL),
        (4, "the file value cannot be read", Kind.LITERAL),
        (8, "in two pieces of text", Kind.LITERAL),
    ]


def test_of_sql_the_comments_are_prose() -> None:
    text = """
SCRIPT = '''
-- Held mail, whose sender
-- is known.
CREATE TABLE message (
    number INTEGER,  -- it grows
    path TEXT DEFAULT ''
);
'''
query = f"{counted} INSERT INTO message (number, size) SELECT one, two FROM three"
"""
    assert [(passage.line, passage.text) for passage in python(text)] == [
        (3, "Held mail, whose sender\nis known."),
        (6, "it grows"),
    ]


@pytest.mark.parametrize(
    "text",
    ["mail from", "%(name)s", "a/b/c.txt", "DELETE FROM message WHERE id = :id", "WHERE a = b"],
)
def test_these_are_no_texts_for_people(text: str) -> None:
    assert not is_prose(text)


def test_long_lines_of_docstrings_and_comments_are_found_and_those_of_code_are_not() -> None:
    long = "x " * 55
    text = (
        f'"""{long}"""\n# {long}\nx = "{long}"\ny = 1  # {long}\nz = 1  # short  # noqa: {long}\n'
    )
    assert [line for line, _ in read_python(text).long_lines] == [1, 2, 4]
