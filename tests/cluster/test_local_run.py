"""The files of contrib/compose, run without containers, as its how-to says."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import asyncpg
import pytest

from tests.acceptance.command import CommandLine
from tests.acceptance.installation import ALPHA, CHECKOUT, _add_account, _do, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.process_group import ProcessGroup
from tests.acceptance.peers.server import Server, Tls
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import message, send
from tests.acceptance.session import Session

RUN_LOCAL: Final = CHECKOUT / "contrib/compose/run_local.py"
FIRST_PORT: Final = 20100
START: Final = 120.0  # seconds, on a busy machine
SERVICE: Final = re.compile(r"^(\w+)  process (\d+), (.+)$", re.MULTILINE)
DOMAIN: Final = "alpha.example"


class LocalCluster:
    """The databases and servers that the script has started."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._output = directory / "output"
        self._process = ProcessGroup(self._output)

    def start(self) -> None:
        """Start all, and return once they are ready."""
        words = (self.directory / "run", "--first-port", str(FIRST_PORT))
        self._process.start([sys.executable, RUN_LOCAL, *words])
        self._wait_until_ready(1)

    def start_again(self) -> None:
        """Start what has ended."""
        ready = self._times_ready()
        assert self._process._leader is not None
        os.kill(self._process._leader.pid, signal.SIGHUP)
        self._wait_until_ready(ready + 1)

    def stop(self) -> str:
        """Stop all, and return what the script has printed."""
        leader = self._process._leader
        assert leader is not None
        leader.send_signal(signal.SIGINT)
        assert leader.wait(60) == 0, self._output.read_text()
        self._process.stop()
        return self._output.read_text()

    def end(self) -> None:
        """Leave no process, whatever has happened."""
        self._process.stop()

    def kill(self, name: str) -> None:
        """End a service as a power cut would."""
        os.kill(self._service(name)[0], signal.SIGKILL)

    def server(self, name: str, kind: str = "mail", tls: Tls = Tls.NONE) -> Server:
        """Return a listener of a server."""
        ports = dict(entry.rsplit(" ", 1) for entry in self._service(name)[1].split(", "))
        return Server("localhost", int(ports[kind]), tls, self.directory / "run/secrets/cert.pem")

    def config(self, name: str) -> Path:
        """Return the configuration of a server."""
        return self.directory / f"run/{name}/restante.toml"

    def ask(self, name: str, statement: str) -> list[Any]:
        """Ask a database as its administrator; nothing if it is away."""
        [port] = re.findall(r"database (\d+)", self._service(name)[1])
        place = self.directory / f"run/{name}"

        async def ask() -> list[Any]:
            connection = await asyncpg.connect(
                host=str(place), port=int(port), user="postgres", database="postgres"
            )
            try:
                return [row[0] for row in await connection.fetch(statement)]
            finally:
                await connection.close()

        try:
            return asyncio.run(ask())
        except (OSError, asyncpg.PostgresError):
            return []

    def _service(self, name: str) -> tuple[int, str]:
        found = {one[0]: (int(one[1]), one[2]) for one in SERVICE.findall(self._printed())}
        return found[name]

    def _printed(self) -> str:
        return self._output.read_text() if self._output.exists() else ""

    def _times_ready(self) -> int:
        return self._printed().splitlines().count("ready")

    def _wait_until_ready(self, times: int) -> None:
        def is_ready() -> bool:
            assert self._process.is_running, self._printed()
            return self._times_ready() >= times

        eventually(is_ready, what="all services", timeout=START)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """All services, in memory."""
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() else None
    with TemporaryDirectory(prefix="local-", dir=place) as directory:
        Path(directory).chmod(0o755)  # the databases have a user of their own
        cluster = LocalCluster(Path(directory))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.end()


@pytest.fixture
def primary() -> Iterator[SmtpSink]:
    """A primary."""
    with SmtpSink() as primary:
        primary.start()
        yield primary


@pytest.mark.timeout(480)
def test_mail_survives_a_server_and_a_database(cluster: LocalCluster, primary: SmtpSink) -> None:
    config, third = cluster.config("mx1"), CommandLine(cluster.config("mx3"))
    _add_account(config, ALPHA)
    options = ("--account", ALPHA.user, "--destination", at(primary), "--allow", "127.0.0.1")
    _do(config, "domain", "add", DOMAIN, *options)
    for name in ("mx2", "mx3"):  # each learns of it within a second or two
        wait_until_known(CommandLine(cluster.config(name)))

    send(cluster.server("mx1"), f"reader@{DOMAIN}", content=message("one"))
    cluster.kill("mx1")
    ask(cluster, "mx3")
    eventually(lambda: primary.count() == 1, what="the mail of the killed server")

    send(cluster.server("mx2"), f"reader@{DOMAIN}", content=message("two"))
    cluster.kill("db1")
    new, other = promote(cluster)
    standbys = "SELECT application_name FROM pg_stat_replication ORDER BY 1"
    eventually(lambda: cluster.ask(new, standbys) == [other], what="a standby")
    eventually(lambda: third.run("status").code == 0, what="the database")
    ask(cluster, "mx3")
    eventually(lambda: primary.count() == 2, what="the mail from before the promotion")

    cluster.start_again()
    eventually(lambda: cluster.ask(new, standbys) == ["db1", other], what="db1")
    send(cluster.server("mx1"), f"reader@{DOMAIN}", content=message("three"))
    ask(cluster, "mx2")
    eventually(lambda: primary.count() == 3, what="the mail of the server that is back")

    printed = cluster.stop()
    assert re.search(r"^mx1  ended with -9; see \S+/mx1/log$", printed, re.MULTILINE)
    assert printed.endswith("stopping\n")


def wait_until_known(server: CommandLine) -> None:
    """Return when a server has the domain."""
    eventually(lambda: DOMAIN in server.run("domain", "list").out, what="the domain")


def promote(cluster: LocalCluster) -> list[str]:
    """Promote the standby that has more of the log. Return the names of both, that one first."""
    received = "SELECT pg_last_wal_receive_lsn() - '0/0'"
    standbys = sorted(("db2", "db3"), key=lambda name: -cluster.ask(name, received)[0])
    assert cluster.ask(standbys[0], "SELECT pg_promote()") == [True]
    return standbys


def ask(cluster: LocalCluster, name: str) -> None:
    """Have a server release the domain, by ETRN."""

    def released() -> bool:
        server = cluster.server(name, "mail in TLS", Tls.IMPLICIT)
        with Session(server) as asker:
            # Both are deferred while a new primary is looked for.
            is_in = asker.authenticate(ALPHA).startswith(b"235")
            return is_in and asker.say(f"ETRN {DOMAIN}").startswith(b"25")

    eventually(released, what="a granted ETRN")


def test_a_machine_without_postgresql_is_told_what_is_missing(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, RUN_LOCAL, tmp_path, "--postgres", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 69
    assert ended.stderr.startswith("run_local.py: no programs of PostgreSQL 17 or newer were found")
