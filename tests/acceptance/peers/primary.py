"""A primary: a stock mail server that delivers its domains' mail to a mailbox we can compare.

    with PostfixPrimary(["alpha.example"]) as primary:   # nothing runs yet: the primary is off
        primary.start()
        …
        [message] = primary.wait_for(1)

Every local part is accepted. The configuration is written at each start, so a test may change
`rejects` or `settings` while the primary is off. Port and mailbox stay the same until the `with`
ends.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from tests.acceptance.peers.eventually import PATIENCE, eventually
from tests.acceptance.peers.mailbox import Maildir
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.process_group import ProcessGroup


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A server's certificate (with its chain) and key, as PEM files. A primary offers STARTTLS."""

    certificate: Path
    key: Path


class Primary(ABC):
    """The common part of all primaries. A subclass knows one mail server's configuration."""

    log_path: Path
    mailbox: Maildir

    def __init__(
        self,
        domains: Sequence[str],
        *,
        address: str = "127.0.0.1",
        port: int | None = None,
        hostname: str = "primary.example",
        keys: KeyPair | None = None,
        rejects: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare a primary without starting it.

        address: of this machine; each of 127.0.0.0/8 will do, so that primaries can be told apart.
        rejects: forward-path → reply to its RCPT, such as "550 5.1.1 no mailbox here".
        settings: further settings in the mail server's own words; they win over ours.
        """
        self.domains = list(domains)
        self.address = address
        self.port = port or free_port(address)
        self.hostname = hostname
        self.keys = keys
        self.rejects = dict(rejects or {})
        self.settings = dict(settings or {})
        self._directory = self._make_directory()
        self._processes = ProcessGroup(self.log_path)

    @abstractmethod
    def _make_directory(self) -> TemporaryDirectory[str]:
        """Make the server's own directory, and set `log_path` and `mailbox` within it."""

    @abstractmethod
    def _configure(self) -> list[str | Path]:
        """Write the configuration and return the command that runs the server in the foreground."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._directory.cleanup()

    def start(self) -> None:
        """Start the server, and return when it answers."""
        self._processes.start(self._configure())
        try:
            eventually(self._answers, what=f"a greeting from {self.address} port {self.port}")
        except AssertionError as failure:
            failure.add_note(self._log_end())
            raise

    def stop(self) -> None:
        """Stop the server, and return when no process of it is left. Mail stays."""
        self._processes.stop()

    def messages(self) -> list[bytes]:
        """Return what lies in the mailbox, raw, oldest first: one for each recipient."""
        return self.mailbox.messages()

    def wait_for(self, count: int, timeout: float = PATIENCE) -> list[bytes]:
        """Return the messages once at least `count` have arrived."""
        try:
            eventually(
                lambda: self.mailbox.count() >= count, what=f"{count} messages", timeout=timeout
            )
        except AssertionError as failure:
            failure.add_note(
                f"{self.mailbox.count()} have arrived; the primary's log ends:\n{self._log_end()}"
            )
            raise
        return self.messages()

    def log(self) -> str:
        """Return what the server has logged."""
        return self.log_path.read_text(errors="replace")

    def _log_end(self) -> str:
        return "".join(self.log().splitlines(keepends=True)[-50:])

    def _answers(self) -> bool:
        assert self._processes.is_running, "the server ended at once"
        try:
            with socket.create_connection((self.address, self.port), timeout=5) as connection:
                return _greets(connection)
        except (ConnectionError, TimeoutError):
            return False


def _greets(connection: socket.socket) -> bool:
    """Read the greeting and send QUIT, so that a primary's log has no complaints."""
    with connection.makefile("rb") as replies:
        greeting = replies.readline()
        connection.sendall(b"QUIT\r\n")
        replies.read()
    return greeting.startswith(b"220")
