"""Numbers of things in a sentence: `1 message`, `2 messages are held`, `0 senders are told`.

For texts that people read. Fields of the log, of the API and of notices stay numbers.
"""

import re
from typing import Final

_READ: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_AGE: Final = re.compile(r"(\d+)([smhdw])", re.ASCII)
_SPANS: Final = {"d": 86400, "h": 3600, "m": 60}


def counted(number: int, thing: str, things: str = "") -> str:
    """Return a number with its noun: `things` is the plural, by default `thing` with an s.

    A verb may come along: `counted(held, "message is", "messages are")`.
    """
    return f"{number} {agreeing(number, thing, things or f'{thing}s')}"


def agreeing(number: float, of_one: str, of_others: str) -> str:
    """Return the word that goes with a number of things; of none is spoken as of several."""
    return of_one if number == 1 else of_others


def span_text(seconds: float) -> str:
    """Return a span in the largest unit that divides it, as options take it: `30d`, `90m`."""
    for unit, length in _SPANS.items():
        if seconds >= length and not seconds % length:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:.0f}s"


def read_span(text: str) -> int:
    """Return how many seconds a span such as 2d or 90m is. Raises ValueError."""
    found = _AGE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not an age; write a number and one of s m h d w, such as 3h")
    return int(found[1]) * _READ[found[2]]
