"""The words that leave the process as values for machines, as the source has them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import restante
from tests.source_tree import parse_source

STABLE_WORD: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_BASES: Final = {"StrEnum", "StableWord"}
TOP: Final = Path(restante.__file__).parent


def enumerated_words() -> Iterator[tuple[str, str]]:
    """Yield each value of an enumeration of words, with the name of its class."""
    for path in sorted(TOP.rglob("*.py")):
        text = path.read_text()
        if not any(base in text for base in _BASES):
            continue
        for node in ast.walk(parse_source(text)):
            if isinstance(node, ast.ClassDef) and _BASES & {ast.unparse(one) for one in node.bases}:
                yield from ((node.name, word) for word in _words_of(node))


def _words_of(node: ast.ClassDef) -> Iterator[str]:
    for one in node.body:
        match one:
            case ast.Assign(value=ast.Constant(value=str() as word)):
                yield word
            case ast.Assign(value=ast.Tuple(elts=[ast.Constant(value=str() as word), *_])):
                yield word
