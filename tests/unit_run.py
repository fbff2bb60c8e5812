"""Run the tests of `make unit`, on each processor a part of their files.

Each process of pytest collects its own files only. Workers of pytest-xdist would each collect all
of them, which takes longer than the tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.pure_modules import unit_tests

MOST_PROCESSES: Final = 8
# No plugin that these tests need: they take time to import.
OPTIONS: Final = ("-p", "no:schemathesis", "-p", "no:xdist", "-p", "no:cacheprovider", "--quiet")


def shares(files: list[Path], number: int) -> list[list[Path]]:
    """Return the files in this many parts that take about as long: neighbors go to all parts."""
    in_order = sorted(files, key=lambda file: (file.parent, file.stat().st_size))
    return [part for start in range(number) if (part := in_order[start::number])]


def main() -> int:
    """Run all parts at once, show the output of each, and return the worst exit code."""
    number = min(os.cpu_count() or 1, MOST_PROCESSES)
    environment = {**os.environ, "RESTANTE_UNIT": "1"}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "pytest", *OPTIONS, *map(str, part), *sys.argv[1:]],
            env=environment,
        )
        for part in shares(unit_tests(), number)
    ]
    return max(process.wait() for process in running)


if __name__ == "__main__":
    sys.exit(main())
