"""How long processes ran and waited for a processor, from the kernel's books.

A machine that is shared makes each answer late. The time without the waits for a processor is what
an answer would take on a machine of its own, except for the disk.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

_BACKEND: Final = b"postgres: restante "  # a session of ours; the server's own processes differ


class Spent(NamedTuple):
    """Nanoseconds of one process since it began."""

    running: int
    waiting: int


class UseBetween(NamedTuple):
    """Seconds between two looks."""

    own: float  # this process ran
    database: float  # the database's sessions ran
    waiting: float  # all of them waited for a processor


class ProcessorUse:
    """Looks at this process and at the sessions of a database."""

    def __init__(self, database: int) -> None:
        """`database` is the number of the process that has the sessions as children."""
        self._children = Path(f"/proc/{database}/task/{database}/children")

    def look(self) -> dict[int, Spent]:
        """Return the books of each process."""
        own = os.getpid()
        found = {own: _spent(own)}
        for child in map(int, self._children.read_text().split()):
            try:
                if Path(f"/proc/{child}/cmdline").read_bytes().startswith(_BACKEND):
                    found[child] = _spent(child)
            except (FileNotFoundError, ProcessLookupError):  # it has just ended
                continue
        return found


def between(before: Mapping[int, Spent], after: Mapping[int, Spent]) -> UseBetween:
    """Return what was spent between two looks."""
    own = database = waiting = 0
    for process, spent in after.items():
        known = before.get(process, Spent(0, 0))
        if process == os.getpid():
            own += spent.running - known.running
        else:
            database += spent.running - known.running
        waiting += spent.waiting - known.waiting
    return UseBetween(own / 1e9, database / 1e9, waiting / 1e9)


def _spent(process: int) -> Spent:
    running, waiting, _ = map(int, Path(f"/proc/{process}/schedstat").read_text().split())
    return Spent(running, waiting)
