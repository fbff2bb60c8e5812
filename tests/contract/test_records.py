"""The operator's records: put, replaced, removed, and refused where they conflict."""

import asyncio
from dataclasses import fields, replace

import pytest

from restante.config.self_signed import new_ecdsa_key, self_signed_client
from restante.store.interface import Store
from restante.store.record_store import ABSENT
from restante.store.store_errors import Conflict, Overtaken
from restante.tenancy.client_certificates import new_login_certificate
from restante.tenancy.model import (
    Account,
    ClientPassing,
    Destination,
    DestinationLogin,
    HostedDomain,
    Login,
    LoginUse,
    PriorPassword,
    TlsUse,
    parse_authorized_hosts,
)
from restante.tenancy.policy import (
    AcceptPolicy,
    AtEnd,
    ForcedAcceptance,
    HoldPolicy,
    HygienePolicy,
    OwnDomainPolicy,
    Policy,
    ProbePolicy,
    ProofPolicy,
    RecipientPolicy,
    Retention,
    Suspension,
    TurnaroundPolicy,
    UnknownRecipientReply,
    WhileSuspended,
)
from restante.tenancy.quota import Quota
from tests.contract.making import (
    NOTED,
    account,
    delivered,
    domain,
    hold,
    hosted,
    login,
    opened,
)

FULL_DESTINATION = Destination(
    host="2001:db8::25",
    port=2525,
    tls=TlsUse.VERIFY,
    ca_text="-----BEGIN CERTIFICATE-----",
    set_by="alpha",
    may_be_private=True,
    ca_file="/etc/ssl/own.pem",
    key_pins=("aa" * 32, "bb" * 32),
    login=DestinationLogin("relay", b"\0\xffsealed"),
    connections=9,
    per_minute=30,
    client_address=ClientPassing.PROXY,
)

FULL_POLICY = Policy(
    hold=HoldPolicy.ON_RETURN,
    suspension=Suspension("not paid — ünïcode", 1.8e9, WhileSuspended.DEFER),
    probe=ProbePolicy.OFF,
    accept=AcceptPolicy.WHEN_DOWN,
    forced=ForcedAcceptance(is_on=False, until=1.7e9),
    recipients=RecipientPolicy.LIST,
    unknown=UnknownRecipientReply.REJECT,
    ignores_tags=True,
    asks_destination=True,
    hygiene=HygienePolicy.DEFER,
    own_domain=OwnDomainPolicy.DEFER,
    quota=Quota(10**12, 5),
    message_octets=1 << 20,
    retention=Retention(30.5, AtEnd.DELETE),
    refused_retention=Retention(None, AtEnd.DELETE),
    after_drains=10,
    drill_every=30 * 86400.0,
    turnaround=TurnaroundPolicy.ALLOW,
    change_lock=True,
    proof=ProofPolicy.TXT,
    proven_at=1.6e9,
)

# --- records come back as they were put


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


CERTIFICATES = tuple(
    new_login_certificate(self_signed_client(user, new_ecdsa_key(), 1e9).decode(), 1e9)
    for user in ("alice", "bob")
)


@pytest.mark.parametrize("sealed_secret", [None, b"", b"\0\1\xff"])
async def test_a_login_comes_back_as_it_was(store: Store, sealed_secret: bytes | None) -> None:
    await store.records.put_account(account(), NOTED)
    login = Login(
        "alice@alpha.example", "alpha", "$argon2id$v=19$", sealed_secret, 5.0, turnaround=True
    )
    prior = PriorPassword("$argon2id$old", sealed_secret, b"\0\xfe", 9.5)
    for put in (
        login,
        replace(login, sealed_verifier=b"\0\xff"),
        replace(login, valid_until=7.5, prior=prior),
        replace(login, password_hash="", certificates=CERTIFICATES),
        replace(login, turnaround_at=9.5),
    ):
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
    assert len(await store.audit.audit()) == len(seen) - 1


async def test_removing_what_is_not_there_changes_and_records_nothing(store: Store) -> None:
    before = (await store.records.directory()).change_number
    await store.records.remove_account("nobody", NOTED)
    await store.records.remove_login("nobody", NOTED)
    await store.records.remove_domain(77, NOTED)
    assert (await store.records.directory()).change_number == before
    assert await store.audit.audit() == []


async def test_a_change_refused_changes_and_records_nothing(store: Store) -> None:
    await hosted(store)
    before, recorded = await store.records.directory(), await store.audit.audit()
    with pytest.raises(Conflict):
        await store.records.put_domain(domain(), NOTED)
    assert await store.records.directory() == before
    assert await store.audit.audit() == recorded


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


USE = LoginUse(7.5, "192.0.2.1", "PLAIN")


async def test_the_latest_use_of_a_login_is_kept_and_is_no_change(store: Store) -> None:
    await store.records.put_account(account(), NOTED)
    await store.records.put_login(login(), NOTED)
    user = login().user
    number = (await store.records.directory()).change_number
    await store.records.record_login_uses({user: USE, "unknown": USE})
    await store.records.record_login_uses({user: replace(USE, at=6.0)})
    assert await store.records.login_uses() == {user: USE}
    later = LoginUse(8.0, "2001:db8::1", "CRAM-MD5")
    await store.records.record_login_uses({user: later})
    assert await store.records.login_uses() == {user: later}
    assert (await store.records.directory()).change_number == number


async def test_a_removed_login_leaves_no_use(store: Store) -> None:
    await store.records.put_account(account(), NOTED)
    await store.records.put_login(login(), NOTED)
    await store.records.record_login_uses({login().user: USE})
    await store.records.remove_login(login().user, NOTED)
    assert await store.records.login_uses() == {}


async def test_only_the_prior_password_that_is_named_is_forgotten(store: Store) -> None:
    rotating = replace(login(), prior=PriorPassword("$argon2id$old", b"old", None, 9.5))
    await store.records.put_account(account(), NOTED)
    await store.records.put_login(rotating, NOTED)
    before = (await store.records.directory()).change_number
    for user, until in ((rotating.user, 9.0), ("unknown", 9.5)):
        await store.records.forget_prior_password(user, until, NOTED)
    assert (await store.records.directory()).change_number == before
    await store.records.forget_prior_password(rotating.user, 9.5, NOTED)
    after = await store.records.directory()
    assert after.logins == {rotating.user: login()}
    assert after.change_number == before + 1


# --- a change is made from the record that is there


async def test_of_two_changes_of_one_record_the_first_is_kept(store: Store) -> None:
    records = store.records
    read = account("alpha")
    await records.put_account(read, NOTED)
    await records.put_account(replace(read, note="first"), NOTED, before=read)
    with pytest.raises(Overtaken):
        await records.put_account(replace(read, note="second"), NOTED, before=read)
    first = login("u", "alpha")
    await records.put_login(first, NOTED)
    then = replace(first, valid_until=1.8e9)
    await records.put_login(then, NOTED, before=first)
    with pytest.raises(Overtaken):
        await records.put_login(first, NOTED, before=first)
    made = await records.put_domain(domain("d.example", "alpha"), NOTED)
    suspended = replace(made, policy=FULL_POLICY)
    assert await records.put_domain(suspended, NOTED, before=made) == suspended
    with pytest.raises(Overtaken):
        await records.put_domain(replace(made, destination=FULL_DESTINATION), NOTED, before=made)
    directory = await records.directory()
    assert directory.accounts["alpha"].note == "first"
    assert directory.logins["u"] == then
    assert directory.domains["d.example"] == suspended


async def test_of_two_additions_of_one_record_the_first_is_kept(store: Store) -> None:
    records = store.records
    first, second = (replace(account("alpha"), note=note) for note in ("first", "second"))
    await records.put_account(first, NOTED, before=ABSENT)
    with pytest.raises(Overtaken):
        await records.put_account(second, NOTED, before=ABSENT)
    anna = login("u", "alpha")
    await records.put_login(anna, NOTED, before=ABSENT)
    with pytest.raises(Overtaken):
        await records.put_login(replace(anna, valid_until=1.8e9), NOTED, before=ABSENT)
    directory = await records.directory()
    assert directory.accounts["alpha"].note == "first"
    assert directory.logins["u"] == anna


async def test_of_additions_at_once_one_is_kept(store: Store) -> None:
    added = [
        store.records.put_account(
            replace(account("alpha"), note=f"note {number}"), NOTED, before=ABSENT
        )
        for number in range(8)
    ]
    results = await asyncio.gather(*added, return_exceptions=True)
    assert [type(one) for one in results if one is not None] == [Overtaken] * 7
    kept = results.index(None)
    directory = await store.records.directory()
    assert directory.accounts["alpha"].note == f"note {kept}"


async def test_a_change_of_a_record_that_was_removed_is_overtaken(store: Store) -> None:
    read = account("alpha")
    await store.records.put_account(read, NOTED)
    await store.records.remove_account("alpha", NOTED)
    with pytest.raises(Overtaken):
        await store.records.put_account(replace(read, note="x"), NOTED, before=read)
    assert (await store.records.directory()).accounts == {}


async def test_a_full_record_is_as_it_was_read(store: Store) -> None:
    await store.records.put_account(account("alpha"), NOTED)
    full = replace(domain("d.example", "alpha"), destination=FULL_DESTINATION, policy=FULL_POLICY)
    await store.records.put_domain(full, NOTED)
    read = (await store.records.directory()).domains["d.example"]
    again = await store.records.put_domain(read, NOTED, before=read)
    assert again == read
