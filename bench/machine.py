"""On what, with what, and when: the facts without which no figure means anything."""

import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import apsw

from bench.domains import ROOT
from restante import __version__
from tests.acceptance.peers.programs import PLACES, peers_directory

MOUNTS: Final = Path("/proc/self/mounts")
IN_MEMORY: Final = ("tmpfs", "ramfs")


class NotOnDisk(Exception):  # noqa: N818
    """Nothing would be durable there, and nothing measured."""


def describe(directory: Path) -> dict[str, str]:
    """Return the facts; `directory` is where the stores will be. Raises NotOnDisk."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": f"python -m bench {' '.join(sys.argv[1:])}".strip(),
        "processor": processors(),
        "memory": memory(),
        "disk": _disk(directory),
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Restante": f"{__version__}{_commit()}, SQLite {apsw.sqlite_lib_version()}",
        "Postfix": _said("postconf", "-dh", "mail_version"),
        "Exim": _exim(),
    }


def processors() -> str:
    """Return number and name of the processors."""
    return f"{os.cpu_count()} x {_processor()}"


def memory() -> str:
    """Return how much memory there is."""
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.1f} GiB"


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _disk(directory: Path) -> str:
    kind = _filesystem(directory)
    if kind in IN_MEMORY:
        raise NotOnDisk(f"{directory} is in memory ({kind}): name a directory on a disk with --dir")
    peers = peers_directory()
    is_apart = peers.exists() and peers.stat().st_dev != directory.stat().st_dev
    warning = "; Exim's spool is on another disk" if is_apart else ""
    return f"{kind}, {_sync_milliseconds(directory):.2f} ms to append 4 KiB and sync{warning}"


def _filesystem(directory: Path) -> str:
    mounts = [line.split()[1:3] for line in MOUNTS.read_text().splitlines()]
    around = [(point, kind) for point, kind in mounts if directory.resolve().is_relative_to(point)]
    return max(around, key=lambda mount: len(mount[0]))[1]


def _sync_milliseconds(directory: Path) -> float:
    taken = []
    with tempfile.TemporaryFile(dir=directory) as file:
        for _ in range(200):
            begin = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - begin)
    return statistics.median(taken) * 1000


def _commit() -> str:
    said = _said("git", "-C", str(ROOT), "describe", "--always", "--dirty")
    return f" ({said})" if said else ""


def _exim() -> str:
    tree = peers_directory() / "exim"
    if not tree.exists():
        return ""
    said = _said("chroot", str(tree), "/usr/sbin/exim4", "-C", "/dev/null", "-bV")
    found = re.search(r"Exim version (\S+)", said)
    return found[1] if found else ""


def _said(program: str, *words: str) -> str:
    path = shutil.which(program, path=PLACES)
    if path is None:
        return ""
    return subprocess.run(
        [path, *words], check=False, capture_output=True, text=True
    ).stdout.strip()
