"""Restante on PostgreSQL: one server, several workers or two servers, and the database beside.

The database syncs each commit, as PostgreSQL does by default, and has no standby. So a message is
as durable as in the other servers. The CPU time and the memory of the database count.
"""

import asyncio
import json
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import asyncpg

from bench.domains import ACCOUNT, HOST, ROOT, domain
from bench.servers.restante import DELIVERY, LIMITS, seal, status_of
from bench.servers.server import Held, Server, anybody
from tests.acceptance.installation import HOSTNAME, Installation
from tests.acceptance.peers.eventually import eventually
from tests.postgres_cluster import PostgresCluster

_FIGURES: Final = """
    SELECT coalesce(sum(messages), 0)::bigint, coalesce(sum(octets), 0)::bigint FROM usage
"""
_PAIR: Final = "bench_pair"
DURABLE: Final = {
    "fsync": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "max_connections": "120",
    "autovacuum": "on",
}


@contextmanager
def durable_cluster() -> Iterator[PostgresCluster]:
    """Run a database server that loses nothing in a crash, in a directory for temporary files."""
    with TemporaryDirectory(prefix="bench-postgres-") as place:
        cluster = PostgresCluster(Path(place), **DURABLE)
        try:
            yield cluster
        finally:
            cluster.stop()


class SharedRestante(Server):
    """One number of workers, with a database of its own."""

    def __init__(
        self, name: str, workers: int, destination_port: int, cluster: PostgresCluster
    ) -> None:
        """`destination_port` is local, and gets the mail."""
        self.name = name
        self._workers = workers
        self._destination_port = destination_port
        self._cluster = cluster
        self._database = f"bench_{workers}"
        self._command(f"CREATE DATABASE {self._database}")
        self._url = cluster.url(self._database)
        self._made = Installation(
            delivery=DELIVERY, more=LIMITS, database=self._url, top=f"workers = {workers}"
        ).__enter__()
        self._key_file = seal(self._made, seals=True)
        self._login = self._made.hosts(domain(), f"{HOST}:{destination_port}", account=ACCOUNT)
        self._command(f"CREATE DATABASE empty_{workers} TEMPLATE {self._database}")
        self._filled: set[str] = set()  # databases
        self.port = self._made.mx_port

    def _command(self, statement: str) -> None:
        asyncio.run(self._cluster.execute(statement))

    def close(self) -> None:
        """Remove everything."""
        self._made.__exit__()

    def start(self) -> None:
        """Start with nothing held."""
        self._empty()
        self.start_again()

    def _empty(self) -> None:
        self._command(f"DROP DATABASE {self._database} WITH (FORCE)")
        self._command(f"CREATE DATABASE {self._database} TEMPLATE empty_{self._workers}")

    def start_again(self) -> None:
        """Start with the present store."""
        self._made.log_path.unlink(missing_ok=True)
        self._made.start()
        eventually(
            lambda: len(self._made.events("server-ready")) == self._workers,
            what="all workers to serve",
            timeout=60,
        )

    def stop(self) -> None:
        """Stop in good order."""
        self._made.stop()

    def kill(self) -> None:
        """End it, if it runs."""
        if self._made.is_running:
            self._made.kill()

    @property
    def pid(self) -> int:
        """Its first process."""
        return self._made.pid

    @property
    def leaders(self) -> list[int]:
        """Its first process, and that of the database."""
        return [self.pid, self._cluster.process_id]

    def held(self) -> Held:
        """Ask the database, whose figures are exact at each commit."""
        return held_in(self._url)

    def status(self) -> dict[str, Any]:
        """Return what `restante status` shows."""
        return status_of(self._made.socket)

    def command(self, *words: str) -> str:
        """Run a command of `restante`, and return what it printed."""
        return self._made.do(*words)

    def _introduce(self, session: smtplib.SMTP, target: str) -> None:  # noqa: ARG002
        session.starttls(context=anybody())
        session.login(self._login.user, self._login.password)

    @contextmanager
    def running_filled(self, messages: int, size: int) -> Iterator[None]:
        """Run with so many messages of `size` octets for one domain."""

        def start() -> None:
            self._empty()
            self._fill(messages, size, 1)
            self.start_again()

        with self.started_by(start):
            yield

    @contextmanager
    def lent_filled(self, messages: int, size: int, *, domains: int = 1) -> Iterator[None]:
        """Lend the stopped server a database with mail. Its changes stay for the next loan."""
        name = f"filled_{self._workers}_{messages}_{size}_{domains}"
        if name not in self._filled:
            self._empty()
            self._fill(messages, size, domains)
            asyncio.run(self._cluster.execute("VACUUM (ANALYZE)", self._database))
            self._rename(self._database, name)
            self._filled.add(name)
        else:
            self._command(f"DROP DATABASE {self._database} WITH (FORCE)")
        self._rename(name, self._database)
        try:
            yield
        finally:
            self._rename(self._database, name)
            self._command(f"CREATE DATABASE {self._database} TEMPLATE empty_{self._workers}")

    def _fill(self, messages: int, size: int, domains: int) -> None:
        fill(self._url, messages, size, domains, self._destination_port, key_file=self._key_file)

    def _rename(self, name: str, wanted: str) -> None:
        self._command(f"ALTER DATABASE {name} RENAME TO {wanted}")


class SharedPair:
    """Two servers, as on two machines, that share a database and host one domain."""

    def __init__(self, cluster: PostgresCluster, destination_port: int, connections: int) -> None:
        """`destination_port` is local, and gets the mail over so many connections."""
        asyncio.run(cluster.execute(f"CREATE DATABASE {_PAIR}"))
        self._url = cluster.url(_PAIR)
        self._destination_port = destination_port
        self.names = ("mx0.example.net", "mx1.example.net")  # that they say in EHLO
        self._made = [self._installed(name) for name in self.names]
        options = ("--connections", str(connections))
        self._login = self._made[0].hosts(domain(), f"{HOST}:{destination_port}", *options)

    def _installed(self, name: str) -> Installation:
        made = Installation(more=LIMITS, database=self._url).__enter__()
        made.config.write_text(made.config.read_text().replace(HOSTNAME, name))
        return made

    def close(self) -> None:
        """Remove everything."""
        for made in self._made:
            made.__exit__()

    @contextmanager
    def running_filled(self, messages: int, size: int) -> Iterator[None]:
        """Run both, with so many messages of `size` octets."""
        fill(self._url, messages, size, 1, self._destination_port, key_file="")
        try:
            for name in self.names:
                self.start(name)
            yield
        finally:
            for made in self._made:
                if made.is_running:
                    made.kill()

    def start(self, name: str) -> None:
        """Start the server of this name."""
        self._named(name).start()

    def kill(self, name: str) -> None:
        """End it as a power cut would."""
        self._named(name).kill()

    def ask_for_mail(self) -> None:
        """Ask the first one for mail by ETRN."""
        ended = self._made[0].etrn(domain(), login=self._login)
        assert ended.returncode == 0, ended.stderr

    def held(self) -> Held:
        """Ask the database."""
        return held_in(self._url)

    def _named(self, name: str) -> Installation:
        return self._made[self.names.index(name)]


def fill(url: str, messages: int, size: int, domains: int, port: int, *, key_file: str) -> None:
    """Fill a database, by a process of its own, with mail for the domains of this port."""
    facts = {"messages": messages, "size": size, "domains": domains, "others": 0, "port": port}
    order = json.dumps({**facts, "key_file": key_file})
    words = [sys.executable, "-m", "bench.servers.filling", url, order]
    subprocess.run(words, check=True, cwd=ROOT)


def held_in(url: str) -> Held:
    """Return the mail that a database holds."""
    return asyncio.run(_figures(url))


async def _figures(url: str) -> Held:
    connection = await asyncpg.connect(url)
    try:
        return Held(*await connection.fetchrow(_FIGURES))
    finally:
        await connection.close()
