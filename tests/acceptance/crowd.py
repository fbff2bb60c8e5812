"""Many connections at once, from many addresses, and their effect on the server's process."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.acceptance.peers.server import Server

TIMEOUT: Final = 90.0  # seconds
_TICKS: Final = os.sysconf("SC_CLK_TCK")  # a second
_USER, _SYSTEM = 11, 12  # fields of /proc/PID/stat, counted behind the command


def addresses(network: int, count: int) -> list[str]:
    """Return addresses of this machine that are all different: 127.0.NETWORK.1 and on."""
    return [f"127.0.{network}.{host}" for host in range(1, count + 1)]


def let_us_have(descriptors: int) -> None:
    """Raise our own limit of open files, if that is needed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < descriptors:
        assert hard >= descriptors, f"this test needs {descriptors} open files (ulimit -Hn: {hard})"
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, hard))


class Crowd:
    """Connections that read the greeting and say nothing. Admitted ones stay until told to go."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.inside: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.leave()

    def come(self, count: int, sources: Sequence[str]) -> Counter[str]:
        """Connect `count` times, from the sources by turns. Return the count of each code or ""."""
        let_us_have(len(self.inside) + count + 200)
        return Counter(self._come_one(sources[place % len(sources)]) for place in range(count))

    def _come_one(self, source: str) -> str:
        address = (self._server.host, self._server.port)
        one = socket.create_connection(address, timeout=TIMEOUT, source_address=(source, 0))
        greeting = said(one)
        if greeting.startswith(b"220"):
            self.inside.append(one)
        else:
            with one:
                assert said(one) == b"", "the server must hang up on those that it turns away"
        return greeting[:3].decode()

    def leave(self) -> None:
        """Hang up."""
        for one in self.inside:
            one.close()
        self.inside.clear()


def said(one: socket.socket) -> bytes:
    """Read what comes in one piece; b"" at the end, however it comes."""
    with contextlib.suppress(ConnectionError):
        return one.recv(4096)
    return b""


# Figures of the kernel about a process


def memory(pid: int) -> int:
    """Return the octets of memory that it has now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def descriptors(pid: int) -> int:
    """Return the number of open files and sockets of a process. Needs root."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def processor_seconds(pid: int) -> float:
    """Return the processor time that it has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS
