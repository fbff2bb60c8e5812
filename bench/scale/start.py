"""A process that opens a store as a server does, and tells what that took.

python -m bench.scale.start URL
"""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

from restante.store.live_directory import LiveDirectory
from restante.store.postgres import open_postgres
from tests.postgres_cluster import ALONE


async def start(url: str) -> dict[str, float]:
    """Open the store and read the records; return seconds and mebibytes."""
    before, began = _resident(), time.perf_counter()
    store = await open_postgres(url, ALONE)
    opened, with_figures = time.perf_counter(), _resident()
    directory = LiveDirectory(store.records)
    await directory.refresh()
    read, with_records = time.perf_counter(), _resident()
    past = await store.handover.past_drains()
    done = time.perf_counter()
    facts = {
        "start: figures of all domains, s": opened - began,
        "start: records, s": read - opened,
        "start: past drains, s": done - read,
        "start: memory of figures, MiB": with_figures - before,
        "start: memory of records, MiB": with_records - with_figures,
        "start: peak memory, MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "start: domains": len(directory.now.domains),
        "start: domains with a past drain": len(past),
    }
    await store.close()
    return facts


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    print(json.dumps(asyncio.run(start(sys.argv[1]))))
