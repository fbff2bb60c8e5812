"""Verdicts about DNS, as tables: facts in, verdict and words out."""

from dataclasses import replace
from typing import Any

import pytest

from restante.network.dns_records import DnsRecordSet
from restante.network.served_certificate import ServedCertificate
from restante.readiness.dns_facts import (
    BlocklistFinding,
    DmarcFinding,
    DnsFacts,
    MailHost,
    OwnHostFacts,
    SourceAddress,
    SpfFinding,
    StsFinding,
)
from restante.readiness.dns_verdicts import dns_rows, spf_includes_us
from restante.readiness.readiness_row import ReadinessCheck, ReadinessRow

ADDRESS, HOST = "203.0.113.2", "mx2.backup.example"
NAMED = DnsRecordSet((HOST,), 300)
LOST = DnsRecordSet(failure="no name server answered in time")
OWN = OwnHostFacts(
    HOST,
    (DnsRecordSet((ADDRESS,), 300), DnsRecordSet()),
    (SourceAddress(ADDRESS, NAMED),),
    spf=(SpfFinding(ADDRESS, "pass", "a"),),
    distrust={HOST: ""},
)
PRIMARY = MailHost("mail.customer.example", 10, ("203.0.113.1", "2001:db8::1"))
BACKUP = MailHost(HOST, 20, (ADDRESS,))
GOOD = DnsFacts(
    "customer.example",
    OWN,
    DnsRecordSet(("10 mail.customer.example", f"20 {HOST}"), 300),
    (PRIMARY, BACKUP),
    (SpfFinding(ADDRESS, "fail", "-all", record="v=spf1 ip4:203.0.113.1 -all"),),
)
INCLUDED = SpfFinding(ADDRESS, "pass", "mx", record="v=spf1 mx -all")
REJECTS = DmarcFinding("reject", "_dmarc.customer.example")


def of(check: ReadinessCheck, facts: DnsFacts) -> list[ReadinessRow]:
    return [row for row in dns_rows(facts) if row.check is check]


def verdict(check: ReadinessCheck, facts: DnsFacts) -> str:
    [row] = of(check, facts)
    return row.verdict.text


def test_a_good_zone_passes_but_for_blocklists() -> None:
    verdicts = {row.check: row.verdict.text for row in dns_rows(GOOD)}
    assert verdicts.pop(ReadinessCheck.BLOCKLISTS) == "UNKNOWN"
    assert set(verdicts.values()) == {"PASS"}


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ((PRIMARY, BACKUP), "PASS"),
        ((PRIMARY, BACKUP, MailHost("mx3.else.example", 30)), "PASS"),
        ((PRIMARY, replace(BACKUP, preference=10)), "WARN"),
        ((replace(BACKUP, preference=5), PRIMARY), "WARN"),
        ((PRIMARY, MailHost("mx.customer.example", 20, (ADDRESS,))), "PASS"),  # by address
        ((BACKUP,), "WARN"),
        ((PRIMARY,), "FAIL"),
        ((MailHost("", 0),), "FAIL"),  # a null MX
        ((), "FAIL"),
    ],
)
def test_mx_records(hosts: tuple[MailHost, ...], expected: str) -> None:
    assert verdict(ReadinessCheck.MX, replace(GOOD, hosts=hosts)) == expected


def test_few_hosts_of_many_are_named() -> None:
    hosts = tuple(MailHost(f"h{n}.x.example", 5) for n in range(500))
    [row] = of(ReadinessCheck.MX, replace(GOOD, hosts=hosts))
    assert "h9.x.example 5 and 490 more: this server is not among them" in row.evidence


def test_a_missing_mx_record_is_printed_to_copy() -> None:
    [row] = of(ReadinessCheck.MX, replace(GOOD, hosts=(PRIMARY,)))
    assert row.snippet == "customer.example.  IN MX 20 mx2.backup.example."
    assert verdict(ReadinessCheck.MX, replace(GOOD, mx=LOST, hosts=())) == "UNKNOWN"


@pytest.mark.parametrize(
    ("change", "expected", "snippet"),
    [
        ({}, "PASS", ""),
        (
            {"sources": (SourceAddress(ADDRESS),)},
            "FAIL",
            f"2.113.0.203.in-addr.arpa.  IN PTR {HOST}.",
        ),
        ({"sources": (SourceAddress("203.0.113.9", NAMED),)}, "FAIL", f"{HOST}.  IN A 203.0.113.9"),
        (
            {"sources": (SourceAddress("2001:db8::9", NAMED),)},
            "FAIL",
            f"{HOST}.  IN AAAA 2001:db8::9",
        ),
        ({"sources": (SourceAddress("10.0.0.2", is_inside=True),)}, "UNKNOWN", ""),
        ({"sources": (SourceAddress(ADDRESS, LOST),)}, "UNKNOWN", ""),
        ({"sources": ()}, "UNKNOWN", ""),
        ({"addresses": (DnsRecordSet(), DnsRecordSet())}, "FAIL", f"{HOST}.  IN A {ADDRESS}"),
        ({"addresses": (LOST, LOST)}, "UNKNOWN", ""),
    ],
)
def test_the_name_of_this_server(change: dict[str, Any], expected: str, snippet: str) -> None:
    [row] = of(ReadinessCheck.OWN_NAME, replace(GOOD, own=replace(OWN, **change)))
    assert (row.verdict.text, row.snippet) == (expected, snippet)


@pytest.mark.parametrize(
    ("spf", "dmarc", "expected"),
    [
        ("pass", "", "WARN"),
        ("pass", "none", "WARN"),
        ("pass", "quarantine", "FAIL"),
        ("pass", "reject", "FAIL"),
        ("neutral", "reject", "WARN"),
        ("softfail", "reject", "PASS"),
        ("fail", "none", "PASS"),
        ("none", "reject", "WARN"),
        ("permerror", "", "WARN"),
        ("temperror", "", "UNKNOWN"),
    ],
)
def test_the_spf_of_the_domain_must_not_include_this_server(
    spf: str, dmarc: str, expected: str
) -> None:
    found = replace(INCLUDED, result=spf)
    facts = replace(GOOD, spf=(found,), dmarc=DmarcFinding(dmarc, "_dmarc.customer.example"))
    assert verdict(ReadinessCheck.DOMAIN_SPF, facts) == expected
    assert spf_includes_us(facts) is (spf == "pass")


@pytest.mark.parametrize(
    ("record", "matched", "snippet"),
    [
        (
            "v=spf1 mx a:x ~all",
            "mx",
            'customer.example.  IN TXT "v=spf1 ip4:203.0.113.1 ip6:2001:db8::1 a:x ~all"',
        ),
        ("v=spf1 a:mx2.backup.example -all", "a:mx2.backup.example", ""),
        ("v=spf1 redirect=_spf.x.example", "mx", ""),
    ],
)
def test_a_record_with_mx_is_mended(record: str, matched: str, snippet: str) -> None:
    found = SpfFinding(ADDRESS, "pass", matched, record=record)
    [row] = of(ReadinessCheck.DOMAIN_SPF, replace(GOOD, spf=(found,), dmarc=REJECTS))
    assert row.snippet == snippet
    assert matched in row.evidence


@pytest.mark.parametrize(
    ("result", "expected"),
    [("pass", "PASS"), ("none", "WARN"), ("fail", "WARN"), ("temperror", "UNKNOWN")],
)
def test_the_spf_of_this_server_is_for_reports(result: str, expected: str) -> None:
    own = replace(OWN, spf=(SpfFinding(ADDRESS, result),))
    assert verdict(ReadinessCheck.OWN_SPF, replace(GOOD, own=own)) == expected


ANNOUNCED = DnsRecordSet(("v=STSv1; id=1",), 300)


def policy(mode: str, host: str) -> str:
    return f"version: STSv1\nmode: {mode}\nmx: {host}\nmax_age: 86400\n"


@pytest.mark.parametrize(
    ("sts", "expected"),
    [
        (StsFinding(), "PASS"),
        (StsFinding(LOST), "UNKNOWN"),
        (StsFinding(ANNOUNCED, policy("enforce", HOST)), "PASS"),
        (StsFinding(ANNOUNCED, policy("enforce", "*.backup.example")), "PASS"),
        (StsFinding(ANNOUNCED, policy("enforce", "mail.customer.example")), "FAIL"),
        (StsFinding(ANNOUNCED, policy("testing", "mail.customer.example")), "WARN"),
        (StsFinding(ANNOUNCED, policy("none", "mail.customer.example")), "PASS"),
        (StsFinding(ANNOUNCED, "<html>"), "WARN"),
        (StsFinding(ANNOUNCED, failure="TLS failed"), "WARN"),
    ],
)
def test_mta_sts(sts: StsFinding, expected: str) -> None:
    assert verdict(ReadinessCheck.MTA_STS, replace(GOOD, sts=sts)) == expected


KEY, OTHER = "ab" * 32, "cd" * 32
SHOWN = ServedCertificate((HOST,), 0.0, (KEY,))


def secure(*values: str) -> DnsRecordSet:
    return DnsRecordSet(values, 300, is_secure=True)


@pytest.mark.parametrize(
    ("tlsa", "certificates", "expected"),
    [
        (DnsRecordSet(), (SHOWN,), "PASS"),
        (LOST, (SHOWN,), "UNKNOWN"),
        (DnsRecordSet((f"3 1 1 {KEY}",), 300), (SHOWN,), "UNKNOWN"),  # not validated
        (secure(f"3 1 1 {KEY}"), (SHOWN,), "PASS"),
        (secure(f"3 1 1 {OTHER}", f"3 1 1 {KEY}"), (SHOWN,), "PASS"),  # of a rollover
        (secure(f"3 1 1 {OTHER}"), (SHOWN,), "FAIL"),
        (secure(f"3 1 1 {KEY}"), (SHOWN._replace(keys=(KEY, OTHER)),), "FAIL"),  # RSA clients
        (secure(f"2 0 1 {OTHER}"), (SHOWN,), "UNKNOWN"),
        (secure(f"3 1 1 {KEY}"), (), "UNKNOWN"),  # no server runs
    ],
)
def test_tlsa(
    tlsa: DnsRecordSet, certificates: tuple[ServedCertificate, ...], expected: str
) -> None:
    hosts = (PRIMARY, replace(BACKUP, tlsa=tlsa))
    own = replace(OWN, certificates=certificates)
    assert verdict(ReadinessCheck.TLSA, replace(GOOD, hosts=hosts, own=own)) == expected


@pytest.mark.parametrize(("is_secure", "expected"), [(True, "WARN"), (False, "PASS")])
def test_a_primary_with_dane_wants_a_backup_with_dane(is_secure: bool, expected: str) -> None:
    hosts = (replace(PRIMARY, tlsa=secure(f"3 1 1 {OTHER}")), BACKUP)
    mx = replace(GOOD.mx, is_secure=is_secure)
    assert verdict(ReadinessCheck.TLSA, replace(GOOD, hosts=hosts, mx=mx)) == expected


@pytest.mark.parametrize(("mode", "expected"), [("enforce", "FAIL"), ("testing", "WARN")])
def test_a_policy_wants_a_certificate_for_the_name(mode: str, expected: str) -> None:
    own = replace(OWN, certificates=(ServedCertificate(("other.example",), 0.0),))
    sts = StsFinding(ANNOUNCED, policy(mode, HOST))
    assert verdict(ReadinessCheck.MTA_STS, replace(GOOD, own=own, sts=sts)) == expected


@pytest.mark.parametrize(("mode", "expected"), [("enforce", "FAIL"), ("testing", "WARN")])
def test_a_policy_wants_a_certificate_that_clients_trust(mode: str, expected: str) -> None:
    own = replace(OWN, distrust={HOST: "it is signed by itself"})
    facts = replace(GOOD, own=own, sts=StsFinding(ANNOUNCED, policy(mode, HOST)))
    [row] = of(ReadinessCheck.MTA_STS, facts)
    assert row.verdict.text == expected
    assert "signed by itself" in row.evidence


@pytest.mark.parametrize(
    ("distrust", "expected"),
    [
        (None, ["UNKNOWN"]),
        ({HOST: ""}, ["PASS"]),
        ({HOST: "", "mx.customer.example": "it has expired"}, ["PASS", "WARN"]),
    ],
)
def test_the_certificate_is_judged_for_each_name(
    distrust: dict[str, str] | None, expected: list[str]
) -> None:
    rows = of(ReadinessCheck.OWN_CERTIFICATE, replace(GOOD, own=replace(OWN, distrust=distrust)))
    assert [row.verdict.text for row in rows] == expected


@pytest.mark.parametrize(
    ("codes", "failure", "expected"),
    [
        ((), "", "PASS"),
        (("127.0.0.2",), "", "FAIL"),
        (("127.0.0.1",), "", "PASS"),  # never listed (RFC 5782 §5)
        (("127.255.255.254",), "", "UNKNOWN"),  # the list refuses this resolver
        (("192.0.2.1",), "", "PASS"),  # a zone that was sold
        ((), "no name server answered in time", "UNKNOWN"),
    ],
)
def test_blocklists(codes: tuple[str, ...], failure: str, expected: str) -> None:
    own = replace(OWN, blocklists=(BlocklistFinding(ADDRESS, "zen.example", codes, failure),))
    assert verdict(ReadinessCheck.BLOCKLISTS, replace(GOOD, own=own)) == expected


def test_a_record_that_holds_for_more_than_a_day_is_named() -> None:
    [row] = of(ReadinessCheck.TTL, replace(GOOD, mx=replace(GOOD.mx, seconds=172_800)))
    assert "MX of customer.example 2d" in row.evidence
    [row] = of(ReadinessCheck.TTL, GOOD)
    assert "more than 5m" in row.evidence


def test_reports_about_tls_are_optional() -> None:
    asked = replace(GOOD, tls_rpt=DnsRecordSet(("v=TLSRPTv1; rua=mailto:t@customer.example",), 300))
    assert verdict(ReadinessCheck.TLS_RPT, asked) == "PASS"
    assert verdict(ReadinessCheck.TLS_RPT, replace(GOOD, tls_rpt=LOST)) == "UNKNOWN"
