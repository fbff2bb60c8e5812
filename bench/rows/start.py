"""The processor time of a start: from `restante serve` until SMTP greets, with an empty store.

Each start has an interpreter of its own, as an operator's has. The time is that of all processes of
the server, read when its greeting has come. The files of the program are in the page cache.
"""

import socket
import statistics
import time
from typing import Final

from bench.domains import HOST
from bench.measure import cpu_seconds
from bench.results import Sample
from bench.rows.row import Extent, Row
from bench.servers.park import Park
from bench.servers.restante import RestanteServer

STARTS: Final = 7  # in a round
PATIENCE: Final = 60.0  # seconds
PAUSE: Final = 0.002  # seconds
_GREETING: Final = b"220 "


class StartRow(Row):
    """Starts in a round, of which the median is told."""

    name = "start-cpu"
    title = "start with an empty store, until SMTP greets"
    unit = "CPU s"
    ratios = ()

    def __init__(self, park: Park, starts: int = STARTS) -> None:
        self.subjects = ("Restante",)
        self.note = f"the median of {starts} starts"
        self._park = park
        self._starts = starts

    def run(self, subject: str, *, is_first: bool) -> Sample:  # noqa: ARG002  each round is like the first
        """Start it, and again."""
        server = self._park.restante
        with server.by_new_interpreters():
            return Sample(statistics.median(_started(server) for _ in range(self._starts)))


def _started(server: RestanteServer) -> float:
    with server.started_by(server.begin):
        _await_greeting(server.port)
        used = cpu_seconds(server.pid)
        server.await_start()  # before it is stopped
    return used


def _await_greeting(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with socket.create_connection((HOST, port), timeout=PATIENCE) as session:
                assert session.recv(1024).startswith(_GREETING)
                return
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(PAUSE)


def start_rows(park: Park, extent: Extent) -> list[Row]:
    """Return it, in the quick run with fewer starts."""
    return [StartRow(park, 3 if extent is Extent.QUICK else STARTS)]
