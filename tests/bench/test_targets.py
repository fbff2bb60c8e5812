"""The page tells for each target that is not met why it is not."""

import json

from bench.publish import PAGE, PUBLISHED
from bench.results import Report, RowResult, Sample
from bench.table import as_text, reasons_as_markdown
from bench.targets import Verdict, verdicts


def test_each_published_target_that_is_not_met_has_a_reason() -> None:
    report = Report.from_json(json.loads(PUBLISHED.read_text(encoding="utf-8")))
    missed = [one for one in verdicts(report) if not one.is_met]
    assert [one.what for one in missed if not one.reason] == []
    assert reasons_as_markdown(missed) in PAGE.read_text(encoding="utf-8")


def test_targets_with_one_reason_stand_together() -> None:
    missed = [Verdict(what, "≤ 1", "2", is_met=False, reason="Slow") for what in ("a", "b")]
    met = Verdict("c", "≤ 1", "1", is_met=True, reason="Slow")
    assert reasons_as_markdown([*missed, met]) == "- a; b. **Slow.**"


def test_a_start_and_repeated_listings_are_judged() -> None:
    rows = [
        RowResult("start-cpu", "start", "CPU s", samples={"Restante": [Sample(0.36)]}),
        RowResult(
            "memory-listings",
            "memory",
            "MiB",
            samples={"all listed once": [Sample(200.0)], "all listed 10 times": [Sample(220.0)]},
        ),
    ]
    found = verdicts(Report({}, 1, rows))
    assert [(one.measured, one.word) for one in found] == [("0.36 s", "met"), ("1.10x", "NOT MET")]


def test_a_row_with_other_rounds_than_the_page_says_so() -> None:
    rows = [RowResult("a", "first", "ms", samples={"x": [Sample(1.0)]})]
    assert "rounds: 1" in as_text(Report({}, 3, rows))
    assert "rounds: 1" not in as_text(Report({}, 1, rows))
