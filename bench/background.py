"""Programs of the bench that run beside the servers.

Each is a process of its own, and ends with the bench at the latest.
"""

import socket
import struct
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.domains import HOST
from tests.acceptance.installation import ServerProcess
from tests.acceptance.peers.eventually import eventually

HERE: Final = Path(__file__).parent


class Background:
    """A Python program of the bench that listens on a port.

    It imports nothing of ours, so it is started by its path.
    """

    def __init__(self, program: str, port: int) -> None:
        """`program` is its file, seen from this directory."""
        self._program = program
        self._directory = TemporaryDirectory(prefix="restante-bench-")
        self.directory = Path(self._directory.name)
        self._process = ServerProcess(self.directory / "log")
        self.port = port

    def start(self, *words: str) -> None:
        """Start it with these arguments, and return when it listens."""
        self._process.start([sys.executable, HERE / self._program, *words])
        eventually(self._listens, what=f"{self._program} to listen")

    def stop(self) -> None:
        """End it."""
        self._process.stop()

    def close(self) -> None:
        """End it and remove its files."""
        self.stop()
        self._directory.cleanup()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def _listens(self) -> bool:
        assert self._process.is_running, (self.directory / "log").read_text()
        try:
            socket.create_connection((HOST, self.port), timeout=5).close()
        except ConnectionError:
            return False
        return True


class BareSink(Background):
    """sinks/bare_sink.py, and its counters."""

    def __init__(self, port: int, domains: int = 0) -> None:
        """`domains` that are counted apart: d0.example, d1.example, …"""
        super().__init__("sinks/bare_sink.py", port)
        self._counters = self.directory / "counters"
        self._slots = 2 + domains

    def begin(self) -> None:
        """Start it with its counters at 0."""
        self._counters.write_bytes(bytes(8 * self._slots))
        self.start(HOST, str(self.port), str(self._counters))

    def count(self) -> int:
        """Return how many messages it has taken."""
        return self._read()[0]

    def octets(self) -> int:
        """Return the octets of their content."""
        return self._read()[1]

    def by_domain(self) -> list[int]:
        """Return the messages of each domain that is counted apart."""
        return self._read()[2:]

    def _read(self) -> list[int]:
        return list(struct.unpack(f"={self._slots}q", self._counters.read_bytes()))
