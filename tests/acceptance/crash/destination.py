"""The campaign's destination: it can be started and killed, and knows all mail it has taken."""

from __future__ import annotations

import json
import signal
import socket
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from tests.acceptance.crash.books import Books, Key, Piece
from tests.acceptance.installation import ServerProcess
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import free_port

PROGRAM: Final = Path(__file__).with_name("sink.py")


class Destination:
    """One address, and a process there most of the time. Each process writes its own file."""

    def __init__(self, books: Books, *, delay: float = 0.002, has_chunking: bool = True) -> None:
        self.address = "127.0.0.1"
        self.port = free_port(self.address)
        self.proxy_port = free_port(self.address)  # where the client is told
        self._books = books
        self._delay = delay
        self._options = ["--chunking"] if has_chunking else []
        self._directory = TemporaryDirectory(prefix="restante-sink-")
        self._top = Path(self._directory.name)
        self._process = ServerProcess(self._top / "log")
        self._lives = 0
        self._read = 0  # octets of the present file
        self.taken: Counter[Key] = Counter()
        self.spoiled: list[str] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()
        self._directory.cleanup()

    def start(self) -> None:
        """Start it, and return when it can be connected to."""
        self._lives += 1
        self._read = 0
        facts: list[str | Path] = [
            str(self.port),
            self._file,
            str(self._delay),
            str(self.proxy_port),
        ]
        self._process.start([sys.executable, PROGRAM, *facts, *self._options])
        eventually(self._answers, what="the sink to listen")

    def kill(self) -> None:
        """End it as a power cut would, and read what it took."""
        self._process.end_by(signal.SIGKILL)
        self.look()

    def look(self) -> int:
        """Read the new mail. Return the number of all messages, copies included."""
        data = self._unread()
        place = 0
        while (piece := _piece(data, place)) is not None:
            place, found = piece
            key, wrong = self._books.key_of(found)
            self.taken[key] += 1
            self.spoiled += [f"taken: {wrong}"] if wrong else []
        self._read += place
        return self.taken.total()

    @property
    def _file(self) -> Path:
        return self._top / f"taken-{self._lives}"

    def _unread(self) -> bytes:
        if not self._file.exists():
            return b""
        with self._file.open("rb") as file:
            file.seek(self._read)
            return file.read()

    def _answers(self) -> bool:
        assert self._process.is_running, (self._top / "log").read_text()
        try:
            socket.create_connection((self.address, self.port), timeout=5).close()
        except OSError:
            return False
        return True


def _piece(data: bytes, place: int) -> tuple[int, Piece] | None:
    """Return the record that begins at `place` and its end; None if it is incomplete."""
    line_end = data.find(b"\n", place)
    if line_end < 0:
        return None
    facts = json.loads(data[place:line_end])
    end = line_end + 1 + int(facts["octets"])
    if end > len(data):
        return None
    return end, Piece(tuple(facts["to"]), data[line_end + 1 : end], facts["client"])
