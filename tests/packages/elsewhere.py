"""The libraries of a server on other machines: `python -m tests.packages.elsewhere DIRECTORY`.

They are downloaded into the directory, for each version of Python. It fails if a library of a lock
file has no wheel for one of them.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).parents[2]
VERSIONS: Final = ("3.11", "3.12", "3.13", "3.14")
LOCKS: Final = ("requirements.lock", "requirements-postgres.lock")

# By machine: pip's names for those on which a wheel works there. musl is 1.2.
MACHINES: Final[Mapping[str, Sequence[str]]] = {
    "ARM64 with glibc 2.34": (
        *(f"manylinux_2_{minor}_aarch64" for minor in range(34, 16, -1)),
        "manylinux2014_aarch64",
    ),
    "ARM64 with musl": ("musllinux_1_2_aarch64", "musllinux_1_1_aarch64"),
    "x86_64 with musl": ("musllinux_1_2_x86_64", "musllinux_1_1_x86_64"),
}
ALL: Final = tuple(itertools.product(MACHINES, VERSIONS, LOCKS))


def download(
    machine: str, version: str, lock: str, directory: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    """Download the wheels of a lock file, verified by their hashes. `stdout` has both streams."""
    words = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    words += ["--no-deps", "--only-binary", ":all:", "--python-version", version]
    words += [f"--platform={tag}" for tag in MACHINES[machine]]
    words += ["--require-hashes", "-r", str(CHECKOUT / lock), "-d", str(directory), *options]
    return subprocess.run(
        words,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def main() -> None:
    """Download them for all machines."""
    directory = Path(sys.argv[1])
    for machine, version, lock in ALL:
        ended = download(machine, version, lock, directory)
        if ended.returncode:
            raise SystemExit(f"{lock}, Python {version}, {machine}:\n{ended.stdout}")


if __name__ == "__main__":
    main()
