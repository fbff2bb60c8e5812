"""The questions to DNS about a domain, and the facts that their answers make."""

import asyncio
import time
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from restante.network.dns_records import DnsRecordSet
from restante.network.outgoing_http import OutgoingFailed
from restante.network.served_certificate import ServedCertificate
from restante.readiness.dns_facts import DmarcFinding, DnsFacts, MailHost
from restante.readiness.dns_gathering import (
    DomainLookup,
    TimedRecords,
    gather_dns_facts,
    is_inside,
    outgoing_sources,
)
from tests.network.made_chain import HOST as OTHER
from tests.network.made_chain import made, read_certificate
from tests.readiness.zone import Zone

HOST, DOMAIN = "mx2.b.example", "sub.a.example"


@dataclass
class Policies:
    """Policies by URL, and the URLs that were fetched."""

    texts: dict[str, str] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    async def fetch(self, url: str) -> str:
        self.fetched.append(url)
        if url not in self.texts:
            raise OutgoingFailed("its server answers 404")
        return self.texts[url]


def zone() -> Zone:
    return Zone(
        {
            DOMAIN: {"MX": ["20 mx2.b.example", "10 mail.a.example"], "TXT": ["v=spf1 mx -all"]},
            "mail.a.example": {"A": ["203.0.113.1"], "AAAA": ["2001:db8::1"]},
            HOST: {"A": ["127.0.0.1"], "TXT": ["v=spf1 a -all"]},
            "1.0.0.127.in-addr.arpa": {"PTR": [HOST]},
            "_dmarc.a.example": {"TXT": ["v=DMARC1; p=none; sp=reject; rua=mailto:x@a.example"]},
            f"_smtp._tls.{DOMAIN}": {"TXT": ["v=TLSRPTv1; rua=mailto:t@a.example", "other"]},
            "_25._tcp.mx2.b.example": {"TLSA": ["3 1 1 ab"]},
        }
    )


def gathered(names: Zone, policies: Policies | None = None) -> DnsFacts:
    question = DomainLookup(DOMAIN, HOST, [ip_address("127.0.0.1")])
    return asyncio.run(gather_dns_facts(question, names, (policies or Policies()).fetch))


def test_the_facts_are_those_of_the_zone() -> None:
    facts = gathered(zone())
    assert facts.hosts == (
        MailHost("mail.a.example", 10, ("203.0.113.1", "2001:db8::1"), DnsRecordSet((), 300)),
        MailHost(HOST, 20, ("127.0.0.1",), DnsRecordSet(("3 1 1 ab",), 300)),
    )
    [source] = facts.own.sources
    assert (source.address, source.is_named(HOST)) == ("127.0.0.1", True)
    assert [(one.result, one.matched) for one in facts.spf] == [("pass", "mx")]
    assert [one.result for one in facts.own.spf] == ["pass"]
    assert facts.own_hosts[0].tlsa.values == ("3 1 1 ab",)
    assert facts.tls_rpt.values == ("v=TLSRPTv1; rua=mailto:t@a.example",)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ({}, DmarcFinding("reject", "_dmarc.a.example")),  # that of subdomains
        (
            {"_dmarc.sub.a.example": {"TXT": ["v=DMARC1; p=quarantine"]}},
            DmarcFinding("quarantine", "_dmarc.sub.a.example"),
        ),
        (
            {"_dmarc.a.example": {"TXT": ["v=DMARC1; p=none"]}},
            DmarcFinding("none", "_dmarc.a.example"),
        ),
        ({"_dmarc.a.example": {"TXT": ["v=spf1 -all"]}}, DmarcFinding()),
    ],
)
def test_dmarc_is_the_nearest_record(
    records: dict[str, dict[str, list[str]]], expected: DmarcFinding
) -> None:
    names = zone()
    names.known |= records
    assert gathered(names).dmarc == expected


def test_a_policy_is_fetched_only_if_one_is_announced() -> None:
    policies = Policies()
    assert gathered(zone(), policies).sts.text == ""
    assert policies.fetched == []


def test_a_policy_is_fetched_from_its_own_name() -> None:
    names, url = zone(), f"https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt"
    names.known[f"_mta-sts.{DOMAIN}"] = {"TXT": ["v=STSv1; id=1"]}
    assert gathered(names, Policies({url: "version: STSv1"})).sts.text == "version: STSv1"
    lost = Policies()
    assert gathered(names, lost).sts.failure == "its server answers 404"
    assert lost.fetched == [url]


def test_our_addresses_are_looked_up_in_blocklists() -> None:
    names = zone()
    names.known["1.0.0.127.zen.example"] = {"A": ["127.0.0.2"]}
    asked = DomainLookup(
        DOMAIN, HOST, [ip_address("127.0.0.1")], blocklists=("zen.example", "bl.example")
    )
    facts = asyncio.run(gather_dns_facts(asked, names, Policies().fetch))
    assert [(one.zone, one.codes) for one in facts.own.blocklists] == [
        ("zen.example", ("127.0.0.2",)),
        ("bl.example", ()),
    ]


def test_the_tlsa_records_of_the_destination_are_asked_by_its_name() -> None:
    names = zone()
    names.known["_2526._tcp.mail.a.example"] = {"TLSA": ["3 1 1 cd"]}
    asked = DomainLookup(DOMAIN, HOST, [], tlsa_at=("mail.a.example", 2526))
    facts = asyncio.run(gather_dns_facts(asked, names, Policies().fetch))
    assert facts.destination_tlsa.values == ("3 1 1 cd",)
    assert not gathered(zone()).destination_tlsa.values


def test_the_tlsa_records_of_an_alias_are_those_of_its_end() -> None:
    names = zone()
    names.is_secure = True
    names.aliases["mail.a.example"] = "mail.host.example"
    names.known["_25._tcp.mail.host.example"] = {"TLSA": ["3 1 1 cd"]}
    [primary, own] = gathered(names).hosts
    assert (primary.tlsa.values, primary.tlsa_base) == (("3 1 1 cd",), "mail.host.example")
    assert own.tlsa_base == ""


def test_our_certificate_is_verified_up_to_the_authorities_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, shown = tmp_path / "all.pem", ServedCertificate((OTHER,), 0.0, chains=((made().leaf,),))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    names = zone()
    names.known[DOMAIN]["MX"] = [f"20 {OTHER}"]
    asked = DomainLookup(DOMAIN, OTHER, [], (shown,), at=time.time())

    def found() -> DnsFacts:
        return asyncio.run(gather_dns_facts(asked, names, Policies().fetch))

    assert found().own.distrust is None  # the system trusts nobody
    file.write_bytes(read_certificate(made().other).public_bytes(Encoding.PEM))
    assert "authority" in (found().own.distrust or {})[OTHER]
    file.write_bytes(read_certificate(made().authority).public_bytes(Encoding.PEM))
    assert found().own.distrust == {OTHER: ""}


def test_a_failure_of_dns_is_a_fact() -> None:
    names = zone()
    names.failing |= {DOMAIN, HOST, "_dmarc.sub.a.example"}
    facts = gathered(names)
    assert facts.mx.failure == facts.dmarc.failure == "no name server answered in time"
    assert facts.hosts == ()


def test_a_question_that_takes_too_long_is_a_fact() -> None:
    class Silent(Zone):
        async def records(self, name: str, kind: str) -> DnsRecordSet:
            await asyncio.Event().wait()
            raise AssertionError

    found = asyncio.run(TimedRecords(Silent(), 0.01).records(DOMAIN, "MX"))
    assert found.failure == "no name server answered in time"
    assert asyncio.run(TimedRecords(zone()).records(DOMAIN, "MX")).values


def test_few_hosts_of_many_are_looked_up() -> None:
    names = zone()
    names.known[DOMAIN]["MX"] = [f"10 h{n}.x.example" for n in range(50)]
    assert len(gathered(names).hosts) == 50
    looked_up = {name for name, kind in names.asked if kind == "A" and name.endswith("x.example")}
    assert len(looked_up) <= 10


def test_our_address_is_that_of_the_way_to_the_destination() -> None:
    assert outgoing_sources([ip_address("127.0.0.7")]) == (ip_address("127.0.0.1"),)
    assert outgoing_sources([]) == ()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.1.2.3", True),
        ("100.64.0.1", True),
        ("fd00::1", True),
        ("203.0.113.2", False),
        ("127.0.0.1", False),
        ("2001:db8::2", False),
    ],
)
def test_a_translated_address_is_known(address: str, expected: bool) -> None:
    assert is_inside(ip_address(address)) is expected
