"""SPF by our own name servers, within limits."""

import asyncio

import pytest
import spftrace

from restante.readiness.dns_facts import SpfFinding
from restante.readiness.spf_lookup import MOST_QUERIES, find_spf
from tests.readiness.zone import Zone

ADDRESS = "203.0.113.2"


def found(zone: Zone, address: str = ADDRESS) -> SpfFinding:
    return asyncio.run(find_spf(zone, address, "a.example", "mx2.b.example"))


def zone_of(record: str) -> Zone:
    return Zone(
        {
            "a.example": {
                "TXT": ["other", record],
                "MX": ["10 mail.a.example", "20 mx2.b.example"],
            },
            "mail.a.example": {"A": ["203.0.113.1"]},
            "mx2.b.example": {"A": [ADDRESS], "AAAA": ["2001:db8::2"]},
            "_spf.c.example": {"TXT": ["v=spf1 a:mx2.b.example ?all"]},
        }
    )


@pytest.mark.parametrize(
    ("record", "address", "result", "matched"),
    [
        ("v=spf1 mx -all", ADDRESS, "pass", "mx"),
        ("v=spf1 mx -all", "2001:db8::2", "pass", "mx"),
        ("v=spf1 ip4:203.0.113.1 -all", ADDRESS, "fail", "-all"),
        ("v=spf1 ip4:203.0.113.1 ~all", ADDRESS, "softfail", "~all"),
        ("v=spf1 ip4:203.0.113.1 ?all", ADDRESS, "neutral", "?all"),
        ("v=spf1 include:_spf.c.example -all", ADDRESS, "pass", "include:_spf.c.example"),
        ("v=spf1 redirect=_spf.c.example", ADDRESS, "pass", "redirect=_spf.c.example"),
        ("v=spf1 nonsense:x", ADDRESS, "permerror", ""),
    ],
)
def test_a_result_has_the_term_that_decided(
    record: str, address: str, result: str, matched: str
) -> None:
    finding = found(zone_of(record), address)
    assert (finding.result, finding.record) == (result, "" if result == "permerror" else record)
    assert finding.matched == matched


def test_without_a_record_there_is_no_result() -> None:
    assert found(Zone()).result == "none"


def test_a_failure_of_dns_is_a_temporary_error() -> None:
    zone = zone_of("v=spf1 mx -all")
    zone.failing.add("a.example")
    assert found(zone).result == "temperror"


def test_a_hostile_record_makes_few_queries() -> None:
    """Ten MX terms of ten hosts each are within the RFC's count of terms, and beyond ours."""
    hosts = {f"h{n}.x.example": {"A": ["192.0.2.1"]} for n in range(100)}
    terms = {
        f"t{t}.x.example": {"MX": [f"10 h{t * 10 + n}.x.example" for n in range(10)]}
        for t in range(10)
    }
    record = " ".join(f"mx:t{t}.x.example" for t in range(10))
    zone = Zone({"a.example": {"TXT": [f"v=spf1 {record} -all"]}, **hosts, **terms})
    assert found(zone).result in ("permerror", "temperror")
    assert len(zone.asked) <= MOST_QUERIES


@pytest.mark.parametrize(
    ("record", "result"),
    [
        (f"v=spf1 a:%{{i{'9' * 4050}}}", "permerror"),  # digits that Python refuses to read
        (f"v=spf1 {'ip4:192.0.2.1 ' * 400}-all", "none"),  # too long to be read
    ],
)
def test_a_strange_record_costs_its_own_result(record: str, result: str) -> None:
    assert found(zone_of(record)).result == result


def test_a_loop_of_includes_ends() -> None:
    zone = Zone({"a.example": {"TXT": ["v=spf1 include:a.example -all"]}})
    assert found(zone).result == "permerror"


def test_a_fault_of_the_library_costs_a_result_and_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def evaluate(*_: object) -> None:
        raise ValueError("digits")

    monkeypatch.setattr(spftrace.Evaluator, "evaluate", evaluate)
    finding = found(zone_of("v=spf1 mx -all"))
    assert finding.result == "permerror"
    assert finding.reason == "a record cannot be read: digits"
