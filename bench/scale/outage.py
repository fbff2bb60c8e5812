"""How long a region's backlog takes after its primaries are back: a simulation, by seed.

    .venv/bin/python -m bench.scale.outage [--seed 1] [--messages-a-day 1000] [--servers 4] …

A row for each of some scenes, or for the one that the options describe (outage_model.py).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Final

from bench.scale.measures import percentile
from bench.scale.outage_model import Costs, Outage, OutageResult, Scene

HEAD: Final = (
    "| scene | backlog | drained, median | p99 | last | open | running | lane, most s "
    "| messages/s, most | database, most | server, most | took s |"
)
_OPTIONS: Final = (
    "domains", "messages_a_day", "servers", "database_processors", "drains_limit", "region",
    "away", "back_within", "asks_within", "destination_rate", "largest_account",
)  # fmt: skip


def scenes(base: Scene) -> Iterator[tuple[str, Scene]]:
    """Yield the scenes of the page about sizing."""
    yield "as it is", base
    yield "100 messages a day", replace(base, messages_a_day=100.0)
    yield "5,000 messages a day", replace(base, messages_a_day=5_000.0)
    yield "half of all domains", replace(base, region=0.5)
    yield "all back within 10 s, and ask at once", replace(base, back_within=10.0, asks_within=1.0)
    yield "one server", replace(base, servers=1)
    yield "slow destinations: 2 messages/s", replace(base, destination_rate=2.0)
    yield "one account has half of all", replace(base, largest_account=0.5)
    yield "two processors for the database", replace(base, database_processors=2)


def line(name: str, result: OutageResult, took: float) -> str:
    """Return a row of the table."""
    drained = result.drained or [0.0]
    return (
        f"| {name} | {result.backlog:,.0f} | {percentile(drained, 0.5):,.0f} s"
        f" | {percentile(drained, 0.99):,.0f} s | {result.over:,.0f} s | {result.most_open:,}"
        f" | {result.most_running:,} | {result.longest_lane:,.0f} | {result.rate:,.0f}"
        f" | {max(result.database):.1f} | {result.server:.2f} | {took:.0f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--one", action="store_true", help="only the scene of the options")
    kinds = {field.name: type(field.default) for field in fields(Scene)}
    for name in _OPTIONS:
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, type=kinds[name])
    given = vars(parser.parse_args())
    options = {name: given[name] for name in _OPTIONS if given[name] is not None}
    found = list(scenes(replace(Scene(), **options)))
    print(f"{HEAD}\n| --- |{' ---: |' * 11}")
    for name, scene in found[:1] if given["one"] else found:
        began = time.monotonic()
        result = Outage(scene, Costs(), given["seed"]).run()
        print(line(name, result, time.monotonic() - began), flush=True)


if __name__ == "__main__":
    main()
