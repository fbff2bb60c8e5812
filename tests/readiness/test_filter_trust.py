"""Whether a primary judges the client before us, and the row about it."""

import pytest

from restante.readiness.arrived_header import ArrivedHeader
from restante.readiness.drill_facts import destination_mark
from restante.readiness.filter_trust import (
    OLD_DAYS,
    FilterTrust,
    TrustFacts,
    filter_trust,
    trust_row,
)
from restante.readiness.readiness_row import ReadinessCheck, ReadinessVerdict
from restante.tenancy.model import Destination

DAY = 86_400.0
NOW = 1000 * DAY
US, CLIENT, OTHER, NATTED = "203.0.113.2", "198.51.100.7", "192.0.2.9", "192.0.2.66"
LOOPBACK = "127.0.0.1"


@pytest.mark.parametrize(
    ("client", "filters", "server", "trust"),
    [
        (CLIENT, (CLIENT,), US, FilterTrust.CLIENT),
        (CLIENT, (CLIENT,), CLIENT, FilterTrust.CLIENT),
        (CLIENT, (), CLIENT, FilterTrust.CLIENT_BY_SERVER),
        (CLIENT, (US,), US, FilterTrust.US),
        (CLIENT, (US,), CLIENT, FilterTrust.US),
        (CLIENT, (CLIENT, US), US, FilterTrust.US),  # one of two filters does
        (CLIENT, (NATTED,), NATTED, FilterTrust.US),  # our address was translated on the way
        (CLIENT, (), US, FilterTrust.US_BY_SERVER),
        (CLIENT, (), NATTED, FilterTrust.US_BY_SERVER),
        (CLIENT, (OTHER,), US, FilterTrust.NOT_FOUND),
        (CLIENT, (), "", FilterTrust.NOT_FOUND),
        (CLIENT, (), LOOPBACK, FilterTrust.NOT_FOUND),  # a proxy of the primary
        (CLIENT, (LOOPBACK,), LOOPBACK, FilterTrust.NOT_FOUND),
        (US, (US,), US, FilterTrust.ALIKE),
        (US, (), US, FilterTrust.ALIKE),
        (LOOPBACK, (LOOPBACK,), US, FilterTrust.ALIKE),
        (LOOPBACK, (), LOOPBACK, FilterTrust.ALIKE),
        ("::1", (US,), US, FilterTrust.ALIKE),  # of loopback, nothing is known
        (LOOPBACK, (), US, FilterTrust.ALIKE),
        ("", (OTHER,), OTHER, FilterTrust.NOT_FOUND),
        ("10.0.0.5", (US,), US, FilterTrust.ALIKE),  # it is passed on to no primary
        ("fd00::5", ("fd00::5",), US, FilterTrust.ALIKE),
    ],
)
def test_the_address_that_was_judged_decides(
    client: str, filters: tuple[str, ...], server: str, trust: FilterTrust
) -> None:
    header = ArrivedHeader("<x@y>", client, filters, server)
    assert filter_trust(header, [US]) is trust


@pytest.mark.parametrize(
    ("facts", "verdict", "remedy"),
    [
        (None, ReadinessVerdict.UNKNOWN, "--arrived FILE"),
        (TrustFacts(FilterTrust.CLIENT, NOW), ReadinessVerdict.PASS, ""),
        (TrustFacts(FilterTrust.CLIENT_BY_SERVER, NOW), ReadinessVerdict.PASS, ""),
        (TrustFacts(FilterTrust.US, NOW), ReadinessVerdict.WARN, "domain snippet a.example --for"),
        (TrustFacts(FilterTrust.US_BY_SERVER, NOW), ReadinessVerdict.WARN, "--for PROGRAM"),
        (TrustFacts(FilterTrust.ALIKE, NOW), ReadinessVerdict.UNKNOWN, "--client ADDRESS"),
        (TrustFacts(FilterTrust.NOT_FOUND, NOW), ReadinessVerdict.UNKNOWN, "Received-SPF"),
        (
            TrustFacts(FilterTrust.CLIENT, NOW - OLD_DAYS * DAY),
            ReadinessVerdict.UNKNOWN,
            "--arrived FILE",
        ),
    ],
)
def test_the_row_has_verdict_evidence_and_remedy(
    facts: TrustFacts | None, verdict: ReadinessVerdict, remedy: str
) -> None:
    row = trust_row("a.example", facts, NOW)
    assert (row.check, row.verdict) == (ReadinessCheck.FILTERS, verdict)
    assert remedy in row.remedy
    assert bool(row.remedy) is (verdict is not ReadinessVerdict.PASS)
    if facts is not None:
        assert facts.trust.text in row.evidence


def test_the_evidence_has_its_age() -> None:
    facts = TrustFacts(FilterTrust.CLIENT, NOW - 12 * DAY)
    assert trust_row("a.example", facts, NOW).evidence.endswith("(header read 12 days ago)")
    assert "today" in trust_row("a.example", facts, facts.read_at - DAY).evidence


def test_a_header_tells_nothing_about_another_destination() -> None:
    then = Destination("mail.a.example")
    facts = TrustFacts(FilterTrust.CLIENT, NOW, destination_mark(then))
    assert trust_row("a.example", facts.at(then), NOW).verdict is ReadinessVerdict.PASS
    row = trust_row("a.example", facts.at(Destination("mail.b.example")), NOW)
    assert row.verdict is ReadinessVerdict.UNKNOWN
    assert row.evidence.endswith("(header read today, before the destination was changed)")
    assert "then drill" in row.remedy
