"""Taking mail: messages of one size over so many sessions, each message durable before its 250.

A fifth of the load is sent before the clock starts, so that processes run and files are open. The
first round counts its syncs. The CPU seconds include the work after the last 250.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.load.load import Load
from bench.measure import Meter
from bench.results import Sample
from bench.rows.row import Extent, Row
from bench.servers.park import (
    EXIM,
    FLOOR,
    POSTFIX,
    POSTFIX_HOLDS,
    RESTANTE,
    SHARED,
    SHARED_ALONE,
    Park,
)
from bench.servers.server import Server
from bench.syncs import counting_syncs

KIB: Final = 1024
MIB: Final = 1024 * 1024
WARMTH: Final = 5  # a fifth of the load


class AcceptRow(Row):
    """One load, taken by several servers."""

    def __init__(
        self, name: str, title: str, load: Load, park: Park, subjects: Sequence[str]
    ) -> None:
        self.name = name
        self.title = title
        self.note = f"{load.messages:,} messages"
        self.subjects = subjects
        shared = [subject for subject in subjects if subject in SHARED]
        self.ratios = [
            *((RESTANTE, peer) for peer in subjects if peer != RESTANTE),
            *((subject, POSTFIX) for subject in shared),
            *((subject, SHARED_ALONE) for subject in shared if subject != SHARED_ALONE),
        ]
        self._load = load
        self._park = park

    def run(self, subject: str, *, is_first: bool) -> Sample:
        """Send the load, and see that the server holds all of it."""
        server, load = self._park[subject], self._load
        server.has_tls = load.has_tls
        with server.running():
            warmth = self._warmth()
            has_own_syncs = len(server.leaders) == 1  # not those of a database
            syncs = _warm_up(server, warmth, counts_syncs=is_first and has_own_syncs)
            with Meter(*server.leaders) as meter:
                seconds = load.send(server.port)
                server.settle()
            server.check_held(warmth.messages + load.messages, load.octets)
        return Sample(
            load.messages / seconds, meter.cpu / load.messages * 1000, meter.memory, syncs
        )

    def _warmth(self) -> Load:
        return self._load.with_messages(max(self._load.messages // WARMTH, self._load.sessions))


def _warm_up(server: Server, load: Load, *, counts_syncs: bool) -> float | None:
    """Send a load to count its syncs. Return those per message, or None without a count."""
    count = None
    if counts_syncs:
        with counting_syncs(server.pid) as syncs:
            load.send(server.port)
            server.settle()
        count = syncs.count
    else:
        load.send(server.port)
        server.settle()
    os.sync()
    return None if count is None else count / load.messages


@dataclass(frozen=True, slots=True)
class _Case:
    """One point of the axes: size, sessions, connections kept or not, TLS, BDAT."""

    octets: int
    sessions: int
    is_kept: bool = False
    has_tls: bool = False
    has_chunks: bool = False

    @property
    def name(self) -> str:
        marks = [("kept", self.is_kept), ("tls", self.has_tls), ("bdat", self.has_chunks)]
        return "-".join(
            [
                "accept",
                _SIZES[self.octets][0],
                str(self.sessions),
                *(mark for mark, is_on in marks if is_on),
            ]
        )

    @property
    def title(self) -> str:
        connections = "kept connections" if self.is_kept else "a connection per message"
        sessions = "1 session" if self.sessions == 1 else f"{self.sessions} sessions"
        how = ", TLS" * self.has_tls + ", pipelined BDAT" * self.has_chunks
        return f"accept {_SIZES[self.octets][1]}, {sessions}, {connections}{how}"

    def load(self, *, is_quick: bool) -> Load:
        messages = 2000 if is_quick else _SIZES[self.octets][2]
        if self.sessions == 1:
            messages //= 3
        if self.has_tls and not self.is_kept:
            messages //= 2
        messages = max(messages, self.sessions)
        return Load(
            messages, self.octets, self.sessions, self.is_kept, self.has_tls, self.has_chunks
        )

    def subjects(self) -> list[str]:
        exim = [EXIM] if self.is_kept else []
        is_main = self.octets == 4 * KIB and not (self.has_tls or self.has_chunks)
        holds = [POSTFIX_HOLDS] if is_main else []
        floor = [] if self.has_tls else [FLOOR]
        shared = SHARED if is_main and self.sessions in _SHARED_SESSIONS else ()
        return [RESTANTE, *shared, POSTFIX, *holds, *exim, *floor]


_SIZES: Final = {  # octets: name, title, messages
    4 * KIB: ("4k", "4 KiB", 4000),
    64 * KIB: ("64k", "64 KiB", 2000),
    MIB: ("1m", "1 MiB", 300),
    10 * MIB: ("10m", "10 MiB", 60),
}
_SESSIONS: Final = (1, 20, 100, 500)
_SHARED_SESSIONS: Final = (20, 100)

_QUICK: Final = [_Case(4 * KIB, 20), _Case(4 * KIB, 20, is_kept=True)]
_FULL: Final = [
    *(_Case(4 * KIB, sessions, is_kept) for is_kept in (False, True) for sessions in _SESSIONS),
    *(_Case(size, 20, is_kept=True) for size in (64 * KIB, MIB, 10 * MIB)),
    _Case(64 * KIB, 20),
    _Case(4 * KIB, 20, has_tls=True),
    _Case(4 * KIB, 20, is_kept=True, has_tls=True),
    _Case(4 * KIB, 100, is_kept=True, has_tls=True),
    _Case(MIB, 20, is_kept=True, has_tls=True),
    _Case(4 * KIB, 20, is_kept=True, has_chunks=True),
    _Case(MIB, 20, is_kept=True, has_chunks=True),
]
_EVERY: Final = [
    _Case(size, sessions, is_kept, has_tls)
    for has_tls in (False, True)
    for is_kept in (False, True)
    for size in _SIZES
    for sessions in _SESSIONS
]


def accept_rows(park: Park, extent: Extent) -> list[Row]:
    """Return them: the main two, a choice along each axis, or every combination."""
    is_quick = extent is Extent.QUICK
    cases = {
        Extent.QUICK: _QUICK,
        Extent.FULL: _FULL,
        Extent.EVERY: list(dict.fromkeys([*_EVERY, *_FULL])),
    }[extent]
    return [
        AcceptRow(case.name, case.title, case.load(is_quick=is_quick), park, case.subjects())
        for case in cases
    ]
