"""Live traces of SMTP dialogues, for operators.

A trace has a source of clients, an end, and a bounded buffer. Sessions put their lines there and
never wait: lines that do not fit are dropped and counted, and the reader is told. While nobody
traces, a session does no work for it.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from restante.background.clocks import Wait, wait_at_most
from restante.mail.quantity import counted
from restante.network.addresses import join_host_port
from restante.smtp.masked_dialogue import masked_command, masked_reply
from restante.tenancy.model import IpAddress, IpNetwork

MOST_TRACES: Final = 4
MOST_LINES: Final = 2000  # of one trace that its reader has not taken
LINES_A_SECOND: Final = 2000  # that a reader gets at most: more of them would slow mail down
MOST_SECONDS: Final = 3600
HEARTBEAT_SECONDS: Final = 15.0


class TraceKind(StrEnum):
    """The kinds of lines."""

    CLIENT = "client"  # said by the client
    SERVER = "server"  # said by this server
    NOTE = "note"  # about the session
    MISSED = "missed"  # lines are missing here


@dataclass(frozen=True, slots=True)
class TracedLine:
    """One line of a dialogue, without secrets."""

    at: float  # Unix time
    session: str  # address and port of the client; "" for a line about the trace
    kind: TraceKind
    text: str


@dataclass(eq=False, slots=True)
class _Trace:
    source: IpNetwork
    ends_at: float  # seconds of the monotonic clock
    lines: deque[TracedLine] = field(default_factory=deque)
    missed: int = 0
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, line: TracedLine) -> None:
        if self.missed or len(self.lines) >= MOST_LINES:
            self.missed += 1
        else:
            self.lines.append(line)
        self.woken.set()

    def take(self, at: float) -> list[TracedLine]:
        """Return what has come, and how many lines are missing after it."""
        taken = [*self.lines]
        self.lines.clear()
        if self.missed:
            text = f"{counted(self.missed, 'line')} dropped: they came faster than they were read"
            taken.append(TracedLine(at, "", TraceKind.MISSED, text))
            self.missed = 0
        return taken


@dataclass(frozen=True, slots=True)
class TracedProcess:
    """The process whose sessions are traced."""

    worker: int = 0  # its number among several; 0: the only one
    workers: int = 1
    other_sockets: Mapping[int, str] = field(default_factory=dict)  # of control, by worker


class SessionTraces:
    """The traces that run. Belongs to the event loop."""

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        wait: Wait = wait_at_most,
        *,
        process: TracedProcess = TracedProcess(),
    ) -> None:
        """`now` is Unix time."""
        self._now = now
        self._monotonic = monotonic
        self._wait = wait
        self.process = process
        self._traces: list[_Trace] = []
        self._closing = asyncio.Event()
        self.is_active = False  # anybody traces: sessions ask for each piece that they read

    @property
    def has_room(self) -> bool:
        """Whether one more trace can run."""
        return len(self._traces) < MOST_TRACES

    async def follow(self, source: IpNetwork, seconds: float) -> AsyncIterator[list[TracedLine]]:
        """Yield the lines of matching sessions for so long. None of them is a sign of life."""
        trace = _Trace(source, self._monotonic() + seconds)
        self._traces.append(trace)
        self.is_active = True
        try:
            while not self._closing.is_set() and (left := trace.ends_at - self._monotonic()) > 0:
                await self._wait(trace.woken, min(left, HEARTBEAT_SECONDS))
                trace.woken.clear()
                yield (taken := trace.take(self._now()))
                await self._wait(self._closing, len(taken) / LINES_A_SECOND)
            if left_lines := trace.take(self._now()):
                yield left_lines
        finally:
            self._traces.remove(trace)
            self.is_active = bool(self._traces)

    def close(self) -> None:
        """End all: the server stops."""
        self._closing.set()
        for trace in self._traces:
            trace.woken.set()

    def observer(self, peer: IpAddress, port: int) -> "SessionObserver | None":
        """Return what observes a session for the traces; None if none is about the client."""
        if not any(peer in trace.source for trace in self._traces):
            return None
        return SessionObserver(self, peer, port)

    def tell(self, peer: IpAddress, session: str, kind: TraceKind, text: str) -> None:
        """Add a line to the traces of a client."""
        line = TracedLine(self._now(), session, kind, text)
        for trace in self._traces:
            if peer in trace.source:
                trace.add(line)


class SessionObserver:
    """Observes one session."""

    __slots__ = ("_content", "_peer", "_session", "_traces")

    def __init__(self, traces: SessionTraces, peer: IpAddress, port: int) -> None:
        self._traces = traces
        self._peer = peer
        self._session = join_host_port(str(peer), port)
        self._content = 0  # octets that came and were not told

    def heard_line(self, line: bytes, *, is_authenticating: bool) -> None:
        """Note a line of the client."""
        if self._traces.is_active:
            text = masked_command(line, is_authenticating=is_authenticating)
            self._tell(TraceKind.CLIENT, text)

    def heard_content(self, octets: int) -> None:
        """Note octets of content; their number is told with the next line."""
        self._content += octets

    def said(self, replies: bytes) -> None:
        """Note lines of ours."""
        if self._traces.is_active:
            for line in replies.split(b"\r\n")[:-1]:
                self._tell(TraceKind.SERVER, masked_reply(line))

    def note(self, text: str) -> None:
        """Note something about the session."""
        if self._traces.is_active:
            self._tell(TraceKind.NOTE, text)

    def _tell(self, kind: TraceKind, text: str) -> None:
        octets, self._content = self._content, 0
        if octets:
            content = f"(content, {counted(octets, 'octet')})"
            self._traces.tell(self._peer, self._session, TraceKind.CLIENT, content)
        self._traces.tell(self._peer, self._session, kind, text)
