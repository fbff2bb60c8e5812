"""Which events cause notices, for which accounts, and with which text."""

from typing import Any

import pytest

from restante.notices.notice_language import KIND_MEANINGS, clean
from restante.notices.notice_rules import RULES, notice_facts_in
from restante.telemetry.event_fields import example
from restante.telemetry.events import (
    CertificateExpiring,
    CertificateOrderFailed,
    DrainFinished,
    DrillFailed,
    DrillPassed,
    Event,
    FilterAway,
    FilterBack,
    MailHeld,
    MessageDamaged,
    PrimaryAway,
    PrimaryBack,
)
from restante.tenancy.notice import (
    OF_ACCOUNTS,
    OF_THE_SERVER,
    NoticeKind,
)
from tests.notices.strangers import filled, notices
from tests.wire import NOW

DRAIN: dict[str, Any] = {
    "domain": "acme.example",
    "account": "acme",
    "destination": "mail.acme.example:25",
    "delivered": 3,
    "refused": 0,
    "held": 12,
    "reason": "patience is over",
}


def test_every_kind_has_a_rule() -> None:
    told = {one.facts.kind for one in notices("x")} | {
        one.kind for one in notice_facts_in(example(DrainFinished), NOW)
    }
    assert (
        told
        == OF_ACCOUNTS | OF_THE_SERVER
        == set(NoticeKind) - {NoticeKind.TEST}
        == set(KIND_MEANINGS) - {"test"}
    )


@pytest.mark.parametrize(
    ("end", "delivered", "refused", "kinds"),
    [
        ("finished", 3, 0, ["drain-finished"]),
        ("finished", 3, 2, ["drain-finished", "delivery-refused"]),
        ("finished", 0, 2, ["delivery-refused"]),
        ("finished", 0, 0, []),
        ("given-up", 0, 0, ["drain-given-up"]),
        ("refused", 0, 9, ["delivery-refused"]),
        ("stopped", 3, 0, []),
    ],
)
def test_kinds_of_notices_by_the_end_of_a_drain(
    end: str, delivered: int, refused: int, kinds: list[str]
) -> None:
    given = {**DRAIN, "end": end, "delivered": delivered, "refused": refused}
    found = notice_facts_in(example(DrainFinished, **given), NOW)
    assert [str(facts.kind) for facts in found] == kinds


def test_drills_that_fail_in_a_row_are_told_ever_less_often() -> None:
    told = [
        failures
        for failures in range(1, 40)
        if list(notice_facts_in(example(DrillFailed, failures=failures), NOW))
    ]
    assert told == [1, 2, 4, 8, 16, 32]


def test_a_drill_that_passed_is_news_after_trouble_only() -> None:
    assert not list(notice_facts_in(example(DrillPassed, proven_again=False), NOW))
    [facts] = notice_facts_in(example(DrillPassed, proven_again=True), NOW)
    assert (facts.kind, facts.about) == (NoticeKind.DRILL_PASSED, "acme.example")


def test_an_event_without_a_rule_is_no_news() -> None:
    assert list(notice_facts_in(example(MailHeld), NOW)) == []


@pytest.mark.parametrize(
    ("total", "expected"), [(2, "a.example,b.example"), (5, "a.example,b.example and 3 more")]
)
@pytest.mark.parametrize("kind", [PrimaryAway, PrimaryBack])
def test_a_notice_counts_the_domains_that_its_event_does_not_name(
    kind: type[PrimaryAway | PrimaryBack], total: int, expected: str
) -> None:
    event = example(kind, domains=("a.example", "b.example"), domains_total=total)
    [facts] = notice_facts_in(event, NOW)
    assert facts.details["domains"] == expected
    assert expected in facts.text


@pytest.mark.parametrize("kind", RULES)
def test_every_notice_has_the_time_and_the_texts_of_its_event(kind: type[Event]) -> None:
    found = list(notice_facts_in(filled(kind, "a text"), NOW + 5))
    assert found
    for facts in found:
        assert facts.at == NOW + 5
        assert facts.text == clean(facts.text) != ""
        assert facts.about == clean(facts.about) != ""


def test_damage_is_told_to_the_account_of_the_mail_and_to_the_operator() -> None:
    event = example(MessageDamaged, account="acme", domain="acme.example", message="abc")
    assert [(one.kind, one.account, one.about) for one in notice_facts_in(event, NOW)] == [
        (NoticeKind.MESSAGE_DAMAGED, "acme", "acme.example"),
        (NoticeKind.DAMAGE_FOUND, "", "held content"),
    ]
    removed = example(MessageDamaged, account="", domain="", message="abc")
    assert all("a removed domain" in one.text for one in notice_facts_in(removed, NOW))


@pytest.mark.parametrize(
    ("days", "text"),
    [(1, "1 day,"), (14, "14 days,"), (0, "has expired")],
)
def test_a_certificate_expires_in_days_or_has_expired(days: int, text: str) -> None:
    [facts] = notice_facts_in(example(CertificateExpiring, days=days), NOW)
    assert text in facts.text
    assert facts.account == ""


def test_a_failed_order_of_a_certificate_is_told_to_the_operator_with_its_cause() -> None:
    failed = example(CertificateOrderFailed, hosts=("mx.customer.example",), retry_seconds=7200.0)
    [facts] = notice_facts_in(failed, NOW)
    assert facts.text == (
        "No certificate for mx.customer.example was issued: the order is invalid. The certificate"
        " in use stays. The order is tried again in 2 hours."
    )
    assert (facts.account, facts.about) == ("", "mx.customer.example")


def test_the_operator_learns_that_a_filter_is_away_and_that_it_is_back() -> None:
    [away] = notice_facts_in(example(FilterAway), NOW)
    assert away.text == (
        "The content filter rspamd fails: Connection refused. Mail is held unexamined until it"
        " answers."
    )
    [back] = notice_facts_in(example(FilterBack), NOW)
    assert back.text == "The content filter rspamd answers again, after 62 s."
    assert (away.account, back.account, away.about, back.about) == ("", "", "rspamd", "rspamd")


def test_the_notice_names_hosts_of_the_certificate() -> None:
    hosts = ("mx.customer.example", "b.example", "c.example", "d.example")
    [facts] = notice_facts_in(example(CertificateExpiring, hosts=hosts), NOW)
    assert "for mx.customer.example, b.example, c.example expires in" in facts.text
    [unnamed] = notice_facts_in(example(CertificateExpiring, hosts=()), NOW)
    assert "A certificate of the server expires in" in unnamed.text
    assert facts.about != unnamed.about


def test_an_empty_field_is_not_among_the_details() -> None:
    [given] = notice_facts_in(example(PrimaryAway, reason="connection refused"), NOW)
    [empty] = notice_facts_in(example(PrimaryAway, reason=""), NOW)
    assert given.details.keys() - empty.details.keys() == {"reason"}
