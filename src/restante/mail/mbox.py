r"""The mbox format, in the variant that loses nothing: mboxrd (RFC 4155 describes the family).

    From reverse-path Sun Nov 22 00:49:07 2026
    …content with LF line ends; a line that matches `>*From ` has one `>` more…
    (an empty line)

A reader removes one `>` again, which restores the content. Older variants, which quote `From `
alone, read the same except for lines that were quoted before.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from restante.mail.mapped_search import LetGo, keep_pages, search_pattern

if TYPE_CHECKING:
    from mmap import mmap  # a mapped file is searched as bytes are

_TO_QUOTE: Final = re.compile(rb"^(?=>*From )", re.MULTILINE)
_QUOTED: Final = re.compile(rb"^>(?=>*From )", re.MULTILINE)
_MAY_BE_QUOTED: Final = re.compile(
    rb">{1,65536}(?:F(?:r(?:o(?:m)?)?)?)?\Z"
)  # nobody quotes more often
_SEPARATOR: Final = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\n]*\n")
_LAST_LINE: Final = re.compile(rb"(?<=\n)\r?\n\Z")
NULL_PATH: Final = "MAILER-DAEMON"  # how mbox files spell the null reverse-path


class MboxPosition(NamedTuple):
    """Where a message stands in a mbox: its separator's text, and its content, quoted."""

    separator: bytes
    start: int
    end: int


def separator(reverse_path: str, received_at: float) -> bytes:
    """Return the line before a message; the time is in UTC."""
    path = reverse_path.replace(" ", "_") or NULL_PATH
    return f"From {path} {datetime.fromtimestamp(received_at, UTC):%a %b %d %H:%M:%S %Y}\n".encode()


class MboxQuoter:
    """Quotes content, block by block, CRLF line ends made LF."""

    def __init__(self) -> None:
        self._kept = b""  # a line that is not whole

    def quote(self, block: bytes) -> bytes:
        """Return the whole lines so far."""
        block = self._kept + block
        end = block.rfind(b"\r\n") + 2
        if end == 1:
            self._kept = block
            return b""
        block, self._kept = block[:end], block[end:]
        return _TO_QUOTE.sub(b">", block.replace(b"\r\n", b"\n"))

    def finish(self) -> bytes:
        """Return what is left, and the empty line that ends a message."""
        left = _TO_QUOTE.sub(b">", self._kept) + b"\n" if self._kept else b""
        return left + b"\n"


def message_positions(data: "bytes | mmap", let_go: LetGo = keep_pages) -> Iterator[MboxPosition]:
    """Yield where messages stand.

    A separator stands at the beginning, or after an empty line.
    """
    one = search_pattern(_SEPARATOR, data, 0, let_go)
    while one is not None:
        following = search_pattern(_SEPARATOR, data, one.end(), let_go)
        end = len(data) if following is None else following.start()
        empty = _LAST_LINE.search(
            data[max(one.end() - 1, end - 3) : end]
        )  # the empty line that ends a message is not its own
        yield MboxPosition(one[0], one.end(), end - len(empty[0]) if empty else end)
        one = following


def reverse_path_in(text: bytes) -> str | None:
    """Return the reverse-path that a separator names, or None where it has something else there."""
    words = text.decode("utf-8", "replace").split()
    path = words[1] if len(words) > 1 else ""
    return "" if path == NULL_PATH else path if "@" in path else None


class MboxUnquoter:
    """Restores content that was quoted, block by block; its line ends stay as they are."""

    def __init__(self) -> None:
        self._kept = b""  # the beginning of a line that may be a quoted one
        self._is_in_line = False  # the next octets continue a line that has been given out

    def unquote(self, block: bytes, *, is_last: bool = False) -> bytes:
        """Return what can be told so far."""
        block = self._kept + block
        rest = block.rfind(b"\n") + 1
        keeps = not is_last and _MAY_BE_QUOTED.match(block, rest) is not None
        block, self._kept = (block[:rest], block[rest:]) if keeps else (block, b"")
        first = block.find(b"\n") + 1 if self._is_in_line else 0
        if first == 0 and self._is_in_line:
            return block  # still the same line
        if block:
            self._is_in_line = not block.endswith(b"\n")
        return block[:first] + _QUOTED.sub(b"", block[first:])
