"""The rules of plain English that a program can check.

- `sentence-length`: a sentence has at most 25 words. A code span is one word.
- `noun-clause`: no sentence or clause has a noun clause as its subject ("What is held stays").
- `word`: no word or phrase of `prose-words.toml`, which readers stumble over.
- `line-length`: a line of prose has at most 100 columns, tables and URLs excepted.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.prose_sources import LINE_LIMIT, Kind, Passage, Source, without_markup

WORDS = Path(__file__).parent / "prose-words.toml"
SENTENCE_WORDS = 25
EXCERPT = 70  # characters of a sentence that a finding shows

# A full stop ends a sentence if a blank or the end of the passage follows, unless it belongs to
# one of these abbreviations.
SENTENCE_END = re.compile(r"[.!?]+[\"')\]*_]*(?=\s|$)")
ABBREVIATION = re.compile(r"(?:^|[\s(])(?:e\.g|i\.e|cf|vs|etc|ca|approx|No|St|Sec)\.$")
WORD = re.compile(r"\S*\w\S*")

CLAUSE_START = r"(?:^|(?<=[.;:?!)] )|(?<=, )(?:and|but|or|so|nor) |(?<=; )(?:and|but|so) )"
NOUN_CLAUSE = re.compile(
    "|".join(
        [
            # "What is held stays", "Who asks is told": a clause as the subject.
            rf"{CLAUSE_START}(?:what|who|whom|whoever|whatever|whichever) (?!to\b)\w+",
            # A clause as the object of a preposition: `to who asked`, `of what was held`.
            r"\b(?:of|to|for|with|from|by|in|at|on|than|until) who(?:m?ever)?\b(?! else)",
            (
                r"\b(?:of|to|for|with|from|by|in|at|than|like|as) what"
                r" (?!order\b|way\b|form\b|kind\b)[a-z]+"
            ),
            r"\b(?:that|those) (?:which|who)\b|\bwhoever\b|\bwhomever\b",
        ]
    ),
    re.IGNORECASE,
)

BANNED = [
    (re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE), use)
    for words, use in tomllib.loads(WORDS.read_text(encoding="utf-8"))["instead"].items()
]
# "Otherwise" in a sentence: "else" after "or", a semicolon or an auxiliary verb.
BANNED.append(
    (
        re.compile(
            r"(?:^|; |\bor |\bwould |\bcould |\band )else\b(?! (?:if|where)\b)", re.IGNORECASE
        ),
        "otherwise",
    )
)
# "For" in the sense of "because".
BANNED.append(
    (
        re.compile(r", for (?:it|they|he|there|this|these|nothing|no one) \w+", re.IGNORECASE),
        "because",
    )
)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A place that breaks a rule."""

    line: int  # counted from 1
    rule: str
    text: str


def check(source: Source) -> list[Finding]:
    """Return what breaks the rules in a file, in the order of lines."""
    found = [
        Finding(line, "line-length", f"{columns} columns; at most {LINE_LIMIT} are allowed")
        for line, columns in source.long_lines
    ]
    for passage in source.passages:
        plain = Passage(passage.line, without_markup(passage.text), passage.kind)
        found += _check_passage(plain)
    return sorted(found)


def count_sentences(source: Source) -> int:
    """Return the number of sentences in a file, headings and table cells included."""
    return sum(1 for passage in source.passages for _ in sentences(without_markup(passage.text)))


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """Yield each sentence of a passage without markup, and where it begins."""
    start = 0
    for end in SENTENCE_END.finditer(text):
        if ABBREVIATION.search(text[start : end.end()]):
            continue
        yield _trimmed(text, start, end.end())
        start = end.end()
    if WORD.search(text[start:]):
        yield _trimmed(text, start, len(text))


def count_words(sentence: str) -> int:
    """Return the number of words: runs without a blank that have a letter or a digit."""
    return len(WORD.findall(sentence))


def _trimmed(text: str, start: int, end: int) -> tuple[int, str]:
    sentence = text[start:end]
    return start + len(sentence) - len(sentence.lstrip()), sentence.strip()


def _check_passage(passage: Passage) -> Iterator[Finding]:
    for start, sentence in sentences(passage.text):
        line = passage.line_at(start) if passage.kind is not Kind.LITERAL else passage.line
        words = count_words(sentence)
        if words > SENTENCE_WORDS:
            text = f'{words} words; at most {SENTENCE_WORDS} are allowed: "{_excerpt(sentence)}"'
            yield Finding(line, "sentence-length", text)
        if passage.kind is not Kind.HEADING and not sentence.endswith("?"):
            yield from _check_clauses(line, sentence)
        yield from _check_words(line, sentence)


def _check_clauses(line: int, sentence: str) -> Iterator[Finding]:
    flat = " ".join(sentence.split())
    for match in NOUN_CLAUSE.finditer(flat):
        text = f'name the thing instead of "{match[0].strip()}": "{_excerpt(flat, match.start())}"'
        yield Finding(line, "noun-clause", text)


def _check_words(line: int, sentence: str) -> Iterator[Finding]:
    flat = " ".join(sentence.split())
    for pattern, use in BANNED:
        for match in pattern.finditer(flat):
            yield Finding(line, "word", f'"{match[0].strip(" ,;")}": write {use}')


def _excerpt(sentence: str, around: int = 0) -> str:
    flat = " ".join(sentence.split())
    start = max(0, around - EXCERPT // 3)
    piece = flat[start : start + EXCERPT]
    return ("…" if start else "") + piece + ("…" if start + EXCERPT < len(flat) else "")
