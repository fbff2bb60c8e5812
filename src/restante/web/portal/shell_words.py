"""Words of a shell, as people copy them from a page. Pure.

The standard library quotes control characters, but keeps them. A terminal may obey them when they
are pasted: one can end the paste, and another run the rest. So they are written as escapes.
"""

import shlex
from collections.abc import Iterable
from typing import Final

_LARGEST_OCTET: Final = 0x7F
_LARGEST_SHORT: Final = 0xFFFF


def shell_word(text: str) -> str:
    """Return one word for bash, zsh or ksh, with visible characters only."""
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{''.join(map(_escaped, text))}'"


def shell_line(words: Iterable[str]) -> str:
    """Return a command."""
    return " ".join(map(shell_word, words))


def _escaped(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    if code <= _LARGEST_OCTET:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _LARGEST_SHORT else f"\\U{code:08x}"
