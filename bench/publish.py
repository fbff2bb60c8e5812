"""Writes docs/benchmarks.md and its plot from what a run has found.

python -m bench.publish         from the last run, as it was kept in var/bench/results.json
"""

import json
from collections.abc import Mapping
from typing import Final

from bench.domains import ROOT
from bench.plot import as_svg
from bench.results import Report
from bench.table import as_markdown, targets_as_markdown
from bench.targets import verdicts

RESULTS: Final = ROOT / "var" / "bench" / "results.json"
PAGE: Final = ROOT / "docs" / "benchmarks.md"
PLOT: Final = PAGE.with_suffix(".svg")
STALLS: Final = "## How long the operator's calls hold up the mail"  # the page's last section; bench/stalls.py writes it

TEXT: Final = """\
<!-- Written by bench/publish.py from a run of the bench: run `make bench PUBLISH=1` to renew it. -->

# Benchmarks

Restante beside Postfix and Exim: the same work for each, in turn, on one machine, round by round ({rounds} rounds).
Values are medians; a ratio is taken within a round, and its ends show how much the rounds differ. No rate is given
where a message was lost. What was done, how the peers are set up, and what the figures do not say is in
[bench/README.md](../bench/README.md).

{machine}

![Messages per second]({plot})

## What it is built for, and what was measured

{targets}

That no acknowledged mail is lost when the server is killed is counted by `make crash`.

## All of it

CPU seconds are those of the server's processes, for 1,000 messages; memory is theirs, at most; syncs are for one message.

{table}
"""

STALLS_TEXT: Final = """\

One SMTP session says NOOP all the time. The table has its longest wait for an answer while each call of the operator is
under way, with {store}: the target is at most 50 ms. `nothing` is what the machine
alone makes it wait. The largest account has half of the domains.

{machine}

{table}
"""


def publish(report: Report) -> None:
    """Write both files."""
    _, _, stalls = PAGE.read_text(encoding="utf-8").partition(STALLS)
    PLOT.write_text(as_svg(report), encoding="utf-8")
    page = TEXT.format(
        rounds=report.rounds,
        machine=_listed(report.machine),
        plot=PLOT.name,
        targets=targets_as_markdown(verdicts(report)),
        table=as_markdown(report),
    )
    PAGE.write_text(f"{page}\n{STALLS}{stalls}" if stalls else page, encoding="utf-8")


def publish_stalls(command: str, machine: Mapping[str, str], store: str, table: str) -> None:
    """Write that section of the page anew, and leave the rest as it is."""
    page, _, _ = PAGE.read_text(encoding="utf-8").partition(STALLS)
    facts = _listed({"command": f"`{command}`", **machine})
    section = STALLS_TEXT.format(store=store, machine=facts, table=table)
    PAGE.write_text(f"{page.rstrip()}\n\n{STALLS}\n{section}", encoding="utf-8")


def _listed(machine: Mapping[str, str]) -> str:
    return "\n".join(f"- **{name}**: {fact}" for name, fact in machine.items() if fact)


if __name__ == "__main__":
    publish(Report.from_json(json.loads(RESULTS.read_text())))
