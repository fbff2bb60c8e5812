"""A whole server on the full database: its start, its memory, and commands of the operator."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from bench.scale.measures import Timings
from tests.acceptance.installation import Installation

COMMANDS: Final = (
    ("status",),
    ("status", "d7.example"),
    ("status", "--json"),
    ("domain", "show", "d7.example"),
    ("domain", "list", "--json"),
    ("queue", "list", "--domain", "d7.example", "--limit", "20"),
    ("drain", "list"),
    ("audit", "--limit", "20"),
)
_PATIENCE: Final = 600.0  # seconds
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def serve(url: str, timings: Timings) -> None:
    """Start a server, and ask it."""
    with Installation(database=url, rpo="accept-loss") as server:
        began = time.monotonic()
        server.patience = _PATIENCE
        server.start()
        facts = timings.facts
        facts["serve: until it is ready, s"] = time.monotonic() - began
        facts["serve: processor until then, s"] = _processor_seconds(server.pid)
        facts["serve: memory, MiB"] = _resident(server.pid)
        for command in COMMANDS:
            before, began = _processor_seconds(server.pid), time.monotonic()
            name = f"serve: restante {' '.join(command)}"
            try:
                server.do(*command)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                print(error, file=sys.stderr)
                facts[f"{name}: failed"] = 1.0
                continue
            facts[f"{name}, s"] = time.monotonic() - began
            facts[f"{name}: processor of the server, s"] = _processor_seconds(server.pid) - before
        facts["serve: longest stall of the event loop, s"] = max(
            (one["seconds"] for one in server.events("loop-stalled")), default=0.0
        )


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
