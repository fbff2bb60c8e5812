"""Simulate for a while, a process on each processor: `python -m tests.simulation SECONDS`.

    python -m tests.simulation --seed 7            one seed; --trace prints everything that happened
    python -m tests.simulation --seed 7 --store sqlite    the same on another kind of store
    python -m tests.simulation 60 --mutant NAME    look for a fault that is put in (mutants.py)

Exit code 1 when an invariant was broken: each such seed is reported with its timeline.
"""

# ruff: noqa: T201  it is a program, and tells what happens

from __future__ import annotations

import argparse
import os
import random
import sys
from typing import Final

from restante.store.store_url import StoreKind
from tests.simulation.mutants import MUTANTS, mutation
from tests.simulation.search import search, summed
from tests.simulation.story import Result, simulate

_SHOWN: Final = 3  # reports


def _tell(result: Result, *, with_trace: bool) -> int:
    if with_trace:
        print(*result.trace.lines, sep="\n")
    print(f"seed {result.plan.seed}: trace {result.trace.digest}, {len(result.trace.lines)} lines")
    if result.findings:
        print(result.report)
    return 1 if result.findings else 0


def main() -> int:
    """Simulate, and sum up."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=60.0, help="of the clock")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--first", type=int, help="the first seed; otherwise by chance")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), default="", help="put this fault in")
    parser.add_argument("--store", choices=list(StoreKind), help="instead of the seed's own kind")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="seeds at a time")
    parser.add_argument("--trace", action="store_true", help="print all that happened")
    options = parser.parse_args()
    if options.seed is not None:
        store = StoreKind(options.store) if options.store else None
        result = simulate(options.seed, mutation=mutation(options.mutant), store=store)
        return _tell(result, with_trace=options.trace)
    first = options.first
    if first is None:
        first = random.SystemRandom().randrange(1_000_000_000)
    found = search(options.seconds, first, options.mutant, options.jobs)
    bad = sorted((one for one in found if one.report), key=lambda one: one.seed)
    for one in bad[:_SHOWN]:
        print(one.report, end="\n\n")
    print(summed(found, first))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
