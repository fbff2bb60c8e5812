"""Texts in cells of CSV, so that a spreadsheet shows them and computes nothing.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula. They may also be of
full width, or follow a tab. A formula can send other cells to a stranger. An apostrophe
in front marks such a cell as text. A cell that begins with apostrophes and one of these characters
is marked too, so that every text comes back as it was.
"""

import re
from typing import Any, Final

_MARK: Final = "'"
_BEGINNING: Final = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_FORMULA: Final = re.compile(rf"'*{_BEGINNING}")
_MARKED: Final = re.compile(rf"'+{_BEGINNING}")


def marked(value: Any) -> Any:
    """Return the value for a cell; a number stays one."""
    is_formula = isinstance(value, str) and _FORMULA.match(value)
    return f"{_MARK}{value}" if is_formula else value


def unmarked(cell: str) -> str:
    """Return the text that `marked` made a cell of, and any other cell as it is."""
    return cell.removeprefix(_MARK) if _MARKED.match(cell) else cell
