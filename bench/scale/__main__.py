"""The time that the store on PostgreSQL takes with very much mail.

    .venv/bin/python -m bench.scale [--messages 1000000] [--domains 10000] [--dir DIR]

It fills a database of the program's own tables, once for each DIR, and then asks and changes it
through the program's own store. Each run changes it a little. Filling syncs nothing; measuring
does. `--parts` names the parts to measure. Remove DIR at the end: 10⁶ messages take about 1 GB, and
10⁸ about 40 GB.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Final

import asyncpg

from bench.machine import memory, processors
from bench.scale import measures
from bench.scale.disk_database import DATABASE, MEASURED, forget_pages, make, running
from bench.scale.processor_use import ProcessorUse
from bench.scale.serving import serve
from restante.store.postgres import PostgresStore, open_postgres
from tests.postgres_cluster import ALONE, PostgresCluster

PARTS: Final = (
    "start", "serve", "cold", "figures", "sweep", "reception", "handover", "drains", "deletion",
    "vacuum",
)  # fmt: skip
COLD: Final = {"start", "serve", "cold"}  # begin with nothing of the data in memory
DRAINS: Final = (10, 100, 1_000, 10_000, 100_000)
_DEAD: Final = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'message'"
_SIZES: Final = """
    SELECT relname, pg_total_relation_size(oid) AS octets FROM pg_class
    WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace
    ORDER BY octets DESC LIMIT 12
"""


def main() -> None:
    """Fill, measure, print."""
    given = _parsed()
    timings = measures.Timings()
    timings.facts["filled in, s"] = make(given.dir, given.messages, given.domains)
    for part in given.parts.split(","):
        print(f"-- {part}", file=sys.stderr, flush=True)
        if part in COLD:
            forget_pages(given.dir)
        known = set(timings.taken), set(timings.facts)
        with running(given.dir, **MEASURED) as cluster:
            try:
                _measure(cluster, part, timings, given)
            except Exception:  # noqa: BLE001  a long run is not given up for one part
                traceback.print_exc()
                timings.facts[f"{part}: failed"] = 1.0
        _tell_new(timings, *known)
    _print(given, timings)
    if failed := [name for name in timings.facts if name.endswith(": failed")]:
        raise SystemExit(f"bench.scale: {', '.join(failed)}")


def _tell_new(timings: measures.Timings, rows: set[str], facts: set[str]) -> None:
    """Print what a part has found, so that a run which is ended has not been for nothing."""
    for name, count, *values in timings.rows():
        if name not in rows:
            print(f"   {name}, {count} times: {values[0]:.2f} ms", file=sys.stderr)
    for name, value in timings.facts.items():
        if name not in facts:
            print(f"   {name}: {value:.1f}", file=sys.stderr, flush=True)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--domains", type=int, default=10_000)
    parser.add_argument("--dir", type=Path, default=Path("/var/tmp/restante-scale"))
    parser.add_argument("--parts", default=",".join(PARTS), help="any of: %(default)s")
    parser.add_argument("--delete", type=int, default=100_000, help="messages to delete")
    parser.add_argument("--delete-seconds", type=float, default=600.0, help="at most")
    parser.add_argument("--sweeps", type=int, default=1, help="that delete side by side")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if unknown := set(given.parts.split(",")) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return given


def _measure(
    cluster: PostgresCluster, part: str, timings: measures.Timings, given: argparse.Namespace
) -> None:
    url = cluster.url(DATABASE)
    for statement in ("DELETE FROM drain", "VACUUM ANALYZE drain"):  # those of an earlier part
        asyncio.run(cluster.execute(statement, DATABASE))
    timings.use = ProcessorUse(cluster.process_id)
    if part == "start":
        command = [sys.executable, "-m", "bench.scale.start", url]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        timings.facts |= json.loads(done.stdout)
    elif part == "serve":
        serve(url, timings)
    elif part == "vacuum":
        asyncio.run(_vacuum(url, timings))
    else:
        asyncio.run(_ask(url, part, timings, given))


async def _ask(url: str, part: str, timings: measures.Timings, given: argparse.Namespace) -> None:
    store = await open_postgres(url, ALONE)
    try:
        await _part(store, part, timings, given)
    finally:
        await store.close()


async def _part(
    store: PostgresStore, part: str, timings: measures.Timings, given: argparse.Namespace
) -> None:
    if part == "cold":
        await measures.first_pages(timings, "after a start", store, seed=1)
    elif part == "figures":
        await measures.figures(timings, store)
    elif part == "sweep":
        await measures.sweep(timings, store)
    elif part == "reception":
        await measures.reception(timings, store)
    elif part == "handover":
        await measures.handover(timings, store)
    elif part == "drains":
        counts = [count for count in DRAINS if count <= given.domains]
        await measures.open_drains(timings, store, counts)
    elif part == "deletion":
        await measures.deletion(timings, store, given.delete, given.delete_seconds, given.sweeps)


async def _vacuum(url: str, timings: measures.Timings) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET maintenance_work_mem = '256MB'")
        await _size_up(connection, "before VACUUM", timings)
        for table in ("message", "usage", "drain"):
            began = time.monotonic()
            await connection.execute(f"VACUUM {table}")
            timings.facts[f"VACUUM {table}, s"] = time.monotonic() - began
        await _size_up(connection, "after VACUUM", timings)
    finally:
        await connection.close()


async def _size_up(connection: asyncpg.Connection, when: str, timings: measures.Timings) -> None:
    timings.facts[f"dead rows of message {when}"] = await connection.fetchval(_DEAD)
    for name, octets in await connection.fetch(_SIZES):
        timings.facts[f"size of {name} {when}, MB"] = octets / 1e6


def _print(given: argparse.Namespace, timings: measures.Timings) -> None:
    rows = timings.rows()
    if given.json:
        print(json.dumps({"timings": rows, "facts": timings.facts}, indent=1))
        return
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{processors()}, {memory()}; load {load}")
    print(f"{given.messages} messages, {given.domains} domains")
    print("\n| what | times | median ms | p99 ms | median in all | database CPU ms | own CPU ms |")
    print("| --- |" + " ---: |" * 6)
    for name, count, *values in rows:
        print(f"| {name} | {count} |", " | ".join(f"{one:.2f}" for one in values), "|")
    print("\n| what | value |")
    print("| --- | ---: |")
    for name, value in timings.facts.items():
        print(f"| {name} | {value:.1f} |")


if __name__ == "__main__":
    main()
