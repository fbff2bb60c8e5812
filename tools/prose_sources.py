"""Find the prose in a file: the paragraphs of a Markdown page, or the texts of a Python module.

A passage is a run of prose that one sentence cannot leave, such as a paragraph, a list item, a
comment or a string literal. Code is left out. The text of a passage keeps its line breaks, so that
a position in it can be turned into a line of the file.
"""

import ast
import enum
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

LINE_LIMIT = 100  # columns
CODE_INDENT = 4  # columns; Markdown reads a paragraph that is indented so far as code
LITERAL_WORDS = 3  # a string literal with fewer words is a key or a label

FENCE = re.compile(r"^\s*(?:```|~~~)")
BULLET = re.compile(r"^\s*(?:[-*+]|\d+\.)\s+")
HEADING = re.compile(r"^#{1,6}\s")
TABLE_RULE = re.compile(r"^[|:\s-]+$")
CELL_BORDER = re.compile(r"(?<!\\)\|")
CODE_SPAN = re.compile(r"(`+).*?\1", re.DOTALL)
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
HTML_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
URL = re.compile(r"https?://\S+")
DIRECTIVE = re.compile(r"^#\s*(?:noqa|type:|ruff:|mypy:|pragma|pylint:|fmt:|!)")
NOQA = re.compile(r"\s*#\s*(?:noqa|type:).*$")
SQL = re.compile(
    r"^\s*(?:value\s+)?(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP|PRAGMA|WITH|BEGIN|COMMIT|FROM"
    r"|WHERE|AND|OR|ORDER|GROUP|LIMIT|JOIN|LEFT|UNION|ANALYZE|VACUUM|ATTACH|DETACH|SAVEPOINT"
    r"|RELEASE|ROLLBACK|VALUES|SET|ON|IN|EXISTS|NOT|CASE|EXPLAIN)\b(?:[^a-z]|[a-z_]+[^a-z ])"
)
SQL_COMMENT = re.compile(r"(?:^|(?<=\s))-- .*$", re.MULTILINE)
PROSE_WORD = re.compile(r"(?<![\w\\{%/.-])[A-Za-z][a-z]+(?![\w{%/(-])")


class Kind(enum.Enum):
    """Where a passage was found."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    CELL = "table cell"
    LITERAL = "string literal"


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of prose. `line` is the line of its first character, counted from 1."""

    line: int
    text: str
    kind: Kind = Kind.PARAGRAPH

    def line_at(self, position: int) -> int:
        """Return the line of the file that holds this position in the text."""
        return self.line + self.text.count("\n", 0, position)


@dataclass(frozen=True, slots=True)
class Source:
    """The prose of one file, and the lines of it that are too long (line number, columns)."""

    passages: Sequence[Passage]
    long_lines: Sequence[tuple[int, int]]


def read_source(path: Path, *, has_texts: bool = True) -> Source:
    """Return the prose of a Markdown page (`.md`) or a Python module (`.py`).

    `has_texts` is False for a module whose literals are for no people.

    Raises OSError for a file that cannot be read, and ValueError for another suffix or for a module
    that Python cannot parse.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return read_markdown(text)
    if path.suffix == ".py":
        try:
            return read_python(text, has_texts=has_texts)
        except SyntaxError as error:
            raise ValueError(f"{path}:{error.lineno}: {error.msg}") from error
    raise ValueError(f"{path}: neither Markdown nor Python")


def without_markup(text: str) -> str:
    """Return the text as a reader sees it: a code span is one word, a link is its own text.

    Line breaks stay.
    """
    text = HTML_COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    text = CODE_SPAN.sub(lambda found: "code" + "\n" * found[0].count("\n"), text)
    return LINK.sub(r"\1", text).replace("**", "")


# -- Markdown -----------------------------------------------------------------------------------


def read_markdown(text: str) -> Source:
    """Return the prose of a Markdown page."""
    lines = _without_fences(text.splitlines())
    return Source(
        list(_passages(lines)),
        [
            (number, len(line))
            for number, line in enumerate(lines, 1)
            if not line.lstrip().startswith("|") and _is_long(line)
        ],
    )


def _is_long(line: str) -> bool:
    """Whether a line is too long. A URL cannot be broken, so it does not count."""
    return len(URL.sub("", line)) > LINE_LIMIT


def _without_fences(lines: Sequence[str]) -> list[str]:
    """Return the lines with those of fenced blocks made empty."""
    kept = []
    is_code = False
    for line in lines:
        if FENCE.match(line):
            is_code = not is_code
            kept.append("")
        else:
            kept.append("" if is_code else line)
    return kept


def _passages(lines: Sequence[str], first: int = 1) -> Iterator[Passage]:
    """Yield the passages of lines without fences; `first` is the number of the first line."""
    block: list[str] = []
    start = first
    is_in_list = False
    for number, line in enumerate([*lines, ""], first):
        bullet = BULLET.match(line)
        stands_alone = HEADING.match(line) or line.lstrip().startswith("|")
        is_code = not block and not is_in_list and _indent(line) >= CODE_INDENT
        if block and (not line.strip() or bullet or stands_alone):
            yield Passage(start, "\n".join(block))
            block = []
        if HEADING.match(line):
            yield Passage(number, line.lstrip("# "), Kind.HEADING)
        elif stands_alone:
            yield from _cells(number, line)
        elif line.strip() and not is_code:
            start = start if block else number
            block.append(line[bullet.end() :] if bullet else line.strip().removeprefix("> "))
        is_in_list = bool(bullet) or (is_in_list and (not line.strip() or line[0] == " "))


def _cells(number: int, line: str) -> Iterator[Passage]:
    if TABLE_RULE.match(line):
        return
    for cell in CELL_BORDER.split(CODE_SPAN.sub("code", line.strip().strip("|"))):
        if cell.strip():
            yield Passage(number, cell.strip(), Kind.CELL)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


# -- Python -------------------------------------------------------------------------------------


def read_python(text: str, *, has_texts: bool = True) -> Source:
    """Return the prose of a Python module: its docstrings, comments and texts for people.

    A string literal counts as a text if it has a few ordinary words. Of SQL the comments count.
    `has_texts` is False for a module whose literals are for no people.
    """
    tree = ast.parse(text)
    docstrings = list(_docstrings(tree))
    comments = list(_comments(text))
    passages = [passage for node in docstrings for passage in _docstring_passages(node)]
    passages += _joined(comments)
    if has_texts:
        passages += _literals(tree, {id(node) for node in docstrings})
    lines = text.splitlines()
    prose_lines = {comment.line for comment in comments}
    for node in docstrings:
        prose_lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return Source(
        sorted(passages, key=lambda passage: passage.line),
        [
            (number, len(lines[number - 1]))
            for number in sorted(prose_lines)
            if _is_long(NOQA.sub("", lines[number - 1]))
        ],
    )


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield each string that stands as a statement: docstrings, also those of attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str()) as docstring):
                yield docstring


def _docstring_passages(node: ast.Constant) -> Iterator[Passage]:
    first, *rest = str(node.value).split("\n")
    margin = min((_indent(line) for line in rest if line.strip()), default=0)
    lines = _without_fences([first, *(line[margin:] for line in rest)])
    return _passages(lines, node.lineno)


@dataclass(frozen=True, slots=True)
class _Comment:
    line: int
    column: int
    text: str
    is_alone: bool  # no code in front of it


def _comments(text: str) -> Iterator[_Comment]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and not DIRECTIVE.match(token.string):
            line, column = token.start
            words = NOQA.sub("", token.string).lstrip("#").strip().removeprefix("-- ").strip("- ")
            yield _Comment(line, column, words, not token.line[:column].strip())


def _joined(comments: Sequence[_Comment]) -> Iterator[Passage]:
    """Yield passages: comment lines that stand one below the other are read as one text."""
    run: list[_Comment] = []
    for comment in comments:
        if run and not (
            run[-1].is_alone
            and comment.is_alone
            and (comment.line, comment.column) == (run[-1].line + 1, run[-1].column)
        ):
            yield from _passages([each.text for each in run], run[0].line)
            run = []
        run.append(comment)
    if run:
        yield from _passages([each.text for each in run], run[0].line)


def _literals(tree: ast.AST, docstrings: set[int]) -> Iterator[Passage]:
    """Yield the string literals that people read."""
    seen = set(docstrings)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re."):
            seen.update(id(each) for each in ast.walk(node))
        if id(node) in seen:
            continue
        if isinstance(node, ast.JoinedStr):
            seen.update(id(each) for each in ast.walk(node) if isinstance(each, ast.Constant))
            text = "".join(_part(each) for each in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if is_sql(text):
            yield from _joined(list(_sql_comments(node.lineno, text)))
        elif is_prose(text) and isinstance(node, ast.expr):
            for passage in _passages(_without_fences(text.split("\n"))):
                yield Passage(node.lineno, passage.text, Kind.LITERAL)


def _part(node: ast.expr) -> str:
    """Return a part of an f-string as text: a value that is put in reads as one word."""
    return str(node.value) if isinstance(node, ast.Constant) else "value"


def _sql_comments(first: int, text: str) -> Iterator[_Comment]:
    for number, line in enumerate(text.split("\n"), first):
        if comment := SQL_COMMENT.search(line):
            column = comment.start()
            yield _Comment(number, column, comment[0].strip("- "), not line[:column].strip())


def is_prose(text: str) -> bool:
    """Return whether a string literal is a text for people, not a key, a pattern or SQL."""
    return not is_sql(text) and len(PROSE_WORD.findall(text)) >= LITERAL_WORDS


def is_sql(text: str) -> bool:
    """Return whether a string literal is SQL. Comments may stand before its first statement."""
    return bool(SQL.match(SQL_COMMENT.sub("", text)))
