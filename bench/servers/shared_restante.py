"""Restante on PostgreSQL: one server or several workers, on a database on the same disk.

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
from typing import Final

import asyncpg

from bench.domains import ACCOUNT, HOST, ROOT, domain
from bench.servers.restante import DELIVERY, LIMITS
from bench.servers.server import Held, Server, anybody
from tests.acceptance.installation import Installation
from tests.acceptance.peers.eventually import eventually
from tests.postgres_cluster import PostgresCluster

_FIGURES: Final = """
    SELECT coalesce(sum(messages), 0)::bigint, coalesce(sum(octets), 0)::bigint FROM usage
"""
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
        self._login = self._made.hosts(domain(), f"{HOST}:{destination_port}", account=ACCOUNT)
        self._command(f"CREATE DATABASE empty_{workers} TEMPLATE {self._database}")
        self.port = self._made.mx_port

    def _command(self, statement: str) -> None:
        asyncio.run(self._cluster.execute(statement))

    def close(self) -> None:
        """Remove everything."""
        self._made.__exit__()

    def start(self) -> None:
        """Start with nothing held."""
        self._empty()
        self._start()

    def _empty(self) -> None:
        self._command(f"DROP DATABASE {self._database} WITH (FORCE)")
        self._command(f"CREATE DATABASE {self._database} TEMPLATE empty_{self._workers}")

    def _start(self) -> None:
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
        return asyncio.run(self._figures())

    async def _figures(self) -> Held:
        connection = await asyncpg.connect(self._url)
        try:
            return Held(*await connection.fetchrow(_FIGURES))
        finally:
            await connection.close()

    def _introduce(self, session: smtplib.SMTP, target: str) -> None:  # noqa: ARG002
        session.starttls(context=anybody())
        session.login(self._login.user, self._login.password)

    @contextmanager
    def running_filled(self, messages: int, size: int) -> Iterator[None]:
        """Run with so many messages of `size` octets for one domain."""
        facts = {"messages": messages, "size": size, "domains": 1, "others": 0}
        words = [self._url, json.dumps(facts | {"port": self._destination_port})]

        def start() -> None:
            self._empty()
            filling = [sys.executable, "-m", "bench.servers.filling", *words]
            subprocess.run(filling, check=True, cwd=ROOT)
            self._start()

        with self.started_by(start):
            yield
