"""Measure the CPU seconds and memory of a server's processes (/proc), and its syncs (the kernel).

A server is a leader process and every process of its session or process group. A parent's account
includes the CPU seconds of children that ended, once it has waited for them. So the sum over the
living processes is the sum over all. Memory is the proportional share (PSS): a page that several
processes share counts once. A thread samples it, and spends at most a hundredth of its time on
that. The kernel's memory for sockets is not included.
"""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

PROC: Final = Path("/proc")
TICKS: Final = os.sysconf("SC_CLK_TCK")  # a second
KIBIBYTE: Final = 1024
_LEISURE: Final = 100  # a look at the memory that took 1 ms is not repeated within 100
_SOONEST: Final = 0.2  # seconds
_GROUP, _SESSION = 2, 3  # fields of /proc/PID/stat, counted behind the command
_TIMES: Final = slice(11, 15)  # user, system, and both of children waited for


def processes(leader: int) -> list[int]:
    """Return the ids of a leader's processes, its own first."""
    found = [pid for pid, fields in _stats() if str(leader) in (fields[_GROUP], fields[_SESSION])]
    return sorted(found, key=lambda pid: pid != leader)


def cpu_seconds(leader: int) -> float:
    """Return what its processes have used until now, those ended included."""
    ours = (fields for _, fields in _stats() if str(leader) in (fields[_GROUP], fields[_SESSION]))
    return sum(sum(int(ticks) for ticks in fields[_TIMES]) for fields in ours) / TICKS


def memory(leader: int) -> int:
    """Return the octets of memory that its processes have now."""
    return sum(_proportional_share(pid) for pid in processes(leader))


def _stats() -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of every process's stat file behind the command, which may hold blanks."""
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield int(entry.name), (entry / "stat").read_text().rpartition(")")[2].split()


def _proportional_share(pid: int) -> int:
    with contextlib.suppress(OSError), (PROC / str(pid) / "smaps_rollup").open() as lines:
        for line in lines:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * KIBIBYTE
    return 0  # it has ended meanwhile


class Meter:
    """Measures a server in a `with`. Then `cpu` is in seconds, `memory` the maximum in octets."""

    def __init__(self, leader: int) -> None:
        self._leader = leader
        self._is_over = threading.Event()
        self._looker = threading.Thread(target=self._look, daemon=True)
        self.cpu = 0.0
        self.memory = 0

    def __enter__(self) -> Self:
        self._before = cpu_seconds(self._leader)
        self._looker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu = cpu_seconds(self._leader) - self._before
        self._is_over.set()
        self._looker.join()

    def _look(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._is_over.is_set()
            begin = time.perf_counter()
            self.memory = max(self.memory, memory(self._leader))
            took = time.perf_counter() - begin
            self._is_over.wait(max(_SOONEST, took * _LEISURE))
