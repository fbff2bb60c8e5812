"""Searches a mapped file of any size, window by window; searched windows can leave memory."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mmap import mmap  # searched as bytes are

WINDOW: Final = 4 * 1024 * 1024
OVERLAP: Final = (
    65536  # octets that what is searched for has at most: lines of mailboxes are shorter
)

LetGo = Callable[[], None]
"""Called after each window: the part of the file in memory is not needed for now."""


def keep_pages() -> None:
    """Let nothing go: for octets that are in memory anyhow."""


def search_pattern(
    pattern: re.Pattern[bytes], data: "bytes | mmap", place: int, let_go: LetGo
) -> re.Match[bytes] | None:
    """Return the first match from `place` on.

    The pattern must not match differently at the end of a window.
    """
    while place <= len(data):
        found = pattern.search(data, place, place + WINDOW + OVERLAP)
        if found is not None:
            return found
        let_go()
        place += WINDOW
    return None


def find_octets(data: "bytes | mmap", octets: bytes, place: int, let_go: LetGo) -> int:
    """Return where octets are first, from `place` on; -1 where they are not."""
    while place <= len(data):
        found = data.find(octets, place, place + WINDOW + OVERLAP)
        if found >= 0:
            return found
        let_go()
        place += WINDOW
    return -1
