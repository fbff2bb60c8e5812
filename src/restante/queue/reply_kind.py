"""The kind of a destination's reply: the same for replies that differ in names alone. Pure."""

import re
from typing import Final

# A reply names a queue id, a time or an address: without them, alike replies are the same.
_OWN_WORDS: Final = re.compile(
    r"<[^<>]*>|(?<![^\s<>(),;@])[^\s<>(),;@]+@[^\s<>(),;@]+"  # from the start of a word: linear
    r"|\b(?=\w*\d)[0-9A-Za-z]{8,}\b|\b\d{1,3}(?:\.\d{1,3}){3}\b|\[[0-9a-fA-F:.]+\]"
)
_STATUS: Final = re.compile(r"^(\d{3})([ -])")


def kind_of(reply: str) -> str:
    """Return a reply without the words that differ from message to message."""
    return _OWN_WORDS.sub("…", _STATUS.sub(r"\1 ", reply)).casefold()
