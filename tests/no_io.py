"""Sockets, processes, threads and files that a test opens. Sources may be read."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

FORBIDDEN: Final = (
    *("socket.__new__", "socket.connect", "socket.bind", "socket.getaddrinfo"),
    *("subprocess.Popen", "os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.system"),
    # Python 3.11 reports no start of a thread, and from 3.13 on the event has another name.
    *("sqlite3.connect", "_thread.start_new_thread", "_thread.start_joinable_thread"),
)
CHANGING: Final = ("os.mkdir", "os.rename", "os.remove")
WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT
ROOT: Final = Path(__file__).resolve().parents[1]
# The program and its tests, what is installed, and Python. Reading these is no I/O of a test.
SOURCES: Final = tuple(str(place) for place in (ROOT, sys.prefix, sys.base_prefix))


class WhatIsOpened:
    """Watches this process by an audit hook, as long as the test itself runs.

    An audit hook cannot be removed, so one hook serves every test. Only the thread that watches is
    watched: threads of earlier tests can still run.
    """

    def __init__(self) -> None:
        self._found: list[str] = []
        self._watched: int | None = None  # the thread
        sys.addaudithook(self._see)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch until the end of the context."""
        self._watched = threading.get_ident()
        try:
            yield
        finally:
            self._watched = None

    def taken(self) -> list[str]:
        """Return what was seen since the last call."""
        found, self._found = self._found, []
        return found

    def _see(self, event: str, facts: tuple[Any, ...]) -> None:
        if self._watched is None or self._watched != threading.get_ident():
            return
        if event in FORBIDDEN:
            self._found.append(event)
        elif event in CHANGING and not _is_of_tools(str(facts[0])):
            self._found.append(f"{event} {facts[0]!r}")
        elif event == "open" and not _is_reading_of_sources(facts[0], facts[2]):
            self._found.append(f"open {facts[0]!r}")


def _is_reading_of_sources(path: object, flags: object) -> bool:
    """Tell whether a file that is opened is one of the sources, to read."""
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if not isinstance(path, str):
        return True  # a descriptor that was opened before, such as standard output
    if _is_of_tools(path):
        return True
    is_writing = isinstance(flags, int) and bool(flags & WRITING)
    return not is_writing and path.startswith(SOURCES)


def _is_of_tools(path: str) -> bool:
    """Tell whether Python keeps a compiled module in this file, or Hypothesis constants.

    A name such as `<unknown>` is that of code without a file. Python tries to open it for the line
    of a syntax error, and Hypothesis parses pieces of sources that may have one.
    """
    is_of_no_file = path.startswith("<") and path.endswith(">")
    return is_of_no_file or "__pycache__" in path or ".hypothesis" in path
