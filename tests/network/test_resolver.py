"""MX records, asked of a name server on loopback."""

import asyncio
from types import SimpleNamespace

import dns.asyncresolver
import dns.resolver
import pytest

from restante.network import resolver as resolver_module
from restante.network.dns_records import DnsRecordSet
from restante.network.resolver import DnsResolver, LookupFailed, MxRecord
from tests.acceptance.name_server import ADDRESS, NameServer, Records

RECORDS: Records = {
    "a.example": {
        "MX": [f"{preference} MX{preference}.a.example." for preference in range(80, 0, -10)]
    },
    "null.example": {"MX": ["0 ."]},
    "none.example": {"A": ["192.0.2.1"]},
    "broken.example": {"MX": ["10 mx.a.example."]},
}


def exchangers(domain: str) -> tuple[MxRecord, ...]:
    with NameServer(RECORDS) as names:
        names.failing = {"broken.example"}
        resolver = DnsResolver([(ADDRESS, names.port)])
        return asyncio.run(resolver.exchangers(domain)).records


@pytest.mark.parametrize(
    ("domain", "found"),
    [
        (
            "a.example",
            tuple(
                MxRecord(preference, f"mx{preference}.a.example")
                for preference in range(10, 90, 10)
            ),
        ),
        ("null.example", (MxRecord(0, ""),)),
        ("none.example", ()),
    ],
)
def test_they_come_in_the_order_of_preference(domain: str, found: tuple[MxRecord, ...]) -> None:
    assert exchangers(domain) == found


@pytest.mark.parametrize(
    ("domain", "is_temporary"), [("gone.example", False), ("broken.example", True)]
)
def test_a_failure_says_whether_it_may_pass(domain: str, is_temporary: bool) -> None:
    with pytest.raises(LookupFailed, match=domain) as caught:
        exchangers(domain)
    assert caught.value.is_temporary == is_temporary


@pytest.mark.parametrize("name", ["a..b", "a" * 64, "a." * 200, ""])
def test_a_name_that_cannot_be_one_can_be_forgotten(name: str) -> None:
    DnsResolver([(ADDRESS, 9)]).forget(name)


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("broken.example", "no name server could answer"),
        ("a..b", "it is not a valid DNS name"),
        ("a" * 64, "it is not a valid DNS name"),
        ("a." * 200 + "b", "it is not a valid DNS name"),
    ],
)
def test_a_failed_lookup_says_its_cause_in_words(name: str, cause: str) -> None:
    with pytest.raises(LookupFailed, match=f"MX lookup failed: {cause}$"):
        exchangers(name)


@pytest.mark.parametrize(("took", "asked"), [(0.1, 2), (10.0, 1)])
def test_a_question_that_ended_before_its_time_is_asked_again(
    took: float, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dnspython measures by the wall clock: a step of it looks like silence."""
    now, questions = [0.0], 0

    async def gives_up(*_: object, **__: object) -> None:
        nonlocal questions
        questions += 1
        now[0] += took
        raise dns.resolver.LifetimeTimeout(timeout=took, errors=[])  # type: ignore[no-untyped-call]

    monkeypatch.setattr(dns.asyncresolver.Resolver, "resolve", gives_up)
    resolver = DnsResolver([(ADDRESS, 9)], lambda: now[0])
    with pytest.raises(LookupFailed, match="no name server answered in time"):
        asyncio.run(resolver.exchangers("a.example"))
    assert questions == asked


Told = type[Exception] | list[str] | None  # None: no answer at all
V4, V6 = "192.0.2.1", "2001:db8::1"


def asked_for_both(monkeypatch: pytest.MonkeyPatch, a: Told, aaaa: Told) -> list[str]:
    async def resolve(_self: object, _name: str, record: str, **_: object) -> list[object]:
        told = a if record == "A" else aaaa
        if told is None:
            await asyncio.Event().wait()
        if isinstance(told, type):
            raise told
        return [SimpleNamespace(address=address) for address in told or ()]

    monkeypatch.setattr(dns.asyncresolver.Resolver, "resolve", resolve)
    monkeypatch.setattr(resolver_module, "OTHER_VERSION_SECONDS", 0.01)
    return [str(one) for one in asyncio.run(DnsResolver([(ADDRESS, 9)]).addresses("a.example"))]


@pytest.mark.parametrize(
    ("a", "aaaa", "found"),
    [
        ([V4], [V6], [V4, V6]),
        ([V4], None, [V4]),
        (None, [V6], [V6]),
        ([V4], dns.resolver.NoNameservers, [V4]),
        (dns.resolver.NoNameservers, [V6], [V6]),
    ],
)
def test_a_version_that_is_not_told_does_not_keep_from_the_other(
    monkeypatch: pytest.MonkeyPatch, a: Told, aaaa: Told, found: list[str]
) -> None:
    """Some name servers never answer to AAAA: callers that wait 5 s got no address at all."""
    assert asked_for_both(monkeypatch, a, aaaa) == found


@pytest.mark.parametrize(
    ("a", "aaaa", "absent", "is_temporary"),
    [
        (dns.resolver.NoAnswer, dns.resolver.NoAnswer, {4, 6}, False),
        (dns.resolver.NXDOMAIN, dns.resolver.NoNameservers, {4, 6}, False),
        (dns.resolver.NXDOMAIN, None, {4, 6}, False),
        (dns.resolver.NoAnswer, dns.resolver.NoNameservers, {4}, True),
        (dns.resolver.NoAnswer, None, {4}, True),
        (dns.resolver.NoNameservers, dns.resolver.NoAnswer, {6}, True),
        (dns.resolver.NoNameservers, dns.resolver.NoNameservers, set(), True),
    ],
)
def test_a_failure_says_which_versions_dns_denies(
    monkeypatch: pytest.MonkeyPatch, a: Told, aaaa: Told, absent: set[int], *, is_temporary: bool
) -> None:
    with pytest.raises(LookupFailed) as caught:
        asked_for_both(monkeypatch, a, aaaa)
    assert caught.value.absent == absent
    assert caught.value.is_temporary is is_temporary


KEY = "ab" * 32
ZONE: Records = {
    "a.example": {
        "MX": ["10 MX1.a.example.", "5 ."],
        "TXT": ['"v=spf1 " "a -all"', '"other"'],
        "TLSA": [f"3 1 1 {KEY.upper()}"],
    },
    "1.2.0.192.in-addr.arpa": {"PTR": ["MX2.Example.Net."]},
}


def records_of(name: str, kind: str) -> DnsRecordSet:
    with NameServer(ZONE, time_to_live=300) as names:
        names.failing = {"broken.example"}
        return asyncio.run(DnsResolver([(ADDRESS, names.port)]).records(name, kind))


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("a.example", "TXT", {"v=spf1 a -all", "other"}),  # the strings of one are joined
        ("a.example", "MX", {"10 mx1.a.example", "5 "}),
        ("a.example", "TLSA", {f"3 1 1 {KEY}"}),
        ("1.2.0.192.in-addr.arpa", "PTR", {"mx2.example.net"}),
    ],
)
def test_values_are_as_in_a_zone_file(name: str, kind: str, values: set[str]) -> None:
    found = records_of(name, kind)
    assert set(found.values) == values
    assert (found.seconds, found.is_secure, found.failure) == (300, False, "")


@pytest.mark.parametrize(("name", "kind"), [("a.example", "AAAA"), ("gone.example", "TXT")])
def test_no_record_is_no_failure(name: str, kind: str) -> None:
    assert records_of(name, kind) == DnsRecordSet()


def test_the_end_of_aliases_is_told() -> None:
    zone: Records = {
        "mx.a.example": {"CNAME": ["Mail.Host.example."]},
        "mail.host.example": {"A": ["192.0.2.1"]},
    }
    with NameServer(zone, time_to_live=300) as names:
        resolver = DnsResolver([(ADDRESS, names.port)])
        found = asyncio.run(resolver.records("MX.a.example", "A"))
        assert (found.values, found.alias_of) == (("192.0.2.1",), "mail.host.example")
        assert asyncio.run(resolver.records("mail.host.example", "A")).alias_of == ""
        alias = asyncio.run(resolver.records("mx.a.example", "CNAME"))
        assert (alias.values, alias.alias_of) == (("mail.host.example",), "")


def test_a_failure_is_a_fact() -> None:
    assert records_of("broken.example", "TXT").failure == "no name server could answer"
    assert records_of("a..b", "TXT").failure == "it is not a valid DNS name"


@pytest.mark.parametrize(
    ("domain", "is_secure"),
    [("a.example", True), ("none.example", True), ("null.example", False)],
)
def test_an_answer_is_secure_if_a_resolver_on_loopback_says_so(
    domain: str, is_secure: bool
) -> None:
    with NameServer(RECORDS) as names:
        names.validated = {"a.example", "none.example"}
        resolver = DnsResolver([(ADDRESS, names.port)])
        assert asyncio.run(resolver.exchangers(domain)).is_secure is is_secure
        found = asyncio.run(resolver.records(domain, "MX"))
        assert found.is_secure is (is_secure and bool(found.values))


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_resolver_elsewhere_is_believed_if_the_operator_says_so(is_trusted: bool) -> None:
    resolver = DnsResolver([("192.0.2.53", 53)], is_trusted=is_trusted)
    with NameServer(RECORDS) as names:
        names.validated = {"a.example"}
        for one in (resolver._resolver, resolver._fresh):
            one.nameservers, one.port = [ADDRESS], names.port
            one.nameserver_ports = {}
        assert asyncio.run(resolver.exchangers("a.example")).is_secure is is_trusted
        assert asyncio.run(resolver.records("a.example", "MX")).is_secure is is_trusted


def test_no_answer_is_kept() -> None:
    """The operator has just published a record, and asks again."""
    with NameServer(ZONE, time_to_live=300) as names:
        resolver = DnsResolver([(ADDRESS, names.port)])
        first = asyncio.run(resolver.records("a.example", "TXT"))
        names.records = {"a.example": {"TXT": ['"new"']}}
        assert asyncio.run(resolver.records("a.example", "TXT")).values == ("new",)
    assert len(first.values) == 2
