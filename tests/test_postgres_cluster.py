"""The server that tests of PostgreSQL run on: its user, its reach, and its databases."""

import asyncio
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from tests.postgres_cluster import PostgresCluster

CRASHING = """
import os, sys
from tests.postgres_cluster import PostgresCluster
cluster = PostgresCluster()
print(cluster.process_id, cluster.place, flush=True)
os.kill(os.getpid(), 9)
"""


async def answer(url: str, question: str) -> object:
    """Ask a server something."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def test_a_server_of_version_18_listens_on_a_socket_only(postgres_cluster: PostgresCluster) -> None:
    url = postgres_cluster.url("postgres")
    version = asyncio.run(answer(url, "SELECT current_setting('server_version_num')::int / 10000"))
    assert version == 18
    assert asyncio.run(answer(url, "SELECT inet_server_addr()")) is None
    assert asyncio.run(answer(url, "SELECT current_setting('listen_addresses')")) == ""


def test_the_server_does_not_run_as_root(postgres_cluster: PostgresCluster) -> None:
    process = Path(f"/proc/{postgres_cluster.process_id}")
    assert process.stat().st_uid != 0
    assert (process.stat().st_uid == os.geteuid()) == (os.geteuid() != 0)


async def databases(cluster: PostgresCluster) -> tuple[object, object, str]:
    """Change a copy of a database, and tell what is in the copy and in the original."""
    original = await cluster.create()
    await cluster.execute("CREATE TABLE kept (n int)", original)
    copy = await cluster.create(original)
    await cluster.execute("INSERT INTO kept VALUES (1)", copy)
    found = [
        await answer(cluster.url(name), "SELECT count(*) FROM kept") for name in (copy, original)
    ]
    await cluster.drop(copy)
    await cluster.drop(original)
    return found[0], found[1], copy


def test_each_database_is_apart_from_its_template(postgres_cluster: PostgresCluster) -> None:
    in_copy, in_original, name = asyncio.run(databases(postgres_cluster))
    assert (in_copy, in_original) == (1, 0)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        asyncio.run(answer(postgres_cluster.url(name), "SELECT 1"))


def test_a_server_ends_with_the_process_that_started_it() -> None:
    """However that ends; the data directory is left behind then."""
    done = subprocess.run(
        [sys.executable, "-c", CRASHING], capture_output=True, text=True, check=False
    )
    server, place = done.stdout.split()
    assert is_gone(int(server))
    shutil.rmtree(place, ignore_errors=True)  # its children may take a moment longer


def is_gone(process_id: int) -> bool:
    """Wait for the end of a process that is no child."""
    try:
        descriptor = os.pidfd_open(process_id)
    except ProcessLookupError:
        return True
    readable, _, _ = select.select([descriptor], [], [], 20)
    os.close(descriptor)
    return bool(readable)
