"""The check of a domain, over a store, a zone and a scripted destination."""

import asyncio
from typing import Any

import pytest

from restante.admin.admin_error import AdminError
from restante.admin.domain_check import DomainCheckView, check_domain, examined
from restante.admin.domain_uptime import longest_outage
from restante.network.dns_records import DnsRecordSet
from restante.queue.held_peak import WIDE, HeldAmount, HeldPeak, PeakPlace
from restante.queue.presence import DestinationState, PresenceChange
from restante.readiness.readiness_row import ReadinessCheck, ReadinessVerdict
from restante.request_limits.dial_limits import DialPurpose
from restante.tenancy.policy import DAY
from restante.tenancy.principal import account_login
from tests.admin.admin_world import NOW, AdminWorld, ask_for, run
from tests.delivery.scripted_primary import ScriptedPrimary

OWN = "mx2.example.net"
FREE_PORT = 9  # nobody listens there


def world(**records: Any) -> AdminWorld:
    admin = AdminWorld()
    admin.resolver.zone = {
        ("alpha.example", "MX"): DnsRecordSet((f"20 {OWN}", "10 mail.alpha.example"), 300),
        ("alpha.example", "TXT"): DnsRecordSet(("v=spf1 mx -all",), 300),
        ("mail.alpha.example", "A"): DnsRecordSet(("192.0.2.1",), 300),
        (OWN, "A"): DnsRecordSet(("127.0.0.1",), 300),
        (OWN, "TXT"): DnsRecordSet(("v=spf1 a -all",), 300),
        ("1.0.0.127.in-addr.arpa", "PTR"): DnsRecordSet((OWN,), 300),
        ("_dmarc.alpha.example", "TXT"): DnsRecordSet(("v=DMARC1; p=reject",), 300),
    }
    return admin


async def checked(admin: AdminWorld, primary: ScriptedPrimary, times: int = 1) -> DomainCheckView:
    async with primary:
        await admin.host("alpha.example", "alpha", destination=f"127.0.0.1:{primary.port}")
        for _ in range(times - 1):
            await check_domain(admin.context, "alpha.example")
        return await check_domain(admin.context, "Alpha.Example")


def verdicts(view: DomainCheckView) -> dict[str, str]:
    return {row.check: row.verdict.text for row in view.rows}


def test_every_check_has_a_row_in_the_order_of_the_list() -> None:
    view = asyncio.run(checked(world(), ScriptedPrimary(offer=("PIPELINING", "SMTPUTF8"))))
    found = verdicts(view)
    assert list(found)[:3] == ["mx", "own-name", "domain-spf"]
    assert len(found) == 23  # all but that of the login
    assert found["own-name"] == found["own-spf"] == found["acceptance"] == "PASS"
    assert found["domain-spf"] == "FAIL"
    assert found["own-domain"] == "WARN"  # accepted, and SPF includes us
    assert found["release"] == "FAIL"
    assert view.verdict is ReadinessVerdict.FAIL


def test_two_checks_are_one_look() -> None:
    primary = ScriptedPrimary()
    view = asyncio.run(checked(world(), primary, times=3))
    assert primary.connections == 1
    assert view.destination_seen_at is not None


def test_another_domain_and_a_drill_need_not_wait_for_the_check_of_a_neighbor() -> None:
    admin = world()
    for name in ("alpha.example", "neighbor.example"):
        run(admin.host(name, "alpha", destination="192.0.2.7"))
    alpha = admin.context.acting(account_login("alpha-mail", "alpha", "192.0.2.1"))
    first = run(check_domain(alpha, "alpha.example"))
    assert run(check_domain(alpha, "neighbor.example")).destination_seen_at is not None
    domain = alpha.directory.now.domains["alpha.example"]
    drilled = run(examined(alpha, domain, DialPurpose.DRILL))
    assert drilled.destination_seen_at == first.destination_seen_at


def test_a_new_port_of_a_host_is_not_looked_at_for_the_rest_of_the_minute() -> None:
    """Otherwise an account could scan the ports of a host."""
    admin = world()
    for port, name in enumerate(("alpha.example", "neighbor.example"), start=25):
        run(admin.host(name, "alpha", destination=f"192.0.2.7:{port}"))
    alpha = admin.context.acting(account_login("alpha-mail", "alpha", "192.0.2.1"))
    run(check_domain(alpha, "alpha.example"))
    view = run(check_domain(alpha, "neighbor.example"))
    assert view.destination_seen_at is None
    [row] = [one for one in view.rows if one.check is ReadinessCheck.REACHABLE]
    assert row.evidence == ("192.0.2.7:26: this account has just started a look at 192.0.2.7")
    assert row.remedy == "check again in 60 seconds"


def test_without_a_destination_nothing_is_dialed() -> None:
    admin = world()
    run(admin.host("alpha.example", "alpha", destination="none"))
    view = run(check_domain(admin.context, "alpha.example"))
    assert verdicts(view)["reachable"] == "PASS"
    assert view.destination_seen_at is None


def test_a_login_that_asked_proves_the_release() -> None:
    admin = world()
    domain_id = run(admin.host("alpha.example", "alpha", destination="none"))
    run(ask_for(admin, 1, "alpha.example", domain_id, at=NOW - DAY))
    assert verdicts(run(check_domain(admin.context, "alpha.example")))["release"] == "PASS"


def test_an_account_checks_its_own_domains_once_a_minute() -> None:
    admin = world()
    run(admin.host("alpha.example", "alpha", destination="none"))
    alpha = admin.context.acting(account_login("alpha-mail", "alpha", "192.0.2.1"))
    run(check_domain(alpha, "alpha.example"))
    with pytest.raises(AdminError, match="just started a check of alpha") as caught:
        run(check_domain(alpha, "alpha.example"))
    assert (caught.value.remedy, caught.value.seconds) == ("try again in 60 seconds", 60)
    beta = admin.context.acting(account_login("beta-mail", "beta", "192.0.2.1"))
    with pytest.raises(AdminError, match="is not hosted here"):
        run(check_domain(beta, "alpha.example"))


def test_the_longest_outage_is_that_of_the_last_months() -> None:
    admin = world()
    host = "mail.alpha.example:25"
    changes = [
        PresenceChange("alpha", host, NOW - days * DAY, state, "")
        for days, state in (
            (20, DestinationState.AWAY),
            (18, DestinationState.UP),
            (3, DestinationState.AWAY),
            (2, DestinationState.UP),
        )
    ]
    run(admin.store.presence.record_presence(changes))
    assert run(longest_outage(admin.context, "alpha", host)) == 2 * DAY
    assert run(longest_outage(admin.context, "alpha", "other:25")) == 0


def test_the_most_that_was_held_in_a_week_is_shown() -> None:
    admin = world()

    async def check() -> DomainCheckView:
        await admin.host("alpha.example", "alpha", destination=f"127.0.0.1:{FREE_PORT}")
        domain = admin.context.directory.now.domains["alpha.example"]
        for days, messages in ((8, 9000), (6, 1234)):
            at = int((NOW - days * DAY) // WIDE) * WIDE
            place = PeakPlace(domain.id, "alpha", WIDE, at)
            await admin.store.peaks.record_peaks([HeldPeak(place, HeldAmount(messages, 2**21))])
        return await check_domain(admin.context, "alpha.example")

    [row] = [row for row in asyncio.run(check()).rows if row.check == "room"]
    assert row.evidence.startswith("0 messages, 0.0 MiB held, 1,234 and 2.0 MiB at most in 7 days")
