"""The server under the knife: a real `restante serve`, whose lives are short."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from restante.mail.message import message_name
from tests.acceptance.crash.books import ALPHA, BETA
from tests.acceptance.crash.destination import Destination
from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually

FAULTY: Final = Path(__file__).with_name("server.py")
CONNECTIONS: Final = 4  # for each domain's drain
PATIENCE: Final = 90.0  # seconds


class Victim(Installation):
    """An installation that keeps the log of its server's present life only."""

    def host_at(self, destination: Destination, *, is_told: bool = False) -> None:
        """Host both domains, each of an account of its own; the second may be told the client."""
        most = ("--connections", str(CONNECTIONS))
        self.hosts(ALPHA, at(destination), *most, account="alpha")
        if is_told:
            told = f"{destination.address}:{destination.proxy_port}"
            self.hosts(BETA, told, *most, "--client-address", "proxy", account="beta")
        else:
            self.hosts(BETA, at(destination), *most, account="beta")

    @property
    def key_file(self) -> Path:
        """Where the key is that opens its mail."""
        return self.directory / "restante.key"

    @property
    def store(self) -> Path:
        """Where its mail is."""
        return self.directory / "data"

    def start(self) -> None:
        """Begin a life."""
        self._clear()
        self.begin()
        self.await_start()

    def start_with(self, fault: str, nth: int) -> None:
        """Begin a life that ends by itself at a named point, perhaps before this returns."""
        self._clear()
        self._process.start([sys.executable, FAULTY, self.config, fault, str(nth)])
        eventually(
            lambda: not self.is_running or self.events("server-ready"),
            what="the server",
            timeout=PATIENCE,
        )

    def wait_until_it_leaves(self) -> int:
        """Return its exit code when it has ended by itself."""
        eventually(lambda: not self.is_running, what="the server to leave", timeout=PATIENCE)
        return self._process.end_by(signal.SIGKILL)

    def _clear(self) -> None:
        if self.is_running:  # a test that failed has left it, and it has the ports
            self.kill()
        assert not self.events("internal-error"), self.log_tail()
        self.log_path.unlink(missing_ok=True)

    def wait_until_dead(self) -> None:
        """Return when it has ended by itself, which must have been by SIGKILL."""
        assert self.wait_until_it_leaves() == -signal.SIGKILL, self.log_tail()

    def dies_before_drains_end(self) -> bool:
        """Wait until the server has died, or has no drain left, and say whether it has died."""

        def has_no_drain() -> bool:
            status = self.ask("GET", "/v1/status")
            return status is not None and not status["drains"]

        eventually(
            lambda: not self.is_running or has_no_drain(),
            what="the drains to end",
            timeout=PATIENCE,
        )
        return not self.is_running

    def release(self) -> None:
        """Ask for both domains' mail, as the operator; one that dies of it is no failure."""
        self.ask("POST", "/v1/release", {"targets": [ALPHA, BETA]})

    def release_named(self, numbers: Iterable[int]) -> None:
        """Ask for these messages alone, as the operator."""
        names = [message_name(number) for number in numbers]
        self.ask("POST", "/v1/queue/release", {"names": names, "reason": "wanted now"})

    def held_by_its_word(self) -> int:
        """Return how many messages the server itself says it holds."""
        messages: int = self.ask("GET", "/v1/status")["messages"]
        return messages

    def wait_until_empty(self, timeout: float = 120.0) -> None:
        """Return when the server says that it holds nothing."""
        eventually(lambda: self.held_by_its_word() == 0, what="the drain to end", timeout=timeout)

    def wait_until_only_refused(self, timeout: float = 120.0) -> None:
        """Return when nothing is held but what was refused."""

        def is_so() -> bool:
            status = self.ask("GET", "/v1/status")
            return bool(status["held"] == 0 and not status["drains"])

        eventually(is_so, what="the drain to end", timeout=timeout)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Make a request to the control socket; None if the server died of it."""
        connection = _ControlConnection(self.store / "control.sock")
        headers = {"Content-Type": "application/json"}
        try:
            connection.request(
                method, path, json.dumps(body) if body is not None else None, headers
            )
            return json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


class _ControlConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("restante", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self._path))
