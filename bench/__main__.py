"""Run the bench: `python -m bench`, as root, from the top of the repository, or `make bench`.

    --quick          the main rows, with less work, in about six minutes
    --every          also every combination of size, sessions, kept connections and TLS
    --rounds N       how often each subject does the work of each row
    --rows PATTERN   only rows whose names match, such as 'accept-*'; blanks separate patterns
    --dir DIR        directory of the stores and queues, on the disk to measure
    --keep           keep published rows that are not measured now; the page marks them
    --publish        write docs/benchmarks.md and its plot from the results

README.md explains the results.
"""

import argparse
import fnmatch
import json
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from bench.machine import NotOnDisk, describe
from bench.publish import PUBLISHED, RESULTS, publish
from bench.results import Report, RowResult, number
from bench.rows.accept import accept_rows
from bench.rows.drain import drain_rows
from bench.rows.fairness import fairness_rows
from bench.rows.first_mail import held_rows
from bench.rows.floor import floor_rows
from bench.rows.listings import listings_rows
from bench.rows.memory import memory_rows
from bench.rows.refill import refill_rows
from bench.rows.row import Extent, Row
from bench.rows.sealing import sealing_rows
from bench.rows.start import start_rows
from bench.rows.takeover import takeover_rows
from bench.rows.turnaround import turnaround_rows
from bench.servers.park import Park
from bench.table import as_text, targets_as_text
from bench.targets import verdicts

ROUNDS: Final = {Extent.QUICK: 2, Extent.FULL: 3, Extent.EVERY: 3}


def main() -> int:
    """Measure, print the table, and return an exit code: 1 if a row has no value."""
    options = _options()
    raise_limits()
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit("bench: ended")
    )  # by the way of Ctrl-C, so that nothing is left
    tempfile.tempdir = str(options.dir)
    rounds = options.rounds or ROUNDS[options.extent]
    try:
        report = Report(describe(options.dir), rounds)
    except NotOnDisk as error:
        sys.exit(f"bench: {error}")
    earlier = _earlier(report) if options.keep else None
    with Park() as park:
        rows = _rows(park, options.extent)
        for row in _chosen(rows, options.rows):
            report.rows.append(measure(row, rounds))
            if earlier is None:  # otherwise the old rows stay until all new ones are there
                _keep(report)
    if earlier is not None:
        report.keep(earlier, [row.name for row in rows])
        _keep(report)
    print(as_text(report))
    if judged := verdicts(report):
        print("", targets_as_text(judged), sep="\n")
    if options.publish:
        publish(report)
    return int(any(row.failure for row in report.rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Restante beside stock mail servers."
    )
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument(
        "--quick", dest="extent", action="store_const", const=Extent.QUICK, default=Extent.FULL
    )
    extent.add_argument("--every", dest="extent", action="store_const", const=Extent.EVERY)
    parser.add_argument("--rounds", type=int, default=0, metavar="N")
    parser.add_argument("--rows", default="*", metavar="PATTERN")
    parser.add_argument("--dir", type=Path, default=Path("/var/tmp"))
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--publish", action="store_true")
    return parser.parse_args()


def raise_limits() -> None:
    """Allow ourselves and our children the open files of 10,000 connections, or the maximum."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _rows(park: Park, extent: Extent) -> list[Row]:
    return [
        *accept_rows(park, extent),
        *floor_rows(extent),
        *drain_rows(park, extent),
        *sealing_rows(park, extent),
        *takeover_rows(park, extent),
        *turnaround_rows(park, extent),
        *start_rows(park, extent),
        *held_rows(park, extent),
        *refill_rows(park, extent),
        *listings_rows(park, extent),
        *memory_rows(park, extent),
        *fairness_rows(park, extent),
    ]


def _earlier(report: Report) -> Report:
    """Return the published run. Ends the program if another machine made it, or none is there."""
    if not PUBLISHED.exists():
        sys.exit(
            f"bench: {PUBLISHED} is not there: no published run has rows to keep; leave --keep away"
        )
    earlier = Report.from_json(json.loads(PUBLISHED.read_text(encoding="utf-8")))
    if differing := report.differs_in(earlier):
        sys.exit(
            f"bench: the earlier rows are of another {', '.join(differing)}; leave --keep away, and"
            " measure all"
        )
    return earlier


def _chosen(rows: Iterable[Row], patterns: str) -> list[Row]:
    chosen = [
        row
        for row in rows
        if any(fnmatch.fnmatch(row.name, pattern) for pattern in patterns.split())
    ]
    if not chosen:
        sys.exit(f"no row matches {patterns!r}")
    return chosen


def measure(row: Row, rounds: int) -> RowResult:
    """Have each subject do the work in each round, beginning with another one each time."""
    result = RowResult(
        row.name, row.title, row.unit, list(row.ratios), {one: [] for one in row.subjects}, row.note
    )
    try:
        for place in range(rounds):
            turn = place % len(row.subjects)
            for subject in [*row.subjects[turn:], *row.subjects[:turn]]:
                _add(result, row, subject, is_first=place == 0)
    except (
        pytest.skip.Exception,
        pytest.fail.Exception,
    ) as missing:  # a program that is not installed
        result.failure = str(missing)
    except Exception as error:  # noqa: BLE001  an hour's run is not given up for one row
        traceback.print_exc()
        result.failure = f"{type(error).__name__}: {error}"
    return result


def _add(result: RowResult, row: Row, subject: str, *, is_first: bool) -> None:
    begin = time.monotonic()
    sample = row.run(subject, is_first=is_first)
    result.samples[subject].append(sample)
    _say(
        f"{time.monotonic() - begin:6.1f} s  {row.name:24} {subject:32} {number(sample.value):>8}"
        f" {row.unit}"
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _keep(report: Report) -> None:
    """Write what was found until now, so that a run which is ended has not been for nothing."""
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(report.as_json(), indent=1))


if __name__ == "__main__":
    sys.exit(main())
