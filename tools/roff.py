"""Text for man pages in roff."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

_ESCAPES: Final = {"\\": "\\e", "-": "\\-", '"': "\\(dq"}


def described(title: str, rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield a section with names and their meanings; nothing if there are none."""
    if rows:
        yield f".SH {title}"
    for name, meaning in rows:
        yield from (".TP", f".B {escaped(name)}", escaped(" ".join(meaning.split())))


def quoted(text: str) -> str:
    """Return a text as one argument of a request."""
    return f'"{escaped(text)}"'


def escaped(text: str) -> str:
    """Return a text that roff shows as it stands: no escapes, no requests, real hyphens."""
    escaped = "".join(_ESCAPES.get(one) or _in_ascii(one) for one in text)
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped


def _in_ascii(character: str) -> str:
    return character if character.isascii() else f"\\[u{ord(character):04X}]"
