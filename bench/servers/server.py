"""The interface that the bench needs of each server."""

import smtplib
import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from bench.domains import HOST, domain
from tests.acceptance.peers.primary import KeyPair

LINE_ENDS: Final = 0.98  # of the octets are there where a server keeps a CRLF as one octet


class Lost(Exception):  # noqa: N818
    """Accepted mail is missing, so the measurement is void."""


@dataclass(frozen=True, slots=True)
class Held:
    """The mail that a server has accepted and still has."""

    messages: int
    octets: int  # at least those of the content, but for line ends


class StockPrimary(Protocol):
    """The common parts of the tests' Postfix and Exim, and their leading process."""

    port: int
    log_path: Path
    keys: KeyPair | None

    @property
    def pid(self) -> int:
        """Its leading process."""

    def start(self) -> None:
        """Start it."""

    def stop(self) -> None:
        """Stop it."""

    def __exit__(self, *_: object) -> None:
        """Stop it, and remove its directory."""


class Server(ABC):
    """One server on a port of its own, with its store on the disk that all of them share."""

    name: str
    port: int
    has_tls = False  # whether it offers STARTTLS when next started; Restante always does

    @abstractmethod
    def start(self) -> None:
        """Start it with nothing held."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it."""

    def kill(self) -> None:
        """End it, in whatever state it is."""
        self.stop()

    @property
    @abstractmethod
    def pid(self) -> int:
        """Its leading process."""

    @property
    def leaders(self) -> list[int]:
        """The leading processes of all that it uses, a database of its own too."""
        return [self.pid]

    @abstractmethod
    def held(self) -> Held:
        """Tell what it holds."""

    def settle(self) -> None:  # noqa: B027  most have nothing to do
        """Wait until it has done all that taking mail costs, be it after its 250."""

    def ask_for_mail(self, target: str = domain()) -> float:
        """Ask for mail by ETRN, and return the moment just before (monotonic seconds)."""
        with smtplib.SMTP(HOST, self.port, timeout=60) as session:
            self._introduce(session, target)
            begin = time.monotonic()
            code, text = session.docmd("ETRN", target)
            assert code // 100 == 2, f"ETRN: {code} {text!r}"
            return begin

    def _introduce(self, session: smtplib.SMTP, target: str) -> None:  # noqa: ARG002  whoever asks may ask
        session.ehlo()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run it for the time of a block, with nothing held at first."""
        with self.started_by(self.start):
            yield

    @contextmanager
    def started_by(self, start: Callable[[], None]) -> Iterator[None]:
        """Run it for the time of a block; one that does not come up is done away with."""
        try:
            start()
        except BaseException:
            self.kill()
            raise
        try:
            yield
        finally:
            self.stop()

    def check_held(self, messages: int, octets_each: int) -> None:
        """Check that all accepted mail is held. Raises Lost."""
        held = self.held()
        if held.messages != messages or held.octets < messages * octets_each * LINE_ENDS:
            raise Lost(
                f"{self.name} said 250 to {messages} messages of {octets_each} octets, and holds"
                f" {held}"
            )


class StockServer(Server):
    """A server of the distribution, run as in the tests, with TLS only where that is measured."""

    def __init__(self, primary: StockPrimary, keys: KeyPair | None) -> None:
        """`keys` are for when it offers TLS."""
        self._primary = primary
        self._keys = keys
        self.port = primary.port

    @abstractmethod
    def _queue_files(self) -> Iterable[Path]:
        """List all that it keeps mail in."""

    def start(self) -> None:
        """Start with an empty queue."""
        for file in self._queue_files():
            file.unlink()
        self._primary.log_path.write_bytes(b"")
        self._primary.keys = self._keys if self.has_tls else None
        self._primary.start()

    def stop(self) -> None:
        """Stop all its processes."""
        self._primary.stop()

    def close(self) -> None:
        """Stop and remove everything."""
        self._primary.__exit__()

    @property
    def pid(self) -> int:
        """Its leading process."""
        return self._primary.pid


def anybody() -> ssl.SSLContext:
    """Return a context that checks no certificate: this is loopback."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
