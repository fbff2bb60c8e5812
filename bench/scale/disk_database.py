"""A PostgreSQL server with its data on a disk, which can be filled once and measured often."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.scale.filling import fill, prepare
from restante.store.postgres.database_session import open_session
from restante.store.postgres.schema_upgrade import upgrade_schema
from tests.postgres_cluster import PostgresCluster

DATABASE: Final = "scale"
_MARK: Final = "filled.json"
_SETTINGS: Final = {
    "shared_buffers": "1GB",
    "effective_cache_size": "8GB",
    "max_connections": "100",
    "checkpoint_timeout": "15min",
    "max_wal_size": "4GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
_FILLING: Final = _SETTINGS | {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "12GB",
    "maintenance_work_mem": "1GB",
    "work_mem": "256MB",
}
MEASURED: Final = _SETTINGS | {"fsync": "on", "full_page_writes": "on"}
"""The settings of a measurement: each commit is durable."""


@contextmanager
def running(place: Path, **settings: str) -> Iterator[PostgresCluster]:
    """Run the server of a place during the block."""
    cluster = PostgresCluster(place, **settings)
    try:
        yield cluster
    finally:
        cluster.end()


def make(place: Path, messages: int, domains: int) -> float:
    """Fill the database of a place, unless that was done before; return how many seconds it took.

    Nothing is synced meanwhile.
    """
    mark = place / _MARK
    wanted = {"messages": messages, "domains": domains}
    if mark.exists():
        found = json.loads(mark.read_text())
        seconds = float(found.pop("seconds"))
        if found != wanted:
            raise SystemExit(f"bench.scale: {place} has another size: {found}; name another --dir")
        with running(place, **_FILLING) as cluster:
            asyncio.run(_upgrade(cluster))
        return seconds
    place.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with running(place, **_FILLING) as cluster:
        asyncio.run(_fill(cluster, messages, domains))
    seconds = round(time.monotonic() - began, 1)
    os.sync()  # all of it is on the disk before something is measured
    mark.write_text(json.dumps(wanted | {"seconds": seconds}))
    return seconds


async def _fill(cluster: PostgresCluster, messages: int, domains: int) -> None:
    await cluster.execute(f"CREATE DATABASE {DATABASE}")
    url = cluster.url(DATABASE)
    await prepare(url)
    began = time.monotonic()
    async for done in fill(url, messages, domains):
        print(f"{time.monotonic() - began:8.0f} s  {done}", flush=True)


async def _upgrade(cluster: PostgresCluster) -> None:
    """Bring the tables to the version of this checkout: they can be of an earlier one."""
    session = await open_session(cluster.url(DATABASE))
    try:
        await upgrade_schema(session)
    finally:
        await session.close()


def forget_pages(place: Path) -> None:
    """Have the kernel forget the pages of the data; the server does not run."""
    os.sync()  # a page that is not on the disk yet stays
    for path in (place / "data").rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
