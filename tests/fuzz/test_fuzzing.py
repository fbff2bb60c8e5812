"""A few seconds of fuzzing for each target, to find easy faults. `make fuzz` looks longer.

The seed is fixed, so that each run draws the same. `make fuzz` draws something else each time.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.peers.programs import missing
from tests.fixed_seed import SEED
from tests.fuzz.targets import TARGETS

ROOT: Final = Path(__file__).parents[2]
IN_CI: Final = os.environ.get("RESTANTE_REQUIRE_PEERS") == "1"
SECONDS: Final = 3 if IN_CI else 1  # for each target
PATIENCE: Final = 240.0  # seconds

# The fuzzer bounds its peak memory, and Linux counts that of the process that starts it. So a small
# one starts it: this one may have held much.
SMALL_STARTER: Final = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"


@pytest.fixture(autouse=True)
def _fuzzer() -> None:
    if importlib.util.find_spec("atheris") is None:
        missing("atheris is not installed: it is served for CPython on Linux x86-64 only")


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_breaks_the_rule_in_a_few_seconds(target: str, tmp_path: Path) -> None:
    places = ("--kept", str(tmp_path / "kept"), "--findings", str(tmp_path / "findings"))
    words = ("-m", "tests.fuzz.run", target, str(SECONDS), *places, "--seed", str(SEED))
    ended = subprocess.run(
        [sys.executable, "-c", SMALL_STARTER, sys.executable, *words],
        cwd=ROOT,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=PATIENCE,
        env={**os.environ, "PYTHONHASHSEED": str(SEED)},
    )
    found = [f"{path.name}: {path.read_bytes()!r}" for path in (tmp_path / "findings").iterdir()]
    assert (ended.returncode, found) == (0, []), ended.stdout[-6000:]
    assert "stat::number_of_executed_units: 0\n" not in ended.stdout
    assert "stat::number_of_executed_units" in ended.stdout
