import pytest

from tools.prose_rules import check, count_sentences, count_words, sentences
from tools.prose_sources import read_markdown, read_python


def rules(text: str) -> list[str]:
    return [finding.rule for finding in check(read_markdown(text))]


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("One two. Three?  Four!", ["One two.", "Three?", "Four!"]),
        ("One, e.g. two, i.e. three.", ["One, e.g. two, i.e. three."]),
        ("Version 3.51.2 has it. `code` too.", ["Version 3.51.2 has it.", "`code` too."]),
        ('It says "no." Then it ends', ['It says "no."', "Then it ends"]),
        ("One … two.", ["One … two."]),
        ("", []),
    ],
)
def test_a_sentence_ends_at_a_full_stop_before_a_blank(text: str, split: list[str]) -> None:
    assert [sentence for _, sentence in sentences(text)] == split


@pytest.mark.parametrize(
    ("text", "words"),
    [("one two-part three", 3), ("a -- b", 2), ("code, code", 2), ("5 % of", 2), ("", 0)],
)
def test_words_are_counted(text: str, words: int) -> None:
    assert count_words(text) == words


def test_25_words_are_allowed_and_26_are_not() -> None:
    assert rules("word\n" * 25) == []
    assert rules("word\n" * 26) == ["sentence-length"]
    assert rules("word\n" * 24 + "`a command with many words`") == []


def test_a_finding_names_the_line_where_its_sentence_begins() -> None:
    [finding] = check(read_markdown("Short.\nOf this\nline. Mail\nis parked."))
    assert (finding.line, finding.rule) == (3, "word")
    assert finding.text == '"parked": write mark refused, hold'


@pytest.mark.parametrize(
    "text",
    [
        "What is held stays.",
        "Mail is held: what was refused waits.",
        "The drain ends, and what is left stays held.",
        "Who has logged in is trusted.",
        "Whoever asks is told.",
        "A copy of what was sent.",
        "The answer goes to who asked.",
        "That which is left stays.",
    ],
)
def test_noun_clauses_as_subjects_are_found(text: str) -> None:
    assert rules(text) == ["noun-clause"]


@pytest.mark.parametrize(
    "text",
    [
        "What is held?",
        "## What is in scope",
        "The log shows what is wrong.",
        "What to do next.",
        "The client who asked.",
        "| what | who |",
    ],
)
def test_questions_headings_and_object_clauses_are_allowed(text: str) -> None:
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "The name is looked up anew.",
        "Mail is\nput\noff.",
        "Weak: it can be lost.",
        "Otherwise it ends; else it stays.",
        "It is 421, for it says so.",
        "| Mail is parked. |",
    ],
)
def test_banned_words_are_found(text: str) -> None:
    assert rules(text) == ["word"]


@pytest.mark.parametrize(
    "text", ["`parked`", "something else", "for it", "the elsewhere", "bear in mind", "a carpark"]
)
def test_code_and_other_words_are_not(text: str) -> None:
    assert rules(text) == []


def test_a_text_in_code_is_reported_at_the_line_of_its_literal() -> None:
    source = read_python('x = (\n    "Mail is held."\n    "\\n\\nMail is parked."\n)\n')
    assert [(finding.line, finding.rule) for finding in check(source)] == [(2, "word")]


def test_sentences_are_counted_in_paragraphs_headings_and_cells() -> None:
    assert count_sentences(read_markdown("# One\n\nTwo. Three.\n\n| four | five |\n")) == 5
