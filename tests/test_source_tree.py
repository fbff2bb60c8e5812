"""Sources are parsed whatever the garbage collector would do meanwhile."""

from __future__ import annotations

import ast
import gc
from typing import Any

from tests.source_tree import parse_source


def test_no_collection_runs_while_a_source_is_parsed() -> None:
    """A traceback shown by a collection parses source as well, which Python 3.11 cannot nest."""
    collections: list[str] = []

    def parse_too(phase: str, _: dict[str, Any]) -> None:
        collections.append(phase)
        ast.parse("x = 1")

    threshold = gc.get_threshold()
    gc.callbacks.append(parse_too)
    gc.set_threshold(1)
    try:
        before = len(collections)
        tree = parse_source("y = [1, 2, 3]\n" * 500)
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(parse_too)
    assert len(tree.body) == 500
    assert collections[before:].count("start") <= 1, "one after the parsing, at most"
    assert gc.isenabled()
