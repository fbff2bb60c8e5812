"""The records that a domain needs, compared with those in DNS."""

from dataclasses import replace

import pytest

from restante.admin.published_records import (
    DnsQuestion,
    OwnHost,
    PublicationFacts,
    PublishedRecord,
    RecordPurpose,
    RecordState,
    later_questions,
    published_records,
)
from restante.network.dns_records import DnsRecordSet
from restante.readiness.dns_facts import StsFinding

KEY = "ab" * 32
DOMAIN, HOST, OURS = "customer.example", "mx2.backup.example", "203.0.113.2"
POINTER = "2.113.0.203.in-addr.arpa"
ZONE: dict[DnsQuestion, tuple[str, ...]] = {
    (DOMAIN, "MX"): ("10 mail.customer.example", f"20 {HOST}"),
    (HOST, "A"): (OURS,),
    (HOST, "AAAA"): (),
    (POINTER, "PTR"): (HOST,),
    (HOST, "TXT"): ("v=spf1 a -all", "other"),
    (f"_25._tcp.{HOST}", "TLSA"): (f"3 1 1 {KEY}",),
    (f"_mta-sts.{DOMAIN}", "TXT"): ("v=STSv1; id=20261130",),
    (f"_smtp._tls.{DOMAIN}", "TXT"): ("v=TLSRPTv1; rua=mailto:tls@customer.example",),
}
DIRECT = OwnHost(HOST, (OURS,))
P, S = RecordPurpose, RecordState


POLICY_TEXT = "version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 86400\n"


def facts(
    changed: dict[DnsQuestion, tuple[str, ...]] | None = None,
    own: OwnHost = DIRECT,
    **others: object,
) -> PublicationFacts:
    zone = {name: DnsRecordSet(values, 300, is_secure=True) for name, values in ZONE.items()}
    zone |= {name: DnsRecordSet(values) for name, values in (changed or {}).items()}
    policy = StsFinding(text=POLICY_TEXT.format(mode="enforce", mx=HOST))
    return replace(PublicationFacts(DOMAIN, HOST, own, (KEY,), zone, policy=policy), **others)  # type: ignore[arg-type]


def only(purpose: RecordPurpose, given: PublicationFacts) -> PublishedRecord:
    [found] = [one for one in published_records(given) if one.purpose is purpose]
    return found


def test_a_zone_in_order_has_them_all() -> None:
    records = published_records(facts())
    assert {one.state for one in records} == {S.PRESENT}
    assert [one.line for one in records] == [
        f"{DOMAIN}. IN MX 20 {HOST}.",
        f"{HOST}. IN A {OURS}",
        f"{POINTER}. IN PTR {HOST}.",
        f'{HOST}. IN TXT "v=spf1 a -all"',
        f"_25._tcp.{HOST}. IN TLSA 3 1 1 {KEY}",
        f'_mta-sts.{DOMAIN}. IN TXT "v=STSv1; id=20261130"',
        f"mx: {HOST}",
        f'_smtp._tls.{DOMAIN}. IN TXT "v=TLSRPTv1; rua=mailto:tls@customer.example"',
    ]
    assert {one.purpose for one in records if one.is_optional} == {
        P.TLSA,
        P.MTA_STS,
        P.MTA_STS_POLICY,
        P.TLS_RPT,
    }


def test_an_empty_zone_lacks_them_all() -> None:
    records = published_records(facts(dict.fromkeys(ZONE, ())))
    assert {one.state for one in records} == {S.MISSING}
    assert all(one.line for one in records)


def test_without_a_network_nothing_is_known() -> None:
    records = published_records(facts(answers={}))
    assert {one.state for one in records} == {S.UNKNOWN}
    assert all(one.note for one in records)


@pytest.mark.parametrize(
    ("values", "state", "line"),
    [
        (("10 mail.customer.example",), S.MISSING, "20"),
        (("50 mail.customer.example", "5 x.example"), S.MISSING, "60"),
        ((f"10 {HOST}", "20 mail.customer.example"), S.WRONG, "30"),
        ((f"10 {HOST}", "10 mail.customer.example"), S.WRONG, "20"),
        ((f"7 {HOST}",), S.PRESENT, "7"),
        (("0 ",), S.MISSING, "20"),  # a null MX (RFC 7505)
    ],
)
def test_the_mx_record_comes_behind_the_primary(
    values: tuple[str, ...], state: RecordState, line: str
) -> None:
    found = only(P.MX, facts({(DOMAIN, "MX"): values}))
    assert (found.state, found.value) == (state, f"{line} {HOST}.")


@pytest.mark.parametrize(
    ("published", "own", "state"),
    [
        ((OURS,), OwnHost(HOST, (OURS,)), S.PRESENT),
        (("203.0.113.9",), OwnHost(HOST, ("203.0.113.2",), frozenset({"203.0.113.9"})), S.PRESENT),
        (("203.0.113.9",), OwnHost(HOST), S.UNKNOWN),  # behind a translator
    ],
)
def test_the_address_is_one_of_this_machine(
    published: tuple[str, ...], own: OwnHost, state: RecordState
) -> None:
    assert only(P.ADDRESS, facts({(HOST, "A"): published}, own)).state is state


def test_an_address_of_another_machine_is_wrong_and_ours_is_missing() -> None:
    given = facts({(HOST, "A"): ("203.0.113.9",)})
    found = [one for one in published_records(given) if one.purpose is P.ADDRESS]
    assert [(one.value, one.state) for one in found] == [
        ("203.0.113.9", S.WRONG),
        (OURS, S.MISSING),
    ]


def test_a_name_of_the_customer_has_our_addresses() -> None:
    """Behind a translator, those that DNS has for our own name."""
    name = "mx.customer.example"
    for own in (OwnHost(HOST, (OURS,)), OwnHost(HOST)):
        for address, state in ((OURS, S.PRESENT), ("203.0.113.9", S.WRONG)):
            given = facts({(name, "A"): (address,), (name, "AAAA"): ()}, own, host=name)
            assert published_records(given)[1].state is state


def test_without_any_address_there_is_no_line() -> None:
    found = only(P.ADDRESS, facts({(HOST, "A"): ()}, OwnHost(HOST)))
    assert (found.state, found.line) == (S.MISSING, "")


@pytest.mark.parametrize(
    ("values", "state"), [((HOST,), S.PRESENT), (("x.example",), S.WRONG), ((), S.MISSING)]
)
def test_the_address_leads_back_to_our_name(values: tuple[str, ...], state: RecordState) -> None:
    assert only(P.REVERSE, facts({(POINTER, "PTR"): values})).state is state


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        (("v=spf1 a -all",), S.PRESENT),
        (("v=spf1 +a ~all",), S.PRESENT),
        (("V=SPF1 ip4:203.0.113.0/24 -all",), S.PRESENT),
        (("v=spf1 ip4:203.0.113.9 -all",), S.WRONG),
        (("v=spf1 -all",), S.WRONG),
        (("v=spf1 -a -all",), S.WRONG),
        (("v=spf1 include:x.example -all",), S.UNKNOWN),
        (("v=spf1 ip4:nonsense -all",), S.WRONG),
        (("v=spf1 a -all", "v=spf1 -all"), S.WRONG),
        (("v=spf10 a -all",), S.MISSING),
        ((), S.MISSING),
    ],
)
def test_the_policy_of_our_name_lets_our_mail_pass(
    texts: tuple[str, ...], state: RecordState
) -> None:
    assert only(P.SPF, facts({(HOST, "TXT"): texts})).state is state


def test_every_key_that_is_shown_has_a_record() -> None:
    """With two types of key, a sender may get either."""
    other = "cd" * 32
    given = facts(keys=(KEY, other))
    found = [one for one in published_records(given) if one.purpose is P.TLSA]
    assert [(one.value, one.state) for one in found] == [
        (f"3 1 1 {KEY}", S.PRESENT),
        (f"3 1 1 {other}", S.WRONG),
    ]


def test_the_form_of_a_key_does_not_matter() -> None:
    split = f"3 1 1 {KEY[:56].upper()} {KEY[56:].upper()}"
    found = only(P.TLSA, facts({(f"_25._tcp.{HOST}", "TLSA"): (split,)}))
    assert found.state is S.PRESENT
    assert "not validated" in found.note  # the answer was not


def test_of_certificates_that_cannot_be_read_no_key_is_known() -> None:
    found = only(P.TLSA, facts(keys=()))
    assert (found.state, found.line) == (S.UNKNOWN, "")


@pytest.mark.parametrize(
    ("mode", "mx", "state"),
    [
        ("enforce", HOST, S.PRESENT),
        ("enforce", "*.backup.example", S.PRESENT),
        ("enforce", "mail.customer.example", S.WRONG),
        ("testing", "mail.customer.example", S.WRONG),
        ("none", "mail.customer.example", S.PRESENT),
        ("nonsense", HOST, S.WRONG),
    ],
)
def test_the_policy_names_this_server(mode: str, mx: str, state: RecordState) -> None:
    policy = StsFinding(text=POLICY_TEXT.format(mode=mode, mx=mx))
    found = only(P.MTA_STS_POLICY, facts(policy=policy))
    assert (found.state, found.line) == (state, f"mx: {HOST}")


def test_a_policy_that_cannot_be_fetched_is_unknown() -> None:
    found = only(P.MTA_STS_POLICY, facts(policy=StsFinding(failure="no answer in time")))
    assert (found.state, found.note) == (S.UNKNOWN, "no answer in time")


def test_only_names_that_follow_from_the_domain_and_from_us_are_asked_for() -> None:
    asked = later_questions(facts())
    assert len(asked) <= 8
    assert {name for name, _ in asked} == {name for name, _ in ZONE} - {DOMAIN}
