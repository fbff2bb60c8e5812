"""The row about drills in the check of a domain."""

from dataclasses import replace

import pytest

from restante.readiness.drill_facts import (
    NO_DRILL,
    DrillFacts,
    destination_mark,
    drill_row,
    drill_text,
    proven_text,
)
from restante.readiness.readiness_row import ReadinessVerdict
from restante.tenancy.model import ClientPassing, Destination

DAY = 86_400.0
NOW = 1000 * DAY


@pytest.mark.parametrize(
    ("facts", "verdict", "evidence"),
    [
        (NO_DRILL, ReadinessVerdict.UNKNOWN, "no drill has proven that held mail arrives"),
        (DrillFacts(NOW - 12 * DAY, 1.94), ReadinessVerdict.PASS, "proven 12 days ago in 1.9 s"),
        (DrillFacts(NOW - 91 * DAY, 2.0), ReadinessVerdict.WARN, "proven 91 days ago in 2.0 s"),
        (
            DrillFacts(NOW - 91 * DAY, 2.0, NOW - 1),
            ReadinessVerdict.WARN,
            "the last drill failed today",
        ),
    ],
)
def test_the_last_drill_decides(
    facts: DrillFacts, verdict: ReadinessVerdict, evidence: str
) -> None:
    row = drill_row("a.example", facts, NOW, 90 * DAY)
    assert (row.verdict, row.evidence) == (verdict, evidence)
    assert ("restante drill a.example" in row.remedy) is (verdict is not ReadinessVerdict.PASS)


def test_listings_have_a_text_of_the_last_one() -> None:
    assert drill_text(NO_DRILL, NOW) == proven_text(NO_DRILL, NOW) == ""
    assert drill_text(DrillFacts(None, 0.0, NOW - DAY), NOW) == "failed 1 day ago"
    assert drill_text(DrillFacts(NOW, 0.3), NOW) == "proven today in 0.3 s"


def test_a_drill_proves_nothing_about_another_destination() -> None:
    then = Destination("mail.a.example", client_address=ClientPassing.PROXY)
    facts = DrillFacts(NOW, 0.3, destination=destination_mark(then))
    for now in (
        replace(then, host="mail.b.example"),
        replace(then, port=2525),
        replace(then, client_address=ClientPassing.NONE),
    ):
        row = drill_row("a.example", facts.at(now), NOW, 90 * DAY)
        assert row.verdict is ReadinessVerdict.WARN
        assert row.evidence == "proven today in 0.3 s, before the destination was changed"
    same = replace(then, connections=1)
    assert drill_text(facts.at(same), NOW) == "proven today in 0.3 s"
    assert not DrillFacts(NOW, 0.3).at(then).is_former  # of an earlier version
