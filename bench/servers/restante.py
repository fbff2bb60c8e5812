"""Restante, as `restante init` makes it, with its limits raised above what the bench does to it."""

import http.client
import json
import shutil
import smtplib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.domains import (
    ACCOUNT,
    HOST,
    OTHER,
    OTHER_ACCOUNT,
    ROOT,
    SENDER,
    domain,
    mailbox,
)
from bench.servers.server import Held, Server, anybody
from restante.reception.descriptor_limit import sessions_possible
from tests.acceptance.installation import Installation
from tests.acceptance.peers.primary import KeyPair
from tests.acceptance.peers.server import Login
from tests.acceptance.peers.server import Server as PeerServer

# The tests' values are shorter than the defaults. Without patience a drain that is sent away ends.
DELIVERY: Final = {"first_retry": 5.0, "longest_retry": 300.0, "patience": 0.0}
SEALED: Final = "\nseal_content = true\n"
# As many sessions as the system allows: with a higher number, one block would get a quarter.
LIMITS: Final = f"""
[reception]
connections_limit = {sessions_possible()}
unauthenticated_limit = 60000
connections_per_block_limit = 60000
connections_per_minute = 100000000
authentications_per_minute = 100000
releases_per_minute = 100000
"""


class RestanteServer(Server):
    """The server under test, and its stores: an empty one, and those filled beforehand."""

    def __init__(
        self, name: str, destination_port: int, other_port: int, *, seals: bool = True
    ) -> None:
        """Give the local ports that get the mail: of the numbered domains, and of OTHER.

        `seals`: content is sealed, as `restante init` configures it.
        """
        self.name = name
        self._made = Installation(delivery=DELIVERY, more=LIMITS).__enter__()
        self._key_file = seal(self._made, seals=seals)
        self._login = self._made.hosts(domain(), f"{HOST}:{destination_port}", account=ACCOUNT)
        self._other_login = self._made.hosts(OTHER, f"{HOST}:{other_port}", account=OTHER_ACCOUNT)
        self._destination_port = destination_port
        self._stores = self._made.directory / "stores"
        self._stores.mkdir()
        self._empty = Path(shutil.copytree(self._data, self._stores / "empty"))
        self.port = self._made.mx_port

    def close(self) -> None:
        """Remove everything."""
        self._made.__exit__()

    @property
    def keys(self) -> KeyPair:
        """Its certificate and key, so that the peers can show the same."""
        return KeyPair(self._made.directory / "tls/cert.pem", self._made.directory / "tls/key.pem")

    def start(self) -> None:
        """Start with nothing held."""
        self._start_on_copy(self._empty)

    def begin(self) -> None:
        """Begin to start with nothing held, and wait for nothing."""
        self._copy(self._empty)
        self._made.log_path.unlink(missing_ok=True)
        self._made.begin()

    def await_start(self) -> None:
        """Wait until it is ready."""
        self._made.await_start()

    def _start_on_copy(self, store: Path) -> None:
        self._copy(store)
        self.start_again()

    def _copy(self, store: Path) -> None:
        shutil.rmtree(self._data)
        shutil.copytree(store, self._data, ignore=shutil.ignore_patterns("*.sock"))

    def start_again(self) -> None:
        """Start with the present store."""
        self._made.log_path.unlink(missing_ok=True)
        self._made.start()

    @contextmanager
    def by_new_interpreters(self) -> Iterator[None]:
        """Start it in the block as `restante serve` does, not from a process that has its code.

        So it uses the time and the memory of a start.
        """
        self._made.is_forked = False
        try:
            yield
        finally:
            self._made.is_forked = True

    def stop(self) -> None:
        """Stop in good order."""
        self._made.stop()

    def kill(self) -> None:
        """End it, if it runs."""
        if self._made.is_running:
            self._made.kill()

    @property
    def pid(self) -> int:
        """Its one process."""
        return self._made.pid

    def held(self) -> Held:
        """Ask it."""
        status = self.status()
        return Held(status["messages"], status["octets"])

    def status(self) -> dict[str, Any]:
        """Return what `restante status` shows."""
        return status_of(self._made.socket)

    def metrics(self) -> bytes:
        """Return its metrics, read at the control socket."""
        return read_control(self._made.socket, "/metrics")

    def command(self, *words: str) -> str:
        """Run a command of `restante`, and return what it printed."""
        return self._made.do(*words)

    def allow_turnarounds(self) -> tuple[PeerServer, Login]:
        """Allow them to the first domain; return where to ask, and the login to ask with."""
        self.command("domain", "set", domain(), "--turnaround", "allow")
        self.command("login", "set", ACCOUNT, self._login.user, "--turnaround")
        return self._made.odmr, self._login

    def holds_one(self, hosted: str) -> None:
        """Host a further domain that allows turnarounds, with one message."""
        owner = ("--account", ACCOUNT, "--destination", "none", "--allow", HOST)
        self.command("domain", "add", hosted, *owner, "--turnaround", "allow")
        with smtplib.SMTP(HOST, self.port, timeout=60) as session:
            session.sendmail(SENDER, [mailbox(hosted)], "Subject: one\r\n\r\none\r\n")

    def _introduce(self, session: smtplib.SMTP, target: str) -> None:
        login = self._other_login if target == OTHER else self._login
        session.starttls(context=anybody())
        session.login(login.user, login.password)

    # Stores that were filled

    @contextmanager
    def running_filled(
        self, messages: int, size: int, *, domains: int = 1, others: int = 0
    ) -> Iterator[None]:
        """Run on a copy of a store with so many messages of `size` octets. The copy is removed."""
        store = self._filled(messages, size, domains, others)
        with self.started_by(partial(self._start_on_copy, store)):
            yield

    @contextmanager
    def lent_filled(
        self, messages: int, size: int, *, domains: int = 1, others: int = 0
    ) -> Iterator[None]:
        """Lend the stopped server such a store during a block. Its changes to the store stay."""
        store = self._filled(messages, size, domains, others)
        shutil.rmtree(self._data)
        store.rename(self._data)
        try:
            yield
        finally:
            self._data.rename(store)
            shutil.copytree(self._empty, self._data)

    @contextmanager
    def running_emptied(
        self, messages: int, size: int, empty: Callable[[], None]
    ) -> Iterator[None]:
        """Run on a copy of a store that once held so much. The first call has it emptied."""
        store = self.emptied(messages, size, empty)
        with self.started_by(partial(self._start_on_copy, store)):
            yield

    def emptied(self, messages: int, size: int, empty: Callable[[], None]) -> Path:
        """Return a store that once held so much."""
        store = self._stores / f"{messages}-{size}-emptied"
        if not store.exists():
            with self.running_filled(messages, size):
                empty()
            shutil.copytree(self._data, store, ignore=shutil.ignore_patterns("*.sock"))
        return store

    def _filled(self, messages: int, size: int, domains: int, others: int) -> Path:
        """Return a filled store. The first call fills it."""
        store = self._stores / f"{messages}-{size}-{domains}-{others}"
        if not store.exists():
            half = Path(
                shutil.copytree(self._empty, store.with_suffix(".half"), dirs_exist_ok=True)
            )
            facts = {"messages": messages, "size": size, "domains": domains, "others": others}
            facts |= {"port": self._destination_port}
            words = [f"sqlite:{half}", json.dumps({**facts, "key_file": self._key_file})]
            subprocess.run(
                [sys.executable, "-m", "bench.servers.filling", *words], check=True, cwd=ROOT
            )
            half.rename(store)
        return store

    def stored_octets(self) -> bytes:
        """Return the files of the database."""
        return b"".join(file.read_bytes() for file in self._data.glob("restante.db*"))

    def disk_octets(self, store: Path | None = None) -> int:
        """Return the octets on disk of a store, the present one if none is given.

        The file that keeps room for removals is not counted.
        """
        files = (store or self._data).rglob("*")
        return sum(
            one.stat().st_blocks * 512 for one in files if one.is_file() and one.name != "ballast"
        )

    @property
    def _data(self) -> Path:
        return self._made.directory / "data"


def seal(made: Installation, *, seals: bool) -> str:
    """Have the configuration say whether content is sealed, and return the key file, or ""."""
    text = made.config.read_text()
    assert SEALED in text, "`restante init` seals"
    if seals:
        return str(made.directory / "restante.key")
    made.config.write_text(text.replace(SEALED, SEALED.replace("true", "false")))
    return ""


def status_of(socket_path: Path) -> dict[str, Any]:
    """Return what `restante status` shows, from a server's control socket."""
    status: dict[str, Any] = json.loads(read_control(socket_path, "/v1/status"))
    return status


def read_control(socket_path: Path, path: str) -> bytes:
    """Return the answer to a GET at a server's control socket."""
    connection = _ControlConnection(socket_path)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


class _ControlConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("restante", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(str(self._path))
