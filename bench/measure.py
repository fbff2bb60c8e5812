"""Measure the CPU seconds and memory of a server's processes (/proc), and its syncs (the kernel).

A server is a leader process with its children, and every process of its session or process group.
A database that it uses is another leader. A parent's account
includes the CPU seconds of children that ended, once it has waited for them. So the sum over the
living processes is the sum over all. Memory is the proportional share (PSS): a page that several
processes share counts once. A thread samples it, and spends at most a hundredth of its time on
that. The kernel's memory for sockets is not included.

The kernel does not add the CPU seconds of a child to its parent if the parent ignores the signal of
its end. Exim does so in parts. There a control group counts them (`CpuGroup`).
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
_PARENT, _GROUP, _SESSION = 1, 2, 3  # fields of /proc/PID/stat, counted behind the command
_TIMES: Final = slice(11, 15)  # user, system, and both of children waited for


def processes(leader: int) -> list[int]:
    """Return the ids of a leader's processes, its own first."""
    found = [pid for pid, fields in _stats() if _belongs(pid, fields, leader)]
    return sorted(found, key=lambda pid: pid != leader)


def cpu_seconds(leader: int) -> float:
    """Return what its processes have used until now, those ended included."""
    ours = (fields for pid, fields in _stats() if _belongs(pid, fields, leader))
    return sum(sum(int(ticks) for ticks in fields[_TIMES]) for fields in ours) / TICKS


def memory(leader: int) -> int:
    """Return the octets of memory that its processes have now."""
    return sum(_proportional_share(pid) for pid in processes(leader))


def resident(pid: int) -> int:
    """Return the resident memory of one process, with all that it shares."""
    status = (PROC / str(pid) / "status").read_text()
    return next(
        int(line.split()[1]) * KIBIBYTE for line in status.splitlines() if line[:6] == "VmRSS:"
    )


def _belongs(pid: int, fields: list[str], leader: int) -> bool:
    return pid == leader or str(leader) in (fields[_PARENT], fields[_GROUP], fields[_SESSION])


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


class CpuGroup:
    """Counts the CPU seconds of a process and of all that it starts from now on, in a `with`."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._top = next(
            (Path(line.split()[1]) for line in _mounts() if line.split()[2] == "cgroup2"), None
        )

    def __enter__(self) -> Self:
        if self._top is not None:
            self._place = self._top / f"restante-bench-{self._pid}"
            self._place.mkdir()
            (self._place / "cgroup.procs").write_text(str(self._pid))
        return self

    def __exit__(self, *_: object) -> None:
        if self._top is not None:
            while pids := (self._place / "cgroup.procs").read_text().split():
                for pid in pids:
                    with contextlib.suppress(ProcessLookupError):  # it has ended
                        (self._top / "cgroup.procs").write_text(pid)
            self._place.rmdir()

    def cpu_seconds(self) -> float | None:
        """Return the seconds until now; None if the kernel has no control groups of version 2."""
        if self._top is None:
            return None
        said = dict(line.split() for line in (self._place / "cpu.stat").read_text().splitlines())
        return int(said["usage_usec"]) / 1e6


def _mounts() -> list[str]:
    return (PROC / "self/mounts").read_text().splitlines()


class Meter:
    """Measures a server in a `with`. Then `cpu` is in seconds, `memory` the maximum in octets."""

    def __init__(self, *leaders: int) -> None:
        self._leaders = leaders
        self._is_over = threading.Event()
        self._looker = threading.Thread(target=self._look, daemon=True)
        self.cpu = 0.0
        self.memory = 0

    def __enter__(self) -> Self:
        self._before = self._cpu_seconds()
        self._looker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu = self._cpu_seconds() - self._before
        self._is_over.set()
        self._looker.join()

    def _cpu_seconds(self) -> float:
        return sum(map(cpu_seconds, self._leaders))

    def _look(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._is_over.is_set()
            begin = time.perf_counter()
            self.memory = max(self.memory, sum(map(memory, self._leaders)))
            took = time.perf_counter() - begin
            self._is_over.wait(max(_SOONEST, took * _LEISURE))
