"""Write docs/benchmarks.md and its plot from the results of a run.

python -m bench.publish         from the last run, kept in var/bench/results.json
"""

import json
from collections.abc import Mapping
from typing import Final

from bench.domains import ROOT
from bench.plot import as_svg
from bench.results import Report
from bench.table import as_markdown, reasons_as_markdown, targets_as_markdown
from bench.targets import verdicts

RESULTS: Final = ROOT / "var" / "bench" / "results.json"
PAGE: Final = ROOT / "docs" / "benchmarks.md"
PUBLISHED: Final = PAGE.with_suffix(".json")  # the results of the page, for a run with --keep
PLOT: Final = PAGE.with_suffix(".svg")
# The page's last sections, in this order. bench/stalls.py and bench/web_pressure.py write them.
STALLS: Final = "## How long the operator's calls delay the mail"
PRESSURE: Final = "## How much strangers on the web delay the mail"

TEXT: Final = """\
<!-- Written by bench/publish.py from a run of the bench. To update it: `make bench PUBLISH=1`. -->

# Benchmarks

Restante beside Postfix and Exim. Each does the same work, in turn, on one machine, in {rounds}
rounds. Values are medians. A ratio is computed within a round, and its range shows how much the
rounds differ. No rate is given where a message was lost. [bench/README.md](../bench/README.md)
describes the work, the configuration of the peers and the limits of the figures.

{machine}

![Messages per second]({plot})

## Targets and results

{targets}

The targets that are not met, and why:

{reasons}

`make crash` counts acknowledged messages that are lost when the server is killed. The target is 0.

## All results

CPU seconds are those of the server's processes per 1,000 messages. Memory is their maximum. Syncs
are per message.

{table}
"""

STALLS_TEXT: Final = """\

One SMTP session sends NOOP continuously. The table has its longest wait for a reply during each
call of the operator, with {store}. The target is at most 50 ms.
`nothing` is the longest wait without a call. The largest account has half of the domains.

{machine}

{table}
"""

PRESSURE_TEXT: Final = """\

Clients send 100 messages a second, each of 4 KiB. They note the time from MAIL to the reply to the
content. Meanwhile strangers guess passwords of many users, from many addresses, and 32 send bodies
one octet a second. The same pressure on a stand-in, a web server of its own, is the control. The
target is a p95 that moves by less than 10 % against it. A change is the median of the rounds, with
its quartiles. Mail and server have real-time priority, strangers and stand-in get what is left.

{machine}

{table}
"""


def publish(report: Report) -> None:
    """Write the page, its results and the plot. Keep the sections that other programs write."""
    _, _, stalls = PAGE.read_text(encoding="utf-8").partition(STALLS)
    PUBLISHED.write_text(f"{json.dumps(report.as_json(), indent=1)}\n", encoding="utf-8")
    PLOT.write_text(as_svg(report), encoding="utf-8")
    judged = verdicts(report)
    page = TEXT.format(
        rounds=report.rounds,
        machine=_listed(report.machine),
        plot=PLOT.name,
        targets=targets_as_markdown(judged),
        reasons=reasons_as_markdown(judged),
        table=as_markdown(report),
    )
    PAGE.write_text(f"{page}\n{STALLS}{stalls}" if stalls else page, encoding="utf-8")


def publish_stalls(command: str, machine: Mapping[str, str], store: str, table: str) -> None:
    """Replace the section on stalls, and keep the rest of the page."""
    whole = PAGE.read_text(encoding="utf-8")
    page, _, _ = whole.partition(STALLS)
    _, _, pressure = whole.partition(PRESSURE)
    facts = _listed({"command": f"`{command}`", **machine})
    section = STALLS_TEXT.format(store=store, machine=facts, table=table)
    rest = f"\n{PRESSURE}{pressure}" if pressure else ""
    PAGE.write_text(f"{page.rstrip()}\n\n{STALLS}\n{section}{rest}", encoding="utf-8")


def publish_pressure(command: str, machine: Mapping[str, str], table: str) -> None:
    """Replace the section on pressure, and keep the rest of the page."""
    page = PAGE.read_text(encoding="utf-8")
    page, _, _ = page.partition(PRESSURE)
    facts = _listed({"command": f"`{command}`", **machine})
    section = PRESSURE_TEXT.format(machine=facts, table=table)
    PAGE.write_text(f"{page.rstrip()}\n\n{PRESSURE}\n{section}", encoding="utf-8")


def _listed(machine: Mapping[str, str]) -> str:
    return "\n".join(f"- **{name}**: {fact}" for name, fact in machine.items() if fact)


if __name__ == "__main__":
    publish(Report.from_json(json.loads(RESULTS.read_text())))
