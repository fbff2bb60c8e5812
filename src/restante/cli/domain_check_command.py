"""`restante domain check`: whether a domain's mail would reach its destination."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from restante.cli.api_client import ask, segment
from restante.cli.display import JsonObject, say, screen_width, show_json
from restante.cli.failures import Exit, printable
from restante.cli.options import ConfigOption, JsonOption
from restante.cli.progress import waiting
from restante.cli.status_command import CRITICAL
from restante.cli.table import fold
from restante.cli.times import span, unix_time
from restante.readiness.readiness_row import ReadinessVerdict

_INDENT: Final = " " * 9
_SNIPPET: Final = " " * 11


def check_domain(
    name: Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain.")],
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Check whether a domain's mail would reach its destination, and whether forgeries would.

    It looks at DNS, at the destination and at the records of the domain. No mail is sent, and
    nothing is changed. A destination is looked at once in ten minutes: until then, the last look is
    shown again.

    Exit codes: 0 if nothing fails, and 2 if something does. Other codes are of errors.
    """
    with waiting(f"checking {name}"):
        view = ask(config, "POST", f"/v1/domains/{segment(name)}/check")
    if as_json:
        show_json(view)
    else:
        _show(view)
    return CRITICAL if view["verdict"] == ReadinessVerdict.FAIL else Exit.DONE


def _show(view: JsonObject) -> None:
    for row in view["rows"]:
        say_check_row(row)
    say("")
    say(_summary(view["rows"]))
    if (seen_at := view["destination_seen_at"]) is None:
        return
    age = max(0.0, unix_time(view["at"]) - unix_time(seen_at))
    if age >= 1:
        again = unix_time(view["destination_again_at"]) - time.time()
        say(
            f"the destination was looked at {span(age)} ago; it can be looked at again in"
            f" {span(max(again, 0.0))}"
        )


def say_check_row(row: JsonObject) -> None:
    """Print a row: verdict and title, then the evidence, the remedy, and lines to copy."""
    verdict = ReadinessVerdict.text_of(row["verdict"])
    say(f"{verdict:7}  {printable(row['title'])}", mark=verdict)
    texts = [(row["evidence"], _INDENT, _INDENT)]
    if row["remedy"]:
        texts.append((f"→ {row['remedy']}", _INDENT, _SNIPPET))
    for text, first, others in texts:
        for line in fold(printable(text), screen_width(), first, others):
            say(line)
    for line in row["snippet"].splitlines():
        say(f"{_SNIPPET}{printable(line)}")


def _summary(rows: Sequence[JsonObject]) -> str:
    """Return how many rows have each verdict, the worst first."""
    counts = Counter(row["verdict"] for row in rows)
    worst_first = (
        ReadinessVerdict.FAIL,
        ReadinessVerdict.WARN,
        ReadinessVerdict.UNKNOWN,
        ReadinessVerdict.PASS,
    )
    return ", ".join(f"{counts[one]} {one.text}" for one in worst_first if counts[one])
