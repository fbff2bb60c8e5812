"""The operator's records, drains and the audit trail."""

import asyncio
from dataclasses import asdict, fields, replace
from math import inf
from typing import Any

import pytest

from restante.store.audit_trail import NodeRequest
from restante.store.interface import Store
from restante.store.mail_handover import Asked, Drain, Joined, PastDrain
from restante.store.store_errors import Conflict, LeaseLost
from restante.tenancy.audit import AuditAction, AuditEntry, AuditFilter
from restante.tenancy.model import (
    Account,
    Destination,
    DestinationLogin,
    HostedDomain,
    Login,
    TlsUse,
    parse_authorized_hosts,
)
from restante.tenancy.policy import (
    Accept,
    AtEnd,
    Forced,
    Hold,
    Policy,
    Recipients,
    Retention,
    Suspension,
    Unknown,
    WhileSuspended,
)
from restante.tenancy.quota import Quota
from restante.tenancy.record_change import Change
from tests.contract.making import (
    NOTED,
    account,
    deferred,
    delivered,
    domain,
    held_numbers,
    hold,
    hosted,
    login,
    opened,
    refused,
    taken_over,
)

FULL_DESTINATION = Destination(
    host="2001:db8::25",
    port=2525,
    tls=TlsUse.VERIFY,
    ca_file="/etc/ssl/own.pem",
    key_pins=("aa" * 32, "bb" * 32),
    login=DestinationLogin("relay", b"\0\xffsealed"),
    connections=9,
    per_minute=30,
)

FULL_POLICY = Policy(
    hold=Hold.ON_RETURN,
    suspension=Suspension("not paid — ünïcode", 1.8e9, WhileSuspended.DEFER),
    accept=Accept.WHEN_DOWN,
    forced=Forced(is_on=False, until=1.7e9),
    recipients=Recipients.LIST,
    unknown=Unknown.REJECT,
    ignores_tags=True,
    asks_destination=True,
    quota=Quota(10**12, 5),
    message_octets=1 << 20,
    retention=Retention(30.5, AtEnd.DELETE),
    refused_retention=Retention(None, AtEnd.DELETE),
)

# --- what is put comes back


async def test_an_empty_store_has_an_empty_directory(store: Store) -> None:
    directory = await store.records.directory()
    assert (directory.accounts, directory.logins, directory.domains) == ({}, {}, {})


async def test_an_account_comes_back_as_it_was(store: Store) -> None:
    put = Account("alpha", 1700000000.5, empty_reply=250, note="the first — ünïcode")
    await store.records.put_account(put, NOTED)
    assert (await store.records.directory()).accounts == {"alpha": put}


async def test_a_quota_comes_back_as_it_was(store: Store) -> None:
    put = Account("alpha", 1.0, quota=Quota(octets=10**12, messages=7))
    await store.records.put_account(put, NOTED)
    assert (await store.records.directory()).accounts == {"alpha": put}


@pytest.mark.parametrize("policy", [Policy(), FULL_POLICY])
async def test_a_policy_comes_back_as_it_was(store: Store, policy: Policy) -> None:
    await store.records.put_account(account(), NOTED)
    put = await store.records.put_domain(replace(domain(), policy=policy), NOTED)
    assert put.policy == policy
    assert (await store.records.directory()).domains == {"alpha.example": put}


def test_the_full_policy_leaves_no_field_at_its_default_that_can_be_another() -> None:
    """A field that a store does not keep would otherwise come back right by chance."""
    plain = Policy()
    left = [
        one.name
        for one in fields(plain)
        if getattr(plain, one.name) == getattr(FULL_POLICY, one.name)
    ]
    assert left == ["on_refusal"]  # it has one value only


@pytest.mark.parametrize("sealed_secret", [None, b"", b"\0\1\xff"])
async def test_a_login_comes_back_as_it_was(store: Store, sealed_secret: bytes | None) -> None:
    await store.records.put_account(account(), NOTED)
    login = Login("alice@alpha.example", "alpha", "$argon2id$v=19$", sealed_secret, 5.0)
    for put in (login, replace(login, sealed_verifier=b"\0\xff")):
        await store.records.put_login(put, NOTED)
        assert (await store.records.directory()).logins == {put.user: put}


@pytest.mark.parametrize("destination", [Destination("mail.alpha.example"), FULL_DESTINATION])
async def test_a_domain_comes_back_as_it_was(store: Store, destination: Destination) -> None:
    await store.records.put_account(account(), NOTED)
    hosts = parse_authorized_hosts(
        ["192.0.2.1", "198.51.100.0/24", "2001:db8::/32", "::1", "mail.alpha.example"]
    )
    put = await store.records.put_domain(
        HostedDomain(0, "alpha.example", "alpha", destination, hosts, 7.5), NOTED
    )
    assert put.id > 0
    assert put == HostedDomain(put.id, "alpha.example", "alpha", destination, hosts, 7.5)
    assert (await store.records.directory()).domains == {"alpha.example": put}


def test_the_full_destination_leaves_no_field_at_its_default() -> None:
    """A field that a store does not keep would otherwise come back right by chance."""
    plain = Destination("")
    assert [
        one.name
        for one in fields(plain)
        if getattr(plain, one.name) == getattr(FULL_DESTINATION, one.name)
    ] == []


async def test_records_are_replaced(store: Store) -> None:
    domain_id = await hosted(store)
    await store.records.put_login(login(), NOTED)
    await store.records.put_account(replace(account(), note="new"), NOTED)
    await store.records.put_login(replace(login(), password_hash="new"), NOTED)
    changed = replace(domain(), id=domain_id, destination=FULL_DESTINATION)
    assert await store.records.put_domain(changed, NOTED) == changed
    directory = await store.records.directory()
    assert directory.accounts["alpha"].note == "new"
    assert directory.logins["alice"].password_hash == "new"
    assert directory.domains["alpha.example"] == changed


async def test_records_are_removed(store: Store) -> None:
    domain_id = await hosted(store)
    await store.records.put_login(login(), NOTED)
    await store.records.remove_login("alice", NOTED)
    await store.records.remove_domain(domain_id, NOTED)
    await store.records.remove_account("alpha", NOTED)
    directory = await store.records.directory()
    assert (directory.accounts, directory.logins, directory.domains) == ({}, {}, {})


# --- the change number and the trail


async def test_every_change_moves_the_change_number_and_is_recorded(store: Store) -> None:
    seen = [(await store.records.directory()).change_number]
    await store.records.put_account(account(), NOTED)
    seen.append((await store.records.directory()).change_number)
    await store.records.put_login(login(), NOTED)
    seen.append((await store.records.directory()).change_number)
    put = await store.records.put_domain(domain(), NOTED)
    seen.append((await store.records.directory()).change_number)
    await store.records.put_domain(put, NOTED)
    seen.append((await store.records.directory()).change_number)
    await store.records.remove_domain(put.id, NOTED)
    seen.append((await store.records.directory()).change_number)
    await store.records.remove_login("alice", NOTED)
    seen.append((await store.records.directory()).change_number)
    await store.records.remove_account("alpha", NOTED)
    seen.append((await store.records.directory()).change_number)
    assert seen == sorted(set(seen))
    assert len(await store.trail.audit()) == len(seen) - 1


async def test_removing_what_is_not_there_changes_and_records_nothing(store: Store) -> None:
    before = (await store.records.directory()).change_number
    await store.records.remove_account("nobody", NOTED)
    await store.records.remove_login("nobody", NOTED)
    await store.records.remove_domain(77, NOTED)
    assert (await store.records.directory()).change_number == before
    assert await store.trail.audit() == []


async def test_a_change_refused_changes_and_records_nothing(store: Store) -> None:
    await hosted(store)
    before, recorded = await store.records.directory(), await store.trail.audit()
    with pytest.raises(Conflict):
        await store.records.put_domain(domain(), NOTED)
    assert await store.records.directory() == before
    assert await store.trail.audit() == recorded


# --- conflicts


async def test_an_account_with_logins_or_domains_cannot_be_removed(store: Store) -> None:
    domain_id = await hosted(store)
    with pytest.raises(Conflict):
        await store.records.remove_account("alpha", NOTED)
    await store.records.remove_domain(domain_id, NOTED)
    await store.records.put_login(login(), NOTED)
    with pytest.raises(Conflict):
        await store.records.remove_account("alpha", NOTED)
    assert "alpha" in (await store.records.directory()).accounts


async def test_a_user_name_is_one_accounts_only(store: Store) -> None:
    await store.records.put_account(account("alpha"), NOTED)
    await store.records.put_account(account("beta"), NOTED)
    await store.records.put_login(login("alice", of="alpha"), NOTED)
    with pytest.raises(Conflict):
        await store.records.put_login(login("alice", of="beta"), NOTED)
    assert (await store.records.directory()).logins["alice"].account == "alpha"


async def test_nothing_is_put_under_an_account_that_is_gone(store: Store) -> None:
    with pytest.raises(Conflict):
        await store.records.put_login(login(), NOTED)
    with pytest.raises(Conflict):
        await store.records.put_domain(domain(), NOTED)


async def test_a_domain_is_added_once(store: Store) -> None:
    await hosted(store)
    with pytest.raises(Conflict):
        await store.records.put_domain(domain(), NOTED)


async def test_a_domain_that_is_gone_is_not_changed(store: Store) -> None:
    domain_id = await hosted(store)
    await store.records.remove_domain(domain_id, NOTED)
    with pytest.raises(Conflict):
        await store.records.put_domain(replace(domain(), id=domain_id), NOTED)


async def test_a_domain_never_changes_its_name(store: Store) -> None:
    """Its mail would go to where another domain's belongs."""
    domain_id = await hosted(store)
    with pytest.raises(Conflict):
        await store.records.put_domain(replace(domain("other.example"), id=domain_id), NOTED)


async def test_an_id_is_never_used_again(store: Store) -> None:
    first = await hosted(store)
    await store.records.remove_domain(first, NOTED)
    assert await hosted(store) != first


async def test_a_domain_that_holds_mail_cannot_be_removed(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    with pytest.raises(Conflict):
        await store.records.remove_domain(domain_id, NOTED)
    await store.handover.settle(await opened(store, domain_id, 0.0, 60.0), [delivered(1)])
    await store.records.remove_domain(domain_id, NOTED)
    assert (await store.records.directory()).domains == {}


# --- drains


async def test_a_drain_is_recorded_until_it_is_closed(store: Store) -> None:
    domain_id = await hosted(store)
    drain = await opened(store, domain_id, 10.5, 70.5)
    assert (drain.domain_id, drain.requested_at, drain.deadline) == (domain_id, 10.5, 70.5)
    assert store.handover.open_drains() == [drain]
    await store.handover.close_drain(drain)
    assert store.handover.open_drains() == []


def past(**fields: Any) -> PastDrain:
    return PastDrain(
        **{
            **asdict(PastDrain(1.5, 2.5, "operator", "given up", "why", 3, 4, 5, "421 bye")),
            **fields,
        }
    )


async def test_how_the_last_drain_of_each_domain_went_is_kept(store: Store) -> None:
    first, second = await hosted(store), await hosted(store, "c.example")
    assert await store.handover.past_drains() == {}
    drain = await opened(store, first, 1.0, 60.0)
    await store.handover.close_drain(drain, past())
    await store.handover.close_drain(
        await opened(store, second, 1.0, 60.0)
    )  # nothing is known of how it went
    assert await store.handover.past_drains() == {first: past()}
    later = await opened(store, first, 1.0, 60.0)
    assert await store.handover.past_drains() == {first: past()}  # while the next one runs, too
    await store.handover.close_drain(drain, past(reason="of one that lost its lease"))
    assert await store.handover.past_drains() == {first: past()}
    await store.handover.close_drain(later, past(end="finished"))
    assert await store.handover.past_drains() == {first: past(end="finished")}
    await store.records.remove_domain(first, NOTED)
    assert await store.handover.past_drains() == {}


async def test_a_drain_taken_over_has_a_higher_number(store: Store) -> None:
    domain_id = await hosted(store)
    earlier = await opened(store, domain_id, 1.0, 60.0)
    later = await taken_over(store, earlier)
    assert later == replace(earlier, number=later.number)
    assert later.number > earlier.number
    assert store.handover.open_drains() == [later]
    assert await store.handover.take_over(earlier) is None  # somebody was faster
    await store.handover.close_drain(later)
    assert await store.handover.take_over(later) is None  # it is over


async def test_a_drain_that_is_open_is_joined(store: Store) -> None:
    """Nobody is fenced off by a request; the owner reads of it."""
    domain_id = await hosted(store)
    drain = await opened(store, domain_id, 1.0, 60.0)
    assert await store.handover.asked([drain]) == []
    joined = await store.handover.open_drain(domain_id, 2.0, 120.0)
    assert joined == Joined(replace(drain, deadline=120.0), times=1)
    assert await store.handover.open_drain(domain_id, 3.0, 90.0) == replace(joined, times=2)
    assert await store.handover.asked([drain]) == [Asked(domain_id, 2, 120.0, "")]
    await store.handover.settle(drain, [])
    later = await taken_over(store, drain)
    assert (later.requested_at, later.deadline) == (1.0, 120.0)
    assert await store.handover.asked([later]) == []  # it begins anew in any case
    await store.handover.close_drain(later)
    assert await opened(store, domain_id, 5.0, 65.0) not in (drain, later)


async def test_requests_at_the_same_moment_open_one_drain(store: Store) -> None:
    domain_id = await hosted(store)
    answers = await asyncio.gather(
        *(store.handover.open_drain(domain_id, 1.0, 60.0) for _ in range(5))
    )
    assert [type(one) for one in answers] == [Drain, Joined, Joined, Joined, Joined]
    assert store.handover.open_drains() == answers[:1]


async def test_a_drain_can_be_stopped_through_the_store(store: Store) -> None:
    domain_id = await hosted(store)
    assert await store.handover.ask_stop(domain_id, "no more") is False
    drain = await opened(store, domain_id, 1.0, 60.0)
    assert await store.handover.ask_stop(domain_id, "no more") is True
    assert await store.handover.asked([drain]) == [Asked(domain_id, 0, 60.0, "no more")]
    later = await taken_over(store, drain)
    assert await store.handover.asked([later]) == [Asked(domain_id, 0, 60.0, "no more")]
    await store.handover.open_drain(domain_id, 2.0, 120.0)  # who asks later wants it to go on
    assert await store.handover.asked([later]) == [Asked(domain_id, 1, 120.0, "")]


async def test_an_owner_reads_that_its_drain_is_lost(store: Store) -> None:
    alpha, beta = await hosted(store), await hosted(store, "c.example")
    drains = [await opened(store, alpha, 1.0, 60.0), await opened(store, beta, 2.0, 60.0)]
    later = await taken_over(store, drains[0])
    assert await store.handover.asked([*drains, later]) == [Asked(alpha, 0, 60.0, "", is_lost=True)]
    await store.handover.close_drain(later)
    assert await store.handover.asked([later]) == [Asked(alpha, 0, 60.0, "", is_lost=True)]
    assert await store.handover.asked([]) == []


async def test_claimable_are_the_drains_that_nobody_runs(store: Store) -> None:
    alpha, beta = await hosted(store), await hosted(store, "c.example")
    of_alpha, of_beta = await opened(store, alpha, 1.0, 60.0), await opened(store, beta, 2.0, 60.0)
    assert await store.handover.claimable_drains([of_alpha, of_beta]) == []
    assert await store.handover.claimable_drains([of_beta]) == [of_alpha]
    later = await taken_over(store, of_alpha)
    assert await store.handover.claimable_drains([of_alpha, of_beta]) == [later]
    await store.handover.close_drain(later)
    assert await store.handover.claimable_drains([]) == [of_beta]


async def test_a_store_of_one_process_is_never_away_nor_are_its_drains_anothers(
    store: Store,
) -> None:
    assert store.care.absence == ""
    assert store.handover.lease_left() == inf


async def test_whether_a_domain_drains_is_known_at_once(store: Store) -> None:
    domain_id = await hosted(store)
    assert not store.handover.is_draining(domain_id)
    drain = await opened(store, domain_id, 1.0, 60.0)
    assert store.handover.is_draining(domain_id)
    assert not store.handover.is_draining(domain_id + 1)
    await store.handover.close_drain(drain)
    assert not store.handover.is_draining(domain_id)
    await opened(store, domain_id, 1.0, 60.0)
    await store.records.remove_domain(domain_id, NOTED)
    assert not store.handover.is_draining(domain_id)


async def test_closing_a_drain_that_was_taken_over_does_nothing(store: Store) -> None:
    domain_id = await hosted(store)
    earlier = await opened(store, domain_id, 1.0, 60.0)
    later = await taken_over(store, earlier)
    await store.handover.close_drain(earlier)
    assert store.handover.open_drains() == [later]
    await store.handover.settle(later, [])


async def test_a_drain_finishes_only_when_no_mail_waits_for_it(store: Store) -> None:
    domain_id, other = await hosted(store), await hosted(store, "c.example")
    drain = await opened(store, domain_id, 1.0, 60.0)
    await hold(store, domain_id, 1, 2)
    await hold(store, other, 3)
    await store.handover.settle(drain, [delivered(1)])
    assert await store.handover.finish_drain(drain, past=past(end="finished")) is False
    assert (store.handover.open_drains(), await store.handover.past_drains()) == ([drain], {})
    await store.handover.settle(drain, [refused(2)])  # not held any more: it waits for a person
    assert await store.handover.finish_drain(drain, past=past(end="finished")) is True
    assert store.handover.open_drains() == []
    assert await store.handover.past_drains() == {domain_id: past(end="finished")}
    with pytest.raises(LeaseLost):
        await store.handover.settle(drain, [])


async def test_mail_that_was_tried_and_left_behind_keeps_no_drain_open(store: Store) -> None:
    domain_id = await hosted(store)
    drain = await opened(store, domain_id, 1.0, 60.0)
    await hold(store, domain_id, 1, 2)
    await store.handover.settle(drain, [deferred(1)])
    assert await store.handover.finish_drain(drain, 1) is False  # the second came meanwhile
    assert await store.handover.finish_drain(drain, 2) is True


async def test_refused_mail_that_is_released_keeps_a_drain_open(store: Store) -> None:
    """It stands before the cursor of a drain that has passed it."""
    domain_id = await hosted(store)
    drain = await opened(store, domain_id, 1.0, 60.0)
    await hold(store, domain_id, 1)
    await store.handover.settle(drain, [refused(1)])
    await store.queue.release_refused([1], NOTED)
    assert await store.handover.finish_drain(drain) is False


async def test_nobody_finishes_a_drain_that_another_has(store: Store) -> None:
    domain_id = await hosted(store)
    earlier = await opened(store, domain_id, 1.0, 60.0)
    later = await taken_over(store, earlier)
    with pytest.raises(LeaseLost):
        await store.handover.finish_drain(earlier)
    assert store.handover.open_drains() == [later]


async def test_mail_held_beside_the_end_of_a_drain_is_before_or_after_it(store: Store) -> None:
    """Both in one transaction, maybe: the first one counts."""
    domain_id = await hosted(store)
    drain = await opened(store, domain_id, 1.0, 60.0)
    _, is_end = await asyncio.gather(hold(store, domain_id, 1), store.handover.finish_drain(drain))
    assert is_end is False
    await store.handover.settle(drain, [delivered(1)])
    is_end, _ = await asyncio.gather(store.handover.finish_drain(drain), hold(store, domain_id, 2))
    assert is_end is True
    assert await held_numbers(store, domain_id) == [2]


async def test_a_number_never_comes_back(store: Store) -> None:
    """Or who was fenced off long ago could settle under somebody else's drain."""
    domain_id = await hosted(store)
    numbers = []
    for _ in range(3):
        drain = await opened(store, domain_id, 1.0, 60.0)
        numbers.append(drain.number)
        await store.handover.close_drain(drain)
        await store.handover.close_drain(drain)
    assert numbers == sorted(set(numbers))


async def test_each_domain_has_its_drain_and_it_goes_with_the_domain(store: Store) -> None:
    alpha, beta = await hosted(store, "alpha.example"), await hosted(store, "beta.example")
    of_alpha, of_beta = (
        await opened(store, alpha, 1.0, 60.0),
        await opened(store, beta, 1.0, 60.0),
    )
    assert store.handover.open_drains() == [of_alpha, of_beta]
    await store.records.remove_domain(alpha, NOTED)
    assert store.handover.open_drains() == [of_beta]


async def test_a_domain_that_is_gone_has_no_drain(store: Store) -> None:
    with pytest.raises(Conflict):
        await opened(store, 77, 1.0, 60.0)


async def test_opening_a_drain_touches_no_mail(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    await store.handover.close_drain(await opened(store, domain_id, 1.0, 60.0))
    assert await held_numbers(store, domain_id) == [1]


# --- the audit trail


def entry(subject: str, of: str = "alpha") -> AuditEntry:
    """An entry with every field filled."""
    return AuditEntry(
        at=12.5,
        action=AuditAction.RELEASE_REQUESTED,
        actor="login alice",
        subject=subject,
        account=of,
        origin="192.0.2.1",
        answer="459 4.7.1 not allowed",
        reason="host not authorized",
    )


async def test_entries_come_back_newest_first(store: Store) -> None:
    await store.trail.record([entry("first"), entry("second")])
    await store.trail.record([entry("third")])
    assert await store.trail.audit() == [entry("third"), entry("second"), entry("first")]


async def test_only_as_many_as_are_asked_for(store: Store) -> None:
    await store.trail.record([entry(str(number)) for number in range(10)])
    assert [one.subject for one in await store.trail.audit(limit=3)] == ["9", "8", "7"]


@pytest.mark.parametrize(
    "wanted", [AuditFilter(), AuditFilter(account="alpha"), AuditFilter(domain="alpha.example")]
)
@pytest.mark.parametrize("limit", [1, 2, 5, 6, 100])
async def test_pages_go_on_where_the_one_before_ended(
    store: Store, wanted: AuditFilter, limit: int
) -> None:
    """Entries that come meanwhile are newer than all of them, and in none."""
    of_both = [("alpha", "alpha.example"), ("beta", "beta.example")]
    entries = [
        replace(entry(str(number), of=of), domain=name)
        for number in range(5)
        for of, name in of_both
    ]
    await store.trail.record(entries)
    expected = await store.trail.audit(wanted)
    found, before = [], None
    while True:
        page = await store.trail.audit_page(wanted, limit, before)
        assert len(page.entries) <= limit
        found += page.entries
        await store.trail.record([entry("meanwhile")])
        if (before := page.before) is None:
            break
    assert found == expected


async def test_an_account_sees_its_own_entries_only(store: Store) -> None:
    await store.trail.record(
        [entry("a"), entry("b", of="beta"), entry("c"), entry("nobody's", of="")]
    )
    assert [one.subject for one in await store.trail.audit(AuditFilter(account="alpha"))] == [
        "c",
        "a",
    ]
    assert [one.subject for one in await store.trail.audit(AuditFilter(account=""))] == ["nobody's"]
    assert [
        one.subject for one in await store.trail.audit(AuditFilter(account="alpha"), limit=1)
    ] == ["c"]


async def test_entries_are_found_by_what_they_are_about(store: Store) -> None:
    at = replace(entry("a"), at=100.0, domain="alpha.example", actor="operator root")
    later = replace(entry("b"), at=200.0, domain="beta.example", actor="login root")
    other = replace(
        entry("c", of="beta"), at=300.0, action=AuditAction.MAIL_DELETED, actor="retention"
    )
    await store.trail.record([at, later, other])
    cases = {
        AuditFilter(domain="alpha.example"): [at],
        AuditFilter(domain="alpha.example", account="beta"): [],
        AuditFilter(action="mail-deleted"): [other],
        AuditFilter(actor="root"): [later, at],
        AuditFilter(actor="operator"): [at],
        AuditFilter(actor="operator root"): [at],
        AuditFilter(actor="retention"): [other],
        AuditFilter(actor="roo_"): [],
        AuditFilter(since=200.0): [other, later],
        AuditFilter(until=200.0): [at],
        AuditFilter(account="alpha", since=100.0, until=300.0, actor="login root"): [later],
    }
    for wanted, found in cases.items():
        assert await store.trail.audit(wanted) == found, wanted
    assert await store.trail.audit(AuditFilter(since=100.0), limit=1) == [other]


async def test_what_changed_is_kept_with_the_entry(store: Store) -> None:
    changes = (
        Change("policy.hold", "until-asked", "on-return"),
        Change("note", "none", "ümläut → \x07"),
    )
    await store.trail.record([replace(entry("alpha"), changes=changes)])
    assert (await store.trail.audit())[0].changes == changes


async def test_recording_nothing_is_nothing(store: Store) -> None:
    await store.trail.record([])
    assert await store.trail.audit() == []


def asked_for(node: str, at: float, of: str = "alpha", answer: str = "253 OK") -> AuditEntry:
    """An entry of a release request."""
    return AuditEntry(at, AuditAction.RELEASE_REQUESTED, "login p", node, of, answer=answer)


async def test_the_last_granted_request_for_each_node_is_known(store: Store) -> None:
    assert list(await store.trail.last_requests()) == []
    await store.trail.record(
        [asked_for("Alpha.example", 5.0), asked_for("alpha.example", 3.0), entry("something else")]
    )
    await store.trail.record(
        [asked_for("beta.example", 4.0, answer="459 no"), asked_for("@alpha.example", 6.0)]
    )
    assert list(await store.trail.last_requests()) == [
        NodeRequest("@alpha.example", "alpha", 6.0),
        NodeRequest("alpha.example", "alpha", 5.0),
    ]


async def test_requests_that_came_since_are_known_and_those_before_not_forgotten(
    store: Store,
) -> None:
    for at in range(1, 6):
        await store.trail.record(
            [asked_for("alpha.example", float(at)), asked_for(f"{at}.example", float(at), "beta")]
        )
        found = {(one.node, one.account): one.at for one in await store.trail.last_requests()}
        assert found["alpha.example", "alpha"] == at
        assert found["1.example", "beta"] == 1.0
        assert len(found) == at + 1
