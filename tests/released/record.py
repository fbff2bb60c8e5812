"""Record a store of the present schema as text: `make schema-fixture`.

A server of a new installation takes two messages for one domain, one of them large. Then its store
is written as SQL, with the files beside it. `--source DIR` runs the program of another checkout.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import re
import signal
import smtplib
import sqlite3
import subprocess
import sys
import tomllib
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import asyncpg

from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import free_port
from tests.postgres_cluster import PostgresCluster
from tests.released.fixtures import DIRECTORY, FILE, LARGE, SMALL, packed

HOST: Final = "127.0.0.1"
SOURCE: Final = Path(__file__).parents[2] / "src"
_SECONDS: Final = 60.0
_PRINT_SCHEMA: Final = "from restante.store.postgres.postgres_schema import SCHEMA; print(SCHEMA)"
_TABLES: Final = """
    SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attgenerated = ''
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
    GROUP BY c.relname ORDER BY c.relname
"""
_SEQUENCES: Final = """
    SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL ORDER BY 1
"""


def _environment(source: Path) -> dict[str, str]:
    """Return the environment of a program, whose libraries may be elsewhere."""
    return {**os.environ, "PYTHONPATH": f"{source}:{os.environ.get('PYTHONPATH', '')}"}


class Program:
    """The program of a checkout, in a directory of its own."""

    def __init__(self, source: Path, directory: Path, settings: str) -> None:
        """`settings` replace the line of the store."""
        self._environment = {
            **os.environ,
            "PYTHONPATH": f"{source}:{os.environ.get('PYTHONPATH', '')}",
        }
        project = tomllib.loads((source.parent / "pyproject.toml").read_text())
        module, function = project["project"]["scripts"]["restante"].split(":")
        self._start = f"import sys; from {module} import {function} as main; sys.exit(main())"
        self.directory = directory
        self.config = directory / "restante.toml"
        self.port = free_port(HOST)
        self.do("init", "--dir", str(directory), "--hostname", "mx2.example.net")
        text = self.config.read_text()
        for port in (4465, 8025, 3660):
            text = text.replace(f"{HOST}:{port}", f"{HOST}:{free_port(HOST)}")
        text = text.replace(f"{HOST}:2525", f"{HOST}:{self.port}")
        self.config.write_text(text.replace('store = "sqlite:data"', settings))

    def do(self, *words: str, typed: str = "") -> None:
        """Run a command that must succeed."""
        done = subprocess.run(
            self._command(words),
            env=self._environment,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"

    def _command(self, words: tuple[str, ...]) -> list[str]:
        made = ("--config", str(self.config)) if self.config.exists() else ()
        return [sys.executable, "-c", self._start, *made, *words]

    def hold_mail(self) -> None:
        """Host a domain, and take two messages for it."""
        self.do("account", "add", "alpha")
        login = ("alpha", "alpha", "--password-stdin")
        self.do("login", "add", *login, typed="the-alpha-password\n")
        hosted = ("alpha.example", "--account", "alpha", "--destination", f"{HOST}:25")
        self.do("domain", "add", *hosted, "--allow", HOST)
        text = self.config.read_text()
        if "seal_content" not in text:
            self._serve(SMALL, LARGE)
            return
        self._serve(SMALL)
        # Sealed content cannot be packed, so the large one is as a server without a seal has it.
        self.config.write_text(re.sub("seal_content = true", "seal_content = false", text))
        self._serve(LARGE)

    def _serve(self, *contents: str) -> None:
        with (self.directory / "log").open("wb") as log:
            server = subprocess.Popen(self._command(("serve",)), env=self._environment, stderr=log)
        try:
            eventually(lambda: self._send(contents), what="the server", timeout=_SECONDS)
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(_SECONDS)
        assert code == 0, (self.directory / "log").read_text()

    def _send(self, contents: tuple[str, ...]) -> bool:
        try:
            session = smtplib.SMTP(HOST, self.port, timeout=_SECONDS)
        except OSError:
            return False
        with session:
            for content in contents:
                session.sendmail("bob@example.org", ["anna@alpha.example"], content)
        return True


def record_sqlite(source: Path, directory: Path) -> tuple[int, list[str]]:
    """Return the schema's version and the lines of the fixture."""
    program = Program(source, directory, 'store = "sqlite:data"')
    program.hold_mail()
    data = directory / "data"
    with closing(sqlite3.connect(data / "restante.db")) as connection:
        [version] = connection.execute("PRAGMA user_version").fetchone()
        lines = []
        for name in ("page_size", "auto_vacuum", "user_version"):
            [value] = connection.execute(f"PRAGMA {name}").fetchone()
            lines.append(f"PRAGMA {name} = {value};")
        lines += [line for line in connection.iterdump() if "sqlite_stat" not in line]
    kept = sorted(path for path in (data / "content").rglob("*") if path.is_file())
    return version, [*lines, *_files(directory, [*kept, directory / "restante.key"])]


def record_postgres(source: Path, directory: Path) -> tuple[int, list[str]]:
    """Return the schema's version and the lines of the fixture."""
    cluster = PostgresCluster()
    try:
        name = asyncio.run(cluster.create())
        url = cluster.url(name)
        (directory / "state").mkdir(mode=0o700)
        settings = f'store = "{url}"\nrpo = "accept-loss"\nstate_dir = "state"'
        program = Program(source, directory, settings)
        program.hold_mail()
        version, rows = asyncio.run(_rows(url))
    finally:
        cluster.stop()
    words = [sys.executable, "-c", _PRINT_SCHEMA]
    schema = subprocess.check_output(words, env=_environment(source), text=True)
    return version, [schema.strip(), *rows, *_files(directory, [directory / "restante.key"])]


async def _rows(url: str) -> tuple[int, list[str]]:
    """Return the schema's version, and statements that write all rows."""
    connection = await asyncpg.connect(url)
    try:
        version = await connection.fetchval("SELECT version FROM restante_schema")
        lines: list[str] = []
        for table, columns in await connection.fetch(_TABLES):
            lines += await _rows_of(connection, table, columns)
        for name, last in await connection.fetch(_SEQUENCES):
            lines.append(f"SELECT setval('{name}', {last});")
    finally:
        await connection.close()
    return version, lines


async def _rows_of(connection: Any, table: str, columns: list[str]) -> list[str]:
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(f'quote_nullable("{column}"::text)' for column in columns)
    rows = await connection.fetch(f"SELECT concat_ws(', ', {values}) FROM {table}")
    insert = f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES"
    return [f"DELETE FROM {table};", *(f"{insert} ({row});" for (row,) in rows)]


def _files(directory: Path, paths: list[Path]) -> Iterator[str]:
    for path in paths:
        packed = base64.b64encode(zlib.compress(path.read_bytes(), 9)).decode()
        yield f"{FILE}{path.relative_to(directory)} {packed}"


def main() -> None:
    """Write a fixture for each database that is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=Path, default=SOURCE)
    parser.add_argument("databases", nargs="*", default=["sqlite", "postgres"])
    chosen = parser.parse_args()
    for database in chosen.databases:
        with TemporaryDirectory(prefix="restante-") as directory:
            make = {"sqlite": record_sqlite, "postgres": record_postgres}[database]
            version, lines = make(chosen.source, Path(directory))
        path = DIRECTORY / f"{database}-{version:03}.sql"
        path.write_text("\n".join(map(packed, lines)) + "\n", encoding="utf-8")
        print(path)  # noqa: T201


if __name__ == "__main__":
    main()
