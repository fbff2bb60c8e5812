"""Figures of this process, as the system reports them.

The metrics library has a reader of its own. It reports nothing if /proc shows only processes, as it
does under our systemd unit (`ProcSubset=pid`).
"""

import os
import resource
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """Facts of one moment; None: this system does not say."""

    cpu_seconds: float
    resident_octets: int | None
    open_files: int | None
    open_files_limit: int


def look_at_process() -> ProcessFacts:
    """Ask the system."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return ProcessFacts(time.process_time(), _resident_octets(), _open_files(), limit)


def _resident_octets() -> int | None:
    try:
        with open("/proc/self/statm", "rb") as facts:  # noqa: PTH123  a file of the kernel
            return int(facts.read().split()[1]) * resource.getpagesize()
    except OSError:
        return None


def _open_files() -> int | None:
    try:
        return len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208  one was open for looking
    except OSError:
        return None
