"""The columns that a text takes on a terminal, and texts cut and folded to columns. Pure.

East Asian wide characters and most emoji take two columns (Unicode UAX #11: W and F), and combining
characters none. A terminal may show a character of ambiguous width in two; it is counted as one.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_WIDE: Final = frozenset({"W", "F"})
_WITHOUT_WIDTH: Final = frozenset({"Mn", "Me", "Cf"})
_WORD: Final = re.compile(r"(\s*)(\S+)")


def width_of(text: str) -> int:
    """Return the columns of a text without control characters."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def padded(text: str, width: int, *, is_right: bool = False) -> str:
    """Return a text with blanks to so many columns: at its end, or before it if `is_right`."""
    blanks = " " * (width - width_of(text))
    return f"{blanks}{text}" if is_right else f"{text}{blanks}"


def beginning(text: str, room: int) -> str:
    """Return the longest beginning of a text that fits in `room` columns."""
    if text.isascii():
        return text[: max(room, 0)]
    used = 0
    for place, letter in enumerate(text):
        used += _columns(letter)
        if used > room:
            return text[:place]
    return text


def ending(text: str, room: int) -> str:
    """Return the longest end of a text that fits in `room` columns and begins with a character."""
    used, start = 0, len(text)
    for place in range(len(text) - 1, -1, -1):
        used += (columns := _columns(text[place]))
        if used > room:
            break
        start = place if columns else start
    return text[start:]


def folded(text: str, width: int, first: str, others: str) -> Iterator[str]:
    """Yield the lines of a text: the first begins with `first`, the others with `others`.

    Only a word that is longer than a line is broken; it begins on the line before.
    """
    line, is_empty = first, True
    for gap, whole in _WORD.findall(text):
        blank, word = gap, whole
        while True:
            blank = "" if is_empty else blank
            room = width - width_of(line) - len(blank)
            if width_of(word) <= room:
                break
            if width_of(word) > width - width_of(others):
                part = beginning(word, room) or (word[0] if is_empty else "")
                line, word = f"{line}{blank if part else ''}{part}", word[len(part) :]
            yield line
            line, is_empty = others, True
        line, is_empty = f"{line}{blank}{word}", is_empty and not word
    if not is_empty:
        yield line


def _columns(letter: str) -> int:
    if unicodedata.category(letter) in _WITHOUT_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in _WIDE else 1
