"""Fuzz every target on all processors: `python -m tests.fuzz.run_all SECONDS`.

A line for each target has the number of inputs and a broken rule, if any. The last has the sum:

    fuzz executions: N, findings: M

The exit code is 1 if there were findings, or if a target could not be run. Findings are printed
whole, so that the log of a run elsewhere is enough to repeat them.
"""

# ruff: noqa: T201  it is a program, and tells what happens

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fuzz.targets import FINDINGS, TARGETS

_SHARES: Final[Mapping[str, int]] = {
    "server-session": 3,
    "client-session": 2,
}  # of the time; 1 for all others
_SLOWEST: Final = 180  # seconds for a target to begin and to end, beside its share
_TAIL: Final = 40  # lines of a fuzzer's output, shown where it has found something
_EXECUTIONS: Final = re.compile(r"^stat::number_of_executed_units: (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one target."""

    target: str
    seconds: int
    executions: int
    exit_code: int
    findings: list[Path]
    output: str

    @property
    def is_good(self) -> bool:
        """Whether it was looked at, and nothing was found."""
        return self.exit_code == 0 and self.executions > 0 and not self.findings

    def __str__(self) -> str:
        verdict = (
            "nothing found"
            if self.is_good
            else f"FOUND {len(self.findings)}, exit code {self.exit_code}"
        )
        return f"{self.target:16} {self.executions:>12,} executions in {self.seconds} s, {verdict}"


def shares(seconds: int, jobs: int) -> dict[str, int]:
    """Divide the time, in seconds of the clock. The sessions have most code and get most time."""
    weights = {target: _SHARES.get(target, 1) for target in TARGETS}
    one = seconds * jobs / sum(weights.values())
    return {
        target: max(1, int(one * weights[target]))
        for target in sorted(weights, key=lambda name: -weights[name])
    }


def fuzz(target: str, seconds: int, findings: Path, seed: int = 0) -> Report:
    """Fuzz one target in a process of its own. With a seed, it draws the same in each run."""
    place = findings / target
    before = set(place.glob("*"))
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.run",
        target,
        str(seconds),
        "--findings",
        str(place),
        "--seed",
        str(seed),
    ]
    try:
        ended = subprocess.run(
            command,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds + _SLOWEST,
            env={**os.environ, **({"PYTHONHASHSEED": str(seed)} if seed else {})},
        )
        output, exit_code = ended.stdout, ended.returncode
    except subprocess.TimeoutExpired as hung:
        output, exit_code = str(hung), -1
    executions = sum(map(int, _EXECUTIONS.findall(output)))
    return Report(
        target, seconds, executions, exit_code, sorted({*place.glob("*")} - before), output
    )


def fuzz_all(seconds: int, jobs: int, findings: Path, seed: int) -> list[Report]:
    """Fuzz all targets, `jobs` at a time, in `seconds` of the clock. Report each at its end."""
    reports: list[Report] = []
    with ThreadPoolExecutor(jobs) as pool:
        runs = [
            pool.submit(fuzz, target, share, findings, seed)
            for target, share in shares(seconds, jobs).items()
        ]
        for run in as_completed(runs):
            reports.append(run.result())
            print(reports[-1], flush=True)
    return reports


def main() -> int:
    """Fuzz, and sum up."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.run_all", description="Fuzz every target."
    )
    parser.add_argument("seconds", type=int, help="of the clock, for all of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at a time")
    parser.add_argument("--findings", type=Path, default=FINDINGS, help="where findings go")
    parser.add_argument("--seed", type=int, default=0, help="of the dice; else another each time")
    options = parser.parse_args()
    reports = fuzz_all(options.seconds, options.jobs, options.findings, options.seed)
    for report in reports:
        if not report.is_good:
            print(f"== {report.target}", *report.output.splitlines()[-_TAIL:], sep="\n")
            print(*(f"{path}: {path.read_bytes()!r}" for path in report.findings), sep="\n")
    executions = sum(report.executions for report in reports)
    print(
        f"fuzz executions: {executions}, findings:"
        f" {sum(len(report.findings) for report in reports)}"
    )
    return 0 if all(report.is_good for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
