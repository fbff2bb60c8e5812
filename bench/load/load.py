"""A load, and sending it: by smtp-source(1) where that is enough, otherwise by our generator."""

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

from bench.domains import HOST, ROOT, SENDER, domain, mailbox
from bench.load.generator import Order
from tests.acceptance.peers.programs import run

PATIENCE: Final = 900.0  # seconds; only a server that hangs meets it


@dataclass(frozen=True, slots=True)
class Load:
    """So many messages over so many sessions."""

    messages: int
    octets: int  # of content, at least
    sessions: int
    is_kept: bool = False  # connections are, from message to message
    has_tls: bool = False
    has_chunks: bool = False  # BDAT

    def with_messages(self, messages: int) -> Self:
        """Return the same, shorter or longer."""
        return replace(self, messages=messages)

    def send(self, port: int) -> float:
        """Send it, and return the seconds it took."""
        if self.has_tls or self.has_chunks:
            return float(generate(self._order(port))["seconds"])
        return _smtp_source(self, port)

    def _order(self, port: int) -> Order:
        return Order(
            port=port,
            to=mailbox(domain()),
            size=self.octets,
            sessions=self.sessions,
            messages=self.messages,
            is_kept=self.is_kept,
            has_tls=self.has_tls,
            has_chunks=self.has_chunks,
        )


def _smtp_source(load: Load, port: int) -> float:
    kept = ["-d"] if load.is_kept else []
    words = ["-s", str(load.sessions), "-m", str(load.messages), "-l", str(load.octets)]
    envelope = ["-f", SENDER, "-t", mailbox(domain())]
    begin = time.perf_counter()
    sent = run("smtp-source", *kept, *words, *envelope, f"{HOST}:{port}", timeout=PATIENCE)
    seconds = time.perf_counter() - begin
    assert sent.returncode == 0, sent.stdout[-500:]
    return seconds


def generate(order: Order) -> dict[str, Any]:
    """Run the generator and return its result: `seconds`, `messages`, `slow` (milliseconds)."""
    return answer_of(begin_generating(order))


def begin_generating(order: Order) -> "subprocess.Popen[str]":
    """Start the generator without waiting. With no number of messages it runs until asked."""
    command = [sys.executable, "-m", "bench.load.generator", json.dumps(asdict(order))]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


def answer_of(generating: "subprocess.Popen[str]") -> dict[str, Any]:
    """End a generator's standard input, wait for it to end, and return what it says."""
    said, _ = generating.communicate(timeout=PATIENCE)
    assert generating.returncode == 0, "the load was not taken"
    answer: dict[str, Any] = json.loads(said)
    return answer
