"""Colors of a terminal: which texts have one, and whether it is shown.

A color never carries a meaning alone: the text says the same. Only the first colors of a terminal
are used, so its own palette fits them to a light or a dark background.
"""

import os
import re
from collections.abc import Mapping
from enum import Enum
from typing import Final, TextIO


class TextTone(Enum):
    """How good a text is, with the number of its color (ECMA-48 §8.3.117)."""

    BAD = 31  # red
    WARNING = 35  # magenta: yellow can hardly be read on white
    GOOD = 32  # green


class TonedText(str):
    """A text of a table that is shown in a color."""

    __slots__ = ("tone",)
    tone: TextTone


_BOLD: Final = 1
_FORMS: Final[Mapping[str, str]] = {  # of each tone: words of states, verdicts and levels
    "BAD": "refused damaged critical fail failed expired revoked given gone silent",
    "WARNING": "uncertain deferred warning warn unknown suspended suspect retry retries away"
    " retiring cannot stopped stopping",
    "GOOD": "delivered ok pass good finished sent granted up serving",
}
_TONES: Final = {word: TextTone[name] for name, words in _FORMS.items() for word in words.split()}
_WORD: Final = re.compile("[a-z]+")
_OF_STATES: Final = frozenset({"STATE", "STATUS", "OUTCOME", "RESULT", "END", "PRIMARY"})
_OF_COUNTS: Final = {
    "REFUSED": TextTone.BAD,
    "DAMAGED": TextTone.BAD,
    "UNCERTAIN": TextTone.WARNING,
    "SUSPENDED": TextTone.WARNING,
}
_NOTHING: Final = frozenset({"", "0", "no"})


def tone_of_words(text: str) -> TextTone | None:
    """Return the worst tone of a state's words; None if it is neither good nor bad.

    A text behind a colon is not looked at: it is a reason, which a stranger may have written.
    """
    words = _WORD.findall(text.partition(":")[0].lower())
    found = {_TONES[word] for word in words if word in _TONES}
    return next((tone for tone in TextTone if tone in found), None)


def tone_of_cell(title: str, text: str) -> TextTone | None:
    """Return the tone of a cell in the column of this title."""
    if title in _OF_COUNTS:
        return None if text in _NOTHING else _OF_COUNTS[title]
    return tone_of_words(text) if title in _OF_STATES else None


def shows_color(stream: TextIO) -> bool:
    """Return whether a stream is a terminal whose user has not asked for plain text.

    NO_COLOR (no-color.org) wins over FORCE_COLOR, which colors also where no terminal is.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (
        stream.isatty() and os.environ.get("TERM") != "dumb"
    )


def painted(text: str, tone: TextTone | None) -> str:
    """Return a text in the color of a tone."""
    return text if tone is None else f"\x1b[{tone.value}m{text}\x1b[0m"


def bold(text: str) -> str:
    """Return a text in bold."""
    return f"\x1b[{_BOLD}m{text}\x1b[0m"


def toned(text: str, tone: TextTone | None) -> str:
    """Return a text of a table with its tone. It is as wide as before."""
    if tone is None:
        return text
    marked = TonedText(text)
    marked.tone = tone
    return marked


def painted_first(text: str, part: str, tone: TextTone | None) -> str:
    """Return a text whose first such part has the color of a tone."""
    return text.replace(part, painted(part, tone), 1) if part else text
