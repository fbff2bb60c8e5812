"""Count a server's syncs (fsync(2) and similar calls) by perf(1), without it by strace(1).

Neither is free. perf costs some hundred nanoseconds at each switch between processes, strace far
more. So syncs are never counted while a rate is measured. Without either program there is no count.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.measure import processes

CALLS: Final = ("fsync", "fdatasync", "sync_file_range", "syncfs", "sync")
ATTEMPTS: Final = 10  # a process may end just while it is being attached to
PATIENCE: Final = 30.0  # seconds
PAUSE: Final = 0.02


class SyncCount:
    """`count` is there when the `with` has ended; None if nothing here can count."""

    count: int | None = None


@contextmanager
def counting_syncs(leader: int) -> Iterator[SyncCount]:
    """Count the syncs of a server's processes, and of those that they start meanwhile."""
    found, kind = SyncCount(), _kind()
    with TemporaryDirectory() as directory:
        counter = kind(Path(directory)) if kind else None
        if counter is None or not counter.begin(leader):
            yield found
            return
        try:
            yield found
        finally:
            found.count = counter.end()


class _Counter(ABC):
    """A program that is attached to processes, and writes what it counts to a file."""

    def __init__(self, directory: Path) -> None:
        self._output = directory / "output"
        self._said = directory / "said"
        self._program: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def begin(self, leader: int) -> bool:
        """Return once it counts; False if it cannot."""

    def end(self) -> int:
        """End it, and return what it has counted."""
        assert self._program
        self._program.send_signal(signal.SIGINT)
        self._program.wait(timeout=PATIENCE)
        return self._read(self._output.read_text())

    @abstractmethod
    def _read(self, output: str) -> int:
        """Find the count."""

    def _start(self, command: list[str], passed: tuple[int, ...] = ()) -> None:
        with self._said.open("wb") as said:
            self._program = subprocess.Popen(
                command, pass_fds=passed, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )


class _Perf(_Counter):
    """perf counts system calls in the kernel."""

    def begin(self, leader: int) -> bool:
        return any(self._is_attached(processes(leader)) for _ in range(ATTEMPTS))

    def _is_attached(self, pids: list[int]) -> bool:
        """Try. perf starts with its counters off, switches them on when told, and confirms it."""
        (orders, order), (answer, answers) = os.pipe(), os.pipe()
        with (
            os.fdopen(order, "wb", buffering=0) as told,
            os.fdopen(answer, "rb", buffering=0) as said,
        ):
            how = ["-D", "-1", "--control", f"fd:{orders},{answers}", "-o", str(self._output)]
            whom = ["-p", ",".join(map(str, pids))]
            self._start(["perf", "stat", "-x,", "-e", _events(), *how, *whom], (orders, answers))
            os.close(orders)
            os.close(answers)
            with suppress(BrokenPipeError):
                told.write(b"enable\n")
            return said.read(16).startswith(b"ack")

    def _read(self, output: str) -> int:
        return sum(map(int, _counts(output)))


class _Strace(_Counter):
    """strace stops the processes at each of these calls, and writes it down."""

    def begin(self, leader: int) -> bool:
        pids = processes(leader)
        attach = [word for pid in pids for word in ("-p", str(pid))]
        self._start(
            ["strace", "-f", "-e", f"trace={','.join(CALLS)}", "-o", str(self._output), *attach]
        )
        assert self._program
        while self._program.poll() is None and "attached" not in self._said.read_text():
            time.sleep(PAUSE)
        return self._program.poll() is None

    def _read(self, output: str) -> int:
        return len(re.findall(rf"\b(?:{'|'.join(CALLS)})\(", output))


@cache
def _kind() -> type[_Counter] | None:
    if _perf_can():
        return _Perf
    return _Strace if shutil.which("strace") else None


def _perf_can() -> bool:
    if not shutil.which("perf"):
        return False
    tried = subprocess.run(
        ["perf", "stat", "-x,", "-e", _events(), "true"],
        check=False,
        capture_output=True,
        text=True,
    )
    return tried.returncode == 0 and bool(_counts(tried.stderr))


def _events() -> str:
    return ",".join(f"syscalls:sys_enter_{call}" for call in CALLS)


def _counts(output: str) -> list[str]:
    return re.findall(r"^(\d+),", output, re.MULTILINE)
