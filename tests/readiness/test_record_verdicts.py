"""Verdicts about a domain's own records, as tables."""

from dataclasses import replace
from typing import Any

import pytest

from restante.queue.held_peak import HeldAmount
from restante.readiness.filter_trust import FilterTrust, TrustFacts
from restante.readiness.readiness_row import ReadinessCheck, ReadinessRow
from restante.readiness.record_verdicts import LastRelease, RecentArrivals, RecordFacts, record_rows
from restante.tenancy.policy import DAY, AtEnd, HoldPolicy, Policy, Retention
from restante.tenancy.quota import Quota

NOW = 1_760_000_000.0
ASKED = LastRelease(NOW - 12 * DAY, "login alpha", "192.0.2.1")
GOOD = RecordFacts("a.example", NOW, Policy(), True, ("192.0.2.1",), last_release=ASKED)


def of(check: ReadinessCheck, facts: RecordFacts) -> list[ReadinessRow]:
    return [row for row in record_rows(facts) if row.check is check]


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({}, ["PASS"], "login alpha asked from 192.0.2.1 12 days ago"),
        ({"last_release": replace(ASKED, at=NOW - 200 * DAY)}, ["WARN"], "200 days ago"),
        ({"last_release": replace(ASKED, at=NOW - 60)}, ["PASS"], "from 192.0.2.1 today"),
        ({"last_release": None}, ["UNKNOWN"], "never proven"),
        ({"last_release": None, "has_login": False}, ["FAIL"], "there is no login"),
        ({"last_release": None, "authorized": ()}, ["FAIL"], "there is no authorized host"),
        (
            {"last_release": None, "policy": Policy(hold=HoldPolicy.RELAY)},
            ["PASS"],
            "leaves without a request",
        ),
        ({"unresolved": ("mail.a.example",)}, ["WARN", "PASS"], "mail.a.example"),
        ({"refusals": {"host 192.0.2.9 is not authorized": 3}}, ["WARN", "PASS"], "(3)"),
    ],
)
def test_requests(changes: dict[str, Any], expected: list[str], words: str) -> None:
    rows = of(ReadinessCheck.RELEASE, replace(GOOD, **changes))
    assert [row.verdict.text for row in rows] == expected
    assert words in rows[0].evidence


def kept(days: float, at_end: AtEnd = AtEnd.DELETE) -> Policy:
    return Policy(retention=Retention(days * DAY, at_end))


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({}, "PASS", "without an end"),
        ({"policy": kept(30)}, "PASS", "for 30 days"),
        ({"policy": kept(2)}, "WARN", "long weekend"),
        ({"policy": kept(2, AtEnd.KEEP)}, "PASS", "for 2 days"),
        ({"policy": kept(7), "longest_outage": 9 * DAY}, "WARN", "an outage took 9.0 days"),
        ({"policy": Policy(quota=Quota(octets=100)), "octets": 80}, "WARN", "80 of 100 octets"),
        ({"policy": Policy(quota=Quota(octets=100)), "octets": 79}, "PASS", ""),
        ({"policy": Policy(quota=Quota(messages=10)), "messages": 9}, "WARN", "9 of 10 messages"),
        (
            {"policy": Policy(quota=Quota(octets=100)), "most_held": HeldAmount(1, 90)},
            "WARN",
            "90 of 100 octets of the quota were used in the last 7 days",
        ),
        ({"most_held": HeldAmount(1200, 3 * 1024**2)}, "PASS", "1,200 and 3.0 MiB at most"),
        ({"is_room_short": True}, "WARN", "disk"),
        (
            {"arrived": RecentArrivals(70, 2**20)},
            "PASS",
            "; 70 messages, 1.0 MiB arrived in 7 days;",
        ),
        ({"arrived": RecentArrivals(70, 1, False)}, "PASS", "; at least 70 messages"),
        (  # ten a day: five days at least, without a retention
            {"arrived": RecentArrivals(70), "policy": Policy(quota=Quota(messages=49))},
            "WARN",
            "so 5.0 days without the destination need 50 of 49 messages of the quota",
        ),
        ({"arrived": RecentArrivals(70), "policy": Policy(quota=Quota(messages=50))}, "PASS", ""),
        (
            {
                "arrived": RecentArrivals(70),
                "longest_outage": 6 * DAY,
                "policy": Policy(quota=Quota(messages=50)),
            },
            "WARN",
            "so 6.0 days",
        ),
        (
            {
                "arrived": RecentArrivals(1, 700),
                "policy": replace(kept(30), quota=Quota(octets=2999)),
            },
            "WARN",
            "so 30.0 days without the destination need 3,000 of 2,999 octets",
        ),
    ],
)
def test_room(changes: dict[str, Any], expected: str, words: str) -> None:
    [row] = of(ReadinessCheck.ROOM, replace(GOOD, **changes))
    assert row.verdict.text == expected
    assert words in row.evidence


def test_the_trust_of_filters_needs_a_message() -> None:
    [row] = of(ReadinessCheck.FILTERS, GOOD)
    assert row.verdict.text == "UNKNOWN"
    trust = TrustFacts(FilterTrust.US, GOOD.now)
    [row] = of(ReadinessCheck.FILTERS, replace(GOOD, trust=trust))
    assert row.verdict.text == "WARN"
