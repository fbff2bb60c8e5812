"""The records to publish for a domain: the names that are looked up, and their bounds."""

import asyncio
from dataclasses import replace

import pytest

from restante.admin import domain_dns
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError
from restante.admin.domain_dns import DomainDnsView, show_dns
from restante.admin.published_records import RecordPurpose, RecordState
from restante.network.dns_records import DnsRecordSet
from restante.network.outgoing_http import (
    OutgoingAnswer,
    OutgoingFailed,
    OutgoingHttp,
    OutgoingRequest,
)
from restante.network.served_certificate import ServedCertificate
from restante.tenancy.principal import account_login
from tests.admin.admin_world import NOW, AdminWorld, run

DOMAIN = "alpha.example"
DEFAULT = ServedCertificate(("mx2.example.net",), NOW, ("aa" * 32, "bb" * 32))
CUSTOMER = ServedCertificate(("mx.alpha.example",), NOW, ("cc" * 32,))
WILDCARD = ServedCertificate(("*.alpha.example",), NOW, ("dd" * 32,))


async def hosting() -> AdminWorld:
    admin = AdminWorld()
    await admin.host(DOMAIN, "alpha")
    return admin


def showing(context: AdminContext, *served: ServedCertificate) -> AdminContext:
    network = replace(context.network, certificates=lambda: served)
    return replace(context, network=network)


def keys(view: DomainDnsView) -> list[str]:
    return [one.value for one in view.records if one.purpose is RecordPurpose.TLSA]


@pytest.mark.parametrize(
    ("served", "mx", "host", "shown"),
    [
        ([DEFAULT], "", "mx2.example.net", DEFAULT),
        ([DEFAULT, CUSTOMER], "", "mx.alpha.example", CUSTOMER),
        ([DEFAULT, CUSTOMER], "20 mx2.example.net", "mx2.example.net", DEFAULT),
        ([DEFAULT, WILDCARD], "", "mx2.example.net", DEFAULT),
        ([DEFAULT, WILDCARD], "20 mx5.alpha.example", "mx2.example.net", DEFAULT),
        ([DEFAULT], "20 strange.example", "mx2.example.net", DEFAULT),
    ],
)
def test_the_name_in_use_decides_about_the_keys(
    served: list[ServedCertificate], mx: str, host: str, shown: ServedCertificate
) -> None:
    async def story() -> DomainDnsView:
        admin = await hosting()
        if mx:
            admin.resolver.zone[DOMAIN, "MX"] = DnsRecordSet((mx,))
        return await show_dns(showing(admin.context, *served), DOMAIN)

    view = run(story())
    assert view.host == host
    assert keys(view) == [f"3 1 1 {key}" for key in shown.keys]


def test_silent_name_servers_keep_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain_dns, "LOOKUP_SECONDS", 0.05)

    class Silent:
        async def records(self, _name: str, _kind: str) -> DnsRecordSet:
            await asyncio.Event().wait()
            raise AssertionError

    async def story() -> DomainDnsView:
        context = showing((await hosting()).context, DEFAULT)
        return await show_dns(
            replace(context, network=replace(context.network, records=Silent())), DOMAIN
        )

    view = run(story())
    assert {one.state for one in view.records} == {RecordState.UNKNOWN}
    assert {one.note for one in view.records} == {"no name server answered in time"}


def test_an_account_asks_only_so_often() -> None:
    async def story() -> None:
        context = (await hosting()).context.acting(account_login("mail", "alpha", ""))
        for _ in range(100):
            await show_dns(context, DOMAIN)

    with pytest.raises(AdminError, match=r"started a look-up of the records of alpha\.example"):
        run(story())


@pytest.mark.parametrize("is_there", [True, False])
def test_an_announced_policy_is_fetched(is_there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[OutgoingRequest] = []

    async def fetch(_http: OutgoingHttp, request: OutgoingRequest) -> OutgoingAnswer:
        asked.append(request)
        if not is_there:
            raise OutgoingFailed("no answer in time")
        return OutgoingAnswer(
            200, b"version: STSv1\nmode: enforce\nmx: other.example\nmax_age: 86400\n"
        )

    monkeypatch.setattr(OutgoingHttp, "fetch", fetch)

    async def story(*texts: str) -> DomainDnsView:
        admin = await hosting()
        admin.resolver.zone[f"_mta-sts.{DOMAIN}", "TXT"] = DnsRecordSet(texts)
        return await show_dns(showing(admin.context, DEFAULT), DOMAIN)

    run(story())
    assert asked == []
    records = {one.purpose: one for one in run(story("v=STSv1; id=1")).records}
    assert [(one.url, one.is_public_only) for one in asked] == [
        (f"https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt", True)
    ]
    policy = records[RecordPurpose.MTA_STS_POLICY]
    if is_there:
        assert (policy.state, policy.found) == (RecordState.WRONG, ["mx: other.example"])
    else:
        assert (policy.state, policy.note[-17:]) == (RecordState.UNKNOWN, "no answer in time")
