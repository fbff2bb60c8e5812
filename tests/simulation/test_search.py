"""The command behind `make simulate`: it reports what it finds, and fails then."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]


def simulated(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", *options],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=200,
    )


@pytest.mark.timeout(300)
def test_a_search_fails_with_a_report_of_what_it_found() -> None:
    ended = simulated("1", "--first", "1", "--jobs", "1", "--mutant", "release-for-anybody")
    lines = ended.stdout.splitlines()
    assert ended.returncode == 1
    assert lines[0].startswith("seed 1: ")
    assert "again: make simulate SEED=1" in lines
    assert lines[-1].startswith("simulated seeds: 8 from 1, acknowledged: ")


def test_a_seed_without_a_finding_succeeds_and_can_be_shown_whole() -> None:
    ended = simulated("--seed", "3", "--trace")
    lines = ended.stdout.splitlines()
    assert ended.returncode == 0, ended.stdout[-2000:]
    assert lines[-1] == f"seed 3: trace {lines[-1].split()[3].rstrip(',')}, {len(lines) - 1} lines"
    assert any(line.endswith("machine: all is well from now on") for line in lines)
