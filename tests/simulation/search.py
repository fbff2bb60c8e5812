"""Seed after seed, on each processor, for a while."""

# ruff: noqa: T201  progress is told while it goes on

import multiprocessing
import signal
import sys
import time
from dataclasses import dataclass
from types import FrameType
from typing import Final

from tests.simulation.mutants import mutation
from tests.simulation.story import simulate

_PROGRESS_SECONDS: Final = 10.0
_PATIENCE: Final = 120  # seconds for one seed: none takes two
_AT_ONCE: Final = 8  # seeds that a process gets


@dataclass(frozen=True)
class Summary:
    """The printed result of one run."""

    seed: int
    report: str  # "" if all was well
    acknowledged: int = 0
    delivered: int = 0
    lives: int = 0


def _run(order: tuple[int, str]) -> Summary:
    seed, mutant = order
    signal.signal(signal.SIGALRM, _too_slow)
    signal.alarm(_PATIENCE)
    try:
        result = simulate(seed, mutation=mutation(mutant))
    except Exception as error:  # noqa: BLE001  a run that breaks off is a finding
        return Summary(seed, f"seed {seed}: {error!r}\nagain: make simulate SEED={seed}")
    finally:
        signal.alarm(0)
    report = result.report if result.findings else ""
    return Summary(seed, report, result.acknowledged, result.delivered, result.lives)


def _too_slow(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"not done after {_PATIENCE} s")


def search(seconds: float, first: int, mutant: str, jobs: int) -> list[Summary]:
    """Run seed after seed, and return the summaries; progress goes to standard error."""
    found: list[Summary] = []
    began = shown_at = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        while time.monotonic() - began < seconds:
            next_seed = first + len(found)
            orders = [(next_seed + nth, mutant) for nth in range(jobs * _AT_ONCE)]
            found += pool.imap_unordered(_run, orders)
            if time.monotonic() - shown_at > _PROGRESS_SECONDS:
                shown_at = time.monotonic()
                print(summed(found, first), file=sys.stderr, flush=True)
    return found


def summed(found: list[Summary], first: int) -> str:
    """Print the results of these."""
    bad = sum(bool(one.report) for one in found)
    return (
        f"simulated seeds: {len(found)} from {first}, acknowledged:"
        f" {sum(one.acknowledged for one in found)}, delivered:"
        f" {sum(one.delivered for one in found)}, crashes and restarts:"
        f" {sum(max(0, one.lives - 1) for one in found)}, findings: {bad}"
    )
