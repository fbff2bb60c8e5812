"""Python sources as trees, for the tests that read source."""

from __future__ import annotations

import ast
import gc


def parse_source(text: str) -> ast.Module:
    """Parse Python source without a garbage collection in between.

    A collection can show a lost exception, and a traceback parses source too. Python 3.11 counts
    the depth of both in one place and raises SystemError (python/cpython issue 106905).
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(text)
    finally:
        if was_enabled:
            gc.enable()
