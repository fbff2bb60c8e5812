"""Verdicts about a destination, as tables."""

from dataclasses import replace
from typing import Any

import pytest

from restante.network.dns_records import DnsRecordSet
from restante.readiness.destination_facts import (
    AddressFacts,
    DestinationFacts,
    OfferFacts,
    ProbeReply,
    ShownCertificate,
    TlsFacts,
)
from restante.readiness.destination_verdicts import ProbeView, destination_rows
from restante.readiness.readiness_row import ReadinessCheck, ReadinessRow
from restante.tenancy.model import ClientPassing, TlsUse

NOW, DAY = 1_760_000_000.0, 86_400.0
YES, NO, LATER = (
    ProbeReply(250, "250 ok"),
    ProbeReply(550, "550 5.1.1 no"),
    ProbeReply(450, "450 x"),
)
CERTIFICATE = ShownCertificate(("mail.a.example",), NOW + 60 * DAY, False, "ab" * 32)
TLS = TlsFacts(True, "TLSv1.3", "AES", CERTIFICATE, was_verified=True)
ALL = ("PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "DSN", "XCLIENT")
GOOD = DestinationFacts(
    "mail.a.example:25",
    "a.example",
    NOW,
    addresses=(AddressFacts("203.0.113.1:25", "", "220 mail", 0.1),),
    offer=OfferFacts("mail.a.example", ALL, 0),
    tls=TLS,
    postmaster=YES,
    nobody=NO,
    own_domain=NO,
    third=YES,
)
VIEW = ProbeView(
    GOOD, "a.example", TlsUse.OPPORTUNISTIC, NOW, 50_000_000, passing=ClientPassing.XCLIENT
)


def of(check: ReadinessCheck, view: ProbeView) -> ReadinessRow:
    [row] = [row for row in destination_rows(view) if row.check is check]
    return row


def seen(**changes: Any) -> ProbeView:
    return replace(VIEW, facts=replace(GOOD, **changes))


def test_a_good_destination_passes() -> None:
    assert {row.verdict.text for row in destination_rows(VIEW)} == {"PASS"}


def tlsa(*values: str, is_secure: bool = True) -> DnsRecordSet:
    return DnsRecordSet(values, 300, is_secure)


@pytest.mark.parametrize(
    ("found", "expected", "words"),
    [
        (DnsRecordSet(), "PASS", "key SHA-256"),
        (DnsRecordSet(failure="no answer"), "PASS", "key SHA-256"),
        (tlsa(f"3 1 1 {'ab' * 32}"), "PASS", "a TLSA record names this key"),
        (tlsa(f"3 1 1 {'cd' * 32}"), "WARN", "name another key"),
        (tlsa(f"3 1 1 {'cd' * 32}", "2 0 1 00"), "PASS", "not compared here"),
        (tlsa("1 1 1 00"), "PASS", "not compared here"),
        (tlsa(f"3 1 1 {'cd' * 32}", is_secure=False), "PASS", "are not validated"),
    ],
)
def test_the_dane_of_the_destination_is_shown(
    found: DnsRecordSet, expected: str, words: str
) -> None:
    row = of(ReadinessCheck.STARTTLS, replace(VIEW, tlsa=found))
    assert row.verdict.text == expected
    assert words in row.evidence
    assert ("DANE" in row.evidence) is (found.is_secure and bool(found.values))


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({}, "PASS", "greets after 0.1 s"),
        (
            {"addresses": (AddressFacts("203.0.113.1:25", "", "220 mail", 6.0),)},
            "PASS",
            "postscreen",
        ),
        ({"addresses": (AddressFacts("203.0.113.1:25", "", "220 mail", 31.0),)}, "WARN", "31.0 s"),
        (
            {"addresses": (), "failure": "Connection refused", "postmaster": ProbeReply()},
            "FAIL",
            "Connection refused",
        ),
        ({"is_ourselves": True}, "FAIL", "is this server"),
    ],
)
def test_the_connection(changes: dict[str, Any], expected: str, words: str) -> None:
    row = of(ReadinessCheck.REACHABLE, seen(**changes))
    assert row.verdict.text == expected
    assert words in row.evidence


def test_one_address_of_two_that_is_down_is_a_warning() -> None:
    both = (*GOOD.addresses, AddressFacts("203.0.113.9:25", "Connection refused"))
    rows = destination_rows(seen(addresses=both))
    found = [row.verdict.text for row in rows if row.check is ReadinessCheck.REACHABLE]
    assert found == ["WARN", "PASS"]


@pytest.mark.parametrize(
    ("limit", "expected"), [(0, "PASS"), (50_000_000, "PASS"), (10_240_000, "WARN")]
)
def test_the_destination_must_take_the_largest_mail(limit: int, expected: str) -> None:
    row = of(ReadinessCheck.SIZE, seen(offer=replace(GOOD.offer, size_limit=limit)))
    assert row.verdict.text == expected
    assert row.snippet == (
        f"restante domain set a.example --message-size {limit}" if expected == "WARN" else ""
    )


def test_without_smtputf8_some_mail_is_parked() -> None:
    row = of(ReadinessCheck.EXTENSIONS, seen(offer=OfferFacts("m", ("PIPELINING",))))
    assert row.verdict.text == "WARN"
    assert "not offered: CHUNKING, 8BITMIME, SMTPUTF8, DSN" in row.evidence


SOON = replace(CERTIFICATE, expires_at=NOW + 3 * DAY)
OVER = replace(CERTIFICATE, expires_at=NOW - DAY)


@pytest.mark.parametrize(
    ("use", "tls", "expected", "words"),
    [
        (TlsUse.OPPORTUNISTIC, TLS, "PASS", "--tls verify would work"),
        (
            TlsUse.OPPORTUNISTIC,
            replace(TLS, unverified="self-signed certificate"),
            "PASS",
            "--tls verify would fail: self-signed certificate",
        ),
        (TlsUse.VERIFY, replace(TLS, was_verified=False), "PASS", "key SHA-256 abab"),
        (TlsUse.OPPORTUNISTIC, replace(TLS, certificate=SOON), "WARN", "expires in 3 days"),
        (TlsUse.OPPORTUNISTIC, replace(TLS, certificate=OVER), "WARN", "has expired"),
        (TlsUse.OFF, TlsFacts(), "WARN", "TLS is off"),
        (TlsUse.OPPORTUNISTIC, TlsFacts(), "WARN", "STARTTLS is not offered"),
        (
            TlsUse.OPPORTUNISTIC,
            TlsFacts(is_offered=True, failure="wrong version"),
            "WARN",
            "in clear: wrong version",
        ),
        (TlsUse.REQUIRED, TlsFacts(), "FAIL", "--tls required fails: STARTTLS is not offered"),
        (
            TlsUse.VERIFY,
            TlsFacts(is_offered=True, failure="self-signed", certificate=CERTIFICATE),
            "FAIL",
            "--tls verify fails: self-signed; certificate for mail.a.example",
        ),
    ],
)
def test_tls(use: TlsUse, tls: TlsFacts, expected: str, words: str) -> None:
    row = of(ReadinessCheck.STARTTLS, replace(seen(tls=tls), tls=use))
    assert row.verdict.text == expected
    assert words in row.evidence


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (ProbeReply(235, "235 welcome"), "PASS"),
        (ProbeReply(535, "535 5.7.8 bad password"), "FAIL"),
        (ProbeReply(), "UNKNOWN"),
    ],
)
def test_the_login(reply: ProbeReply, expected: str) -> None:
    row = of(ReadinessCheck.LOGIN, replace(seen(login=reply), login="mx2"))
    assert row.verdict.text == expected


def test_without_a_login_there_is_no_row_about_it() -> None:
    assert ReadinessCheck.LOGIN not in {row.check for row in destination_rows(VIEW)}


@pytest.mark.parametrize(
    ("check", "field", "reply", "expected"),
    [
        (ReadinessCheck.ACCEPTANCE, "postmaster", YES, "PASS"),
        (ReadinessCheck.ACCEPTANCE, "postmaster", LATER, "WARN"),
        (ReadinessCheck.ACCEPTANCE, "postmaster", NO, "FAIL"),
        (ReadinessCheck.ACCEPTANCE, "postmaster", ProbeReply(), "UNKNOWN"),
        (ReadinessCheck.UNKNOWN_RECIPIENT, "nobody", NO, "PASS"),
        (ReadinessCheck.UNKNOWN_RECIPIENT, "nobody", YES, "WARN"),
        (ReadinessCheck.UNKNOWN_RECIPIENT, "nobody", LATER, "UNKNOWN"),
        (ReadinessCheck.OWN_DOMAIN, "own_domain", NO, "PASS"),
        (ReadinessCheck.OWN_DOMAIN, "own_domain", YES, "PASS"),
        (ReadinessCheck.OWN_DOMAIN, "own_domain", LATER, "UNKNOWN"),
        (ReadinessCheck.RATE, "third", YES, "PASS"),
        (ReadinessCheck.RATE, "third", LATER, "WARN"),
    ],
)
def test_questions(check: ReadinessCheck, field: str, reply: ProbeReply, expected: str) -> None:
    assert of(check, seen(**{field: reply})).verdict.text == expected


def test_the_own_domain_from_outside_is_a_danger_where_spf_includes_us() -> None:
    row = of(ReadinessCheck.OWN_DOMAIN, replace(seen(own_domain=YES), includes_us=True))
    assert row.verdict.text == "WARN"
    assert "forgeries arrive as its own mail" in row.evidence


@pytest.mark.parametrize(
    ("passing", "keywords", "expected", "words"),
    [
        (ClientPassing.NONE, ("XCLIENT", "XFORWARD"), "WARN", "offered to this server, and not"),
        (ClientPassing.NONE, ("XFORWARD",), "WARN", "no decision"),
        (ClientPassing.NONE, (), "WARN", "judges this server"),
        (ClientPassing.XCLIENT, ("XCLIENT",), "PASS", "told by XCLIENT"),
        (ClientPassing.XCLIENT, (), "FAIL", "stays held"),
        (ClientPassing.PROXY, (), "PASS", "PROXY"),
    ],
)
def test_passing_the_client_on(
    passing: ClientPassing, keywords: tuple[str, ...], expected: str, words: str
) -> None:
    view = replace(seen(offer=OfferFacts("m", keywords)), passing=passing)
    row = of(ReadinessCheck.CLIENT_ADDRESS, view)
    assert row.verdict.text == expected
    assert words in row.evidence


def test_a_look_for_another_domain_tells_nothing_of_this_ones_mailboxes() -> None:
    view = seen(domain="other.example")
    for check in (
        ReadinessCheck.ACCEPTANCE,
        ReadinessCheck.UNKNOWN_RECIPIENT,
        ReadinessCheck.OWN_DOMAIN,
    ):
        row = of(check, view)
        assert row.verdict.text == "UNKNOWN"
        assert "other.example" in row.evidence
    assert of(ReadinessCheck.STARTTLS, view).verdict.text == "PASS"


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        (ReadinessCheck.LOGIN, {"login": ProbeReply(535, "535 5.7.8 no")}),
        (ReadinessCheck.STARTTLS, {"tls": TlsFacts(is_offered=True)}),
        (ReadinessCheck.REACHABLE, {"failure": "no TLS", "postmaster": ProbeReply()}),
        (ReadinessCheck.CLIENT_ADDRESS, {}),
    ],
)
def test_the_settings_of_another_domain_let_none_fail_and_none_pass(
    check: ReadinessCheck, changes: dict[str, Any]
) -> None:
    view = replace(
        seen(domain="other.example", **changes),
        tls=TlsUse.REQUIRED,
        login="us",
        passing=ClientPassing.PROXY,
        again_at=NOW + 89.5,
    )
    row = of(check, view)
    assert row.verdict.text == "UNKNOWN"
    assert row.evidence == "the last look was for other.example, which has the same destination"
    assert row.remedy == "check again in 90 seconds"


def test_without_a_session_nothing_is_made_up() -> None:
    facts = DestinationFacts("mail.a.example:25", "a.example", NOW, failure="Connection refused")
    rows = destination_rows(replace(VIEW, facts=facts))
    verdicts = {row.check: row.verdict.text for row in rows}
    assert verdicts.pop(ReadinessCheck.REACHABLE) == "FAIL"
    assert set(verdicts.values()) == {"UNKNOWN"}
