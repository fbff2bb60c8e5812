"""The demands of mail hosts on TLS: DANE, then MTA-STS."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from restante.network.dns_records import DnsRecordSet
from restante.readiness.mta_sts import StsPolicy
from restante.reports.hop_security import (
    OPPORTUNISTIC,
    DomainSecurity,
    HopDemand,
    NoSafeHop,
)
from restante.tenancy.model import TlsUse

HOST, NAME = "mx.a.example", "_25._tcp.mx.a.example"
DIGEST = "ab" * 32
SECURE_ADDRESS = DnsRecordSet(("192.0.2.1",), is_secure=True)
TLSA = DnsRecordSet((f"3 1 1 {DIGEST}",), is_secure=True)
SILENT = DnsRecordSet(failure="no name server answered in time")
ENFORCED = StsPolicy("enforce", ("*.a.example",), 86_400)


@dataclass
class Zone:
    """DNS, with these records."""

    records_by_name: dict[tuple[str, str], DnsRecordSet]
    asked: list[str] = field(default_factory=list)

    async def records(self, name: str, kind: str) -> DnsRecordSet:
        self.asked.append(kind)
        return self.records_by_name.get((name, kind), DnsRecordSet())


def zone(address: DnsRecordSet = SECURE_ADDRESS, tlsa: DnsRecordSet = TLSA) -> Zone:
    return Zone({(HOST, "A"): address, (NAME, "TLSA"): tlsa})


def demand(
    of: Zone, policy: StsPolicy | None = None, host: str = HOST, *, has_dane: bool = True
) -> HopDemand:
    security = DomainSecurity(of, "a.example", policy, 25, 0.0, has_dane)
    return asyncio.run(security.of_host(host))


def test_validated_records_demand_a_certificate_that_agrees() -> None:
    found = demand(zone())
    assert (found.tls, found.may_go_in_clear) == (TlsUse.REQUIRED, False)
    assert found.dane is not None
    assert found.dane.records[0].data.hex() == DIGEST
    assert found.dane.hosts == (HOST, "a.example")


@pytest.mark.parametrize(
    ("address", "tlsa", "has_dane"),
    [
        (SECURE_ADDRESS, TLSA, False),  # the MX records are not validated
        (DnsRecordSet(("192.0.2.1",)), TLSA, True),
        (SECURE_ADDRESS, DnsRecordSet(TLSA.values), True),
        (SECURE_ADDRESS, DnsRecordSet(is_secure=True), True),
    ],
)
def test_without_validation_of_everything_there_is_no_dane(
    address: DnsRecordSet, tlsa: DnsRecordSet, has_dane: bool
) -> None:
    assert demand(zone(address, tlsa), has_dane=has_dane) == OPPORTUNISTIC


def test_tlsa_is_not_asked_of_a_host_whose_address_is_not_validated() -> None:
    insecure = zone(DnsRecordSet(("192.0.2.1",)))
    demand(insecure)
    assert "TLSA" not in insecure.asked


@pytest.mark.parametrize(
    "of", [zone(tlsa=SILENT), zone(SILENT)], ids=["no TLSA answer", "no address answer"]
)
def test_an_answer_that_does_not_come_is_not_taken_for_none(of: Zone) -> None:
    """An attacker who hides an answer could take TLS away otherwise."""
    with pytest.raises(NoSafeHop, match="lookup for DANE failed"):
        demand(of, ENFORCED)


END = "mail.host.example"
ALIAS = DnsRecordSet((END,), is_secure=True)
FOLLOWED = replace(SECURE_ADDRESS, alias_of=END)
ELSEWHERE = DnsRecordSet(("3 1 1 " + "cd" * 32,), is_secure=True)


@pytest.mark.parametrize(
    ("records", "base"),
    [
        ({(f"_25._tcp.{END}", "TLSA"): ELSEWHERE}, END),  # the end of the aliases comes first
        ({}, HOST),
        ({(f"_25._tcp.{END}", "TLSA"): replace(ELSEWHERE, is_secure=False)}, HOST),
    ],
)
def test_the_records_of_an_alias_are_at_its_end_or_its_own_name(
    records: dict[tuple[str, str], DnsRecordSet], base: str
) -> None:
    of = zone(FOLLOWED)
    of.records_by_name |= records
    found = demand(of).dane
    assert found is not None
    assert found.hosts == (base, "a.example")
    assert found.records[0].data.hex() == ("cd" * 32 if base == END else DIGEST)


@pytest.mark.parametrize(("alias", "is_dane"), [(ALIAS, True), (DnsRecordSet((END,)), False)])
def test_an_alias_that_is_validated_alone_has_its_records_at_its_own_name(
    alias: DnsRecordSet, is_dane: bool
) -> None:
    of = zone(replace(FOLLOWED, is_secure=False))
    of.records_by_name |= {(HOST, "CNAME"): alias, (f"_25._tcp.{END}", "TLSA"): ELSEWHERE}
    found = demand(of)
    assert (found.source == "DANE") is is_dane
    assert found.dane is None or found.dane.hosts[0] == HOST


@pytest.mark.parametrize("name", [(f"_25._tcp.{END}", "TLSA"), (HOST, "CNAME")])
def test_an_answer_about_an_alias_that_does_not_come_is_not_taken_for_none(
    name: tuple[str, str],
) -> None:
    of = zone(replace(FOLLOWED, is_secure=name[1] == "TLSA"))
    of.records_by_name[name] = SILENT
    with pytest.raises(NoSafeHop, match="lookup for DANE failed"):
        demand(of)


def test_records_that_mail_cannot_use_demand_tls_with_any_certificate() -> None:
    found = demand(zone(tlsa=DnsRecordSet((f"1 1 1 {DIGEST}", "3 9 1 00"), is_secure=True)))
    assert found == HopDemand(TlsUse.REQUIRED, source="DANE")


def test_a_policy_does_not_override_dane() -> None:
    elsewhere = StsPolicy("enforce", ("other.example",), 86_400)
    assert demand(zone(), elsewhere).source == "DANE"


def test_a_policy_that_is_enforced_demands_a_host_that_it_names() -> None:
    assert demand(Zone({}), ENFORCED) == HopDemand(TlsUse.VERIFY, source="MTA-STS")
    with pytest.raises(NoSafeHop, match="not in the MTA-STS policy"):
        demand(Zone({}), ENFORCED, "mx.evil.example")


@pytest.mark.parametrize("mode", ["testing", "none"])
def test_a_policy_that_is_not_enforced_demands_nothing(mode: str) -> None:
    assert demand(Zone({}), StsPolicy(mode, ("other.example",), 86_400)) == OPPORTUNISTIC
