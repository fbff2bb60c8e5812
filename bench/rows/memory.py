"""Memory for each connection: idle, in clear and under TLS; and in the middle of a large message.

The figure is the server's memory with many connections, minus its memory with a few, divided by the
difference in connections. For a message half-way it is the maximum while the content arrived. The
kernel's buffers are not included. Postfix and Exim use a process for each connection. They get
fewer connections, because the figure does not depend on the number.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Final

from bench.domains import ROOT
from bench.load.crowd import Crowd
from bench.measure import KIBIBYTE, Meter, memory
from bench.results import Sample
from bench.rows.row import Extent, Row
from bench.servers.park import EXIM, POSTFIX_HOLDS, RESTANTE, Park

LARGE: Final = 50_000_000
FEW: Final = 20
REST_PAUSE: Final = 0.5  # seconds
REST_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Case:
    """The state of the connections."""

    name: str
    title: str
    has_tls: bool = False
    size: int = 0


IDLE: Final = _Case("memory-idle", "memory of an idle connection")
IDLE_TLS: Final = _Case("memory-idle-tls", "memory of an idle connection, TLS", has_tls=True)
LARGE_MAIL: Final = _Case(
    "memory-50mb", "memory of a connection in the middle of 50 MB", size=LARGE
)


class MemoryRow(Row):
    """One kind of connection, of each server as many as it is given."""

    unit = "KiB/connection"

    def __init__(self, park: Park, case: _Case, connections: dict[str, int]) -> None:
        self.name = case.name
        self.title = case.title
        self.subjects = [_spelled(server, count) for server, count in connections.items()]
        self.ratios = [(peer, self.subjects[0]) for peer in self.subjects[1:]]
        self._case = case
        self._park = park
        self._work = dict(zip(self.subjects, connections.items(), strict=True))

    def run(self, subject: str, *, is_first: bool) -> Sample:  # noqa: ARG002  each round is like the first
        """Connect, and compare."""
        name, count = self._work[subject]
        server = self._park[name]
        server.has_tls = self._case.has_tls
        with server.running(), self._crowd(server.port, FEW, sent=0):
            before = at_rest(server.pid)
            with (
                Meter(server.pid) as meter,
                self._crowd(server.port, count, sent=self._case.size // 2),
            ):
                standing = at_rest(server.pid)
        most = meter.memory if self._case.size else standing
        return Sample((most - before) / count / KIBIBYTE, memory=most)

    @contextmanager
    def _crowd(self, port: int, count: int, *, sent: int) -> Iterator[None]:
        """Have so many connections stand there during the block."""
        order = Crowd(port, count, self._case.has_tls, self._case.size, sent)
        command = [sys.executable, "-m", "bench.load.crowd", json.dumps(asdict(order))]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as crowd:
            assert crowd.stdin
            assert crowd.stdout
            assert crowd.stdout.readline() == "ready\n", f"{count} connections could not be made"
            yield
            crowd.stdin.close()


def at_rest(pid: int) -> int:
    """Return the memory once it is stable: work that a start left behind is soon done."""
    before, deadline = 0, time.monotonic() + REST_SECONDS
    while abs((now := memory(pid)) - before) > now / 1000 and time.monotonic() < deadline:
        before = now
        time.sleep(REST_PAUSE)
    return now


def _spelled(server: str, count: int) -> str:
    return f"{server}, {count:,} connections"


def _many() -> int:
    """Return 10,000, or fewer if open files are limited: Restante uses two for each session."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(10_000, limit * 2 // 5)


def memory_rows(park: Park, extent: Extent) -> list[Row]:
    """Return them: in the quick run, idle connections of Restante only."""
    if extent is Extent.QUICK:
        return [MemoryRow(park, case, {RESTANTE: 1000}) for case in (IDLE, IDLE_TLS)]
    idle = {RESTANTE: _many(), POSTFIX_HOLDS: 200, EXIM: 200}
    large = {RESTANTE: 200, POSTFIX_HOLDS: 200, EXIM: 200}
    return [
        MemoryRow(park, IDLE, idle),
        MemoryRow(park, IDLE_TLS, idle),
        MemoryRow(park, LARGE_MAIL, large),
    ]
