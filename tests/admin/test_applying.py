"""A configuration is checked whole, and applied in an order that works; twice is once."""

import asyncio

import pytest

from restante.admin import applying
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.apply_steps import PruneScope
from restante.admin.applying import apply_configuration
from restante.admin.configuration_entries import NotApplicable
from restante.admin.domain_change import DomainChange
from restante.admin.domains import change_domain
from restante.store.record_store import Absent
from restante.store.store_errors import StoreError
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.model import Account
from restante.tenancy.principal import account_login
from tests.admin.admin_world import AdminWorld
from tests.admin.configurations import (
    ACME,
    applied,
    apply,
    exported,
    fields_changed,
    lines,
    numbers,
    told,
)

ACME_LOGIN = account_login("acme-mail", "acme", "192.0.2.1")


def test_all_records_are_added_in_an_order_that_works() -> None:
    admin = AdminWorld()
    answer = apply(admin, reversed(ACME))
    assert told(answer) == [
        "add account acme",
        "add login acme-mail",
        "add domain acme.example",
        "change recipients acme.example",
        "add channel ops",
    ]
    assert numbers(answer) == (4, 1, 0, 0, 0)
    directory = admin.context.directory.now
    assert directory.accounts["acme"].note == "since 2019"
    assert directory.domains["acme.example"].destination.text == "192.0.2.7:25"


def test_a_second_application_changes_nothing_and_says_so() -> None:
    admin = AdminWorld()
    apply(admin, ACME)
    entries = asyncio.run(admin.store.audit.audit(limit=100))
    for prune in PruneScope:
        answer = apply(admin, ACME, prune)
        assert (told(answer), numbers(answer)) == ([], (0, 0, 0, 5, 0))
        assert answer[-1].summary is not None
        assert not answer[-1].summary.changed
    assert asyncio.run(admin.store.audit.audit(limit=100)) == entries


def test_a_dry_run_shows_the_same_and_changes_nothing() -> None:
    admin, other = AdminWorld(), AdminWorld()
    before = admin.context.directory.now
    answer = apply(admin, ACME, is_dry_run=True)
    assert admin.context.directory.now == before
    assert told(answer) == told(apply(other, ACME))
    assert answer[-1].summary is not None
    assert answer[-1].summary.is_dry_run


def test_a_changed_field_is_shown_with_both_values_and_is_in_the_trail() -> None:
    admin = AdminWorld()
    apply(admin, ACME)
    answer = apply(admin, [{**ACME[2], "retention": 86400, "allow": ["192.0.2.8"]}])
    assert fields_changed(answer) == [
        "authorized_hosts: 192.0.2.7 → 192.0.2.8",
        "policy.retention.seconds: none → 1d",
    ]
    [entry] = asyncio.run(admin.store.audit.audit(limit=1))
    assert (entry.action, entry.subject) == (AuditAction.DOMAIN_CHANGED, "acme.example")


def test_everything_wrong_is_told_with_its_place_and_nothing_is_changed() -> None:
    admin = AdminWorld()
    faulty = [
        {**ACME[0], "place": "x.toml:1"},
        {**ACME[2], "place": "x.toml:9", "destination": admin.context.network.hostname},
        {"thing": "login", "user": "one", "account": "gamma", "place": "x.toml:20"},
        {**ACME[3], "mail": "not an address", "place": "x.toml:30"},
        {**ACME[3], "place": "x.toml:40"},
    ]
    with pytest.raises(NotApplicable) as caught:
        apply(admin, faulty)
    first, *others = caught.value.problems
    assert first.startswith("x.toml:40: notice channel ops: is named twice, first at x.toml:30; ")
    assert others[0].startswith("x.toml:20: login one: account gamma: does not exist; ")
    assert others[1].startswith("x.toml:9: domain acme.example: destination ")
    assert others[2].startswith("x.toml:30: notice channel ops: ")
    assert admin.context.directory.now.accounts == {}


def test_a_domain_that_holds_mail_is_kept_and_all_else_is_done() -> None:
    admin = AdminWorld()
    apply(admin, ACME)

    async def hold() -> None:
        domain = admin.context.directory.now.domains["acme.example"]
        await admin.hold(1, domain.id, "x@acme.example")

    asyncio.run(hold())
    foreseen = apply(admin, [ACME[0]], PruneScope.RECORDS, is_dry_run=True)
    answer = apply(admin, [ACME[0]], PruneScope.RECORDS)
    for one in (foreseen, answer):
        assert told(one) == [
            "remove channel ops",
            "remove login acme-mail",
            "remove domain acme.example",
        ]
        assert numbers(one) == (0, 0, 2, 1, 1)
        [failure] = [line.failure for line in one if line.failure]
        assert failure.error == "domain acme.example: holds 1 message"
        assert failure.kind is ErrorKind.CONFLICT
    assert list(admin.context.directory.now.domains) == ["acme.example"]


def test_a_second_application_completes_one_that_failed_half_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin = AdminWorld()
    put_domain = admin.store.records.put_domain

    async def fail(*_: object, before: object = None) -> None:
        raise StoreError("the disk is full; make room")

    monkeypatch.setattr(admin.store.records, "put_domain", fail)
    answer = apply(admin, ACME)
    assert numbers(answer) == (2, 0, 0, 0, 3)
    first, *others = [line.failure for line in answer if line.failure]
    assert (first.error, first.remedy) == ("store: the disk is full", "make room")
    assert {one.error for one in others} == {"not tried: the store failed"}
    monkeypatch.setattr(admin.store.records, "put_domain", put_domain)
    assert numbers(apply(admin, ACME)) == (2, 1, 0, 2, 0)
    assert numbers(apply(admin, ACME)) == (0, 0, 0, 5, 0)


def test_two_applications_at_once_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = AdminWorld()

    async def story() -> None:
        first, second = await asyncio.gather(
            applied(admin.context, ACME), applied(admin.context, ACME)
        )
        assert {numbers(first), numbers(second)} == {(4, 1, 0, 0, 0), (0, 0, 0, 5, 0)}
        monkeypatch.setattr(applying, "TURN_SECONDS", 0.0)
        async with admin.context.memory.applying:
            with pytest.raises(AdminError) as caught:
                await applied(admin.context, ACME)
        assert caught.value.kind is ErrorKind.TRY_LATER

    asyncio.run(story())


def test_an_application_that_is_abandoned_lets_the_next_begin() -> None:
    admin = AdminWorld()

    async def story() -> None:
        answer = apply_configuration(admin.context, lines(ACME))
        await anext(answer)
        await answer.aclose()
        assert not admin.context.memory.applying.locked()
        assert numbers(await applied(admin.context, ACME))[3] > 0

    asyncio.run(story())


def test_the_next_application_waits_for_steps_that_an_abandoned_one_has_begun() -> None:
    admin = AdminWorld()
    put_account = admin.store.records.put_account
    has_begun, may_go = asyncio.Event(), asyncio.Event()

    async def slowly(
        account: Account, audit: AuditEntry, before: Account | Absent | None = None
    ) -> None:
        has_begun.set()
        await may_go.wait()
        await put_account(account, audit, before)

    admin.store.records.put_account = slowly  # type: ignore[method-assign]

    async def story() -> None:
        abandoned = asyncio.create_task(applied(admin.context, ACME))
        await has_begun.wait()
        abandoned.cancel()
        await asyncio.wait([abandoned])
        assert admin.context.memory.applying.locked()
        second = asyncio.create_task(applied(admin.context, ACME))
        await asyncio.sleep(0)
        may_go.set()
        assert numbers(await second) == (3, 1, 0, 1, 0)
        assert not admin.context.memory.applying.locked()

    asyncio.run(story())


def test_a_record_that_somebody_changes_meanwhile_is_not_overwritten() -> None:
    admin = AdminWorld()
    apply(admin, ACME)

    async def story() -> None:
        wanted = [{**ACME[0], "note": "new"}, {**ACME[2], "connections": 2}]
        answer = apply_configuration(admin.context, lines(wanted))
        await anext(answer)  # the first step is done, the others are planned
        await change_domain(admin.context, "acme.example", DomainChange(per_minute=9))
        rest = [line async for line in answer]
        [failure] = [line.failure for line in rest if line.failure]
        assert failure.error == "domain acme.example: was changed by somebody else meanwhile"
        assert numbers(rest) == (0, 1, 0, 1, 1)
        destination = admin.context.directory.now.domains["acme.example"].destination
        assert (destination.connections, destination.per_minute) == (20, 9)

    asyncio.run(story())


def test_an_account_may_apply_what_it_may_change() -> None:
    admin = AdminWorld()
    apply(admin, ACME)
    context = admin.context.acting(ACME_LOGIN)

    async def story() -> None:
        own = await exported(context)
        assert "note" not in own[0]
        assert numbers(await applied(context, own, PruneScope.RECORDS)) == (0, 0, 0, 5, 0)
        for entry in own:
            if entry["thing"] == "domain":
                entry["hold"] = "relay"
        assert numbers(await applied(context, own)) == (0, 1, 0, 4, 0)
        for entry in own:
            if entry["thing"] == "domain":
                entry["destination"] = "192.0.2.9:25"
        with pytest.raises(NotApplicable) as caught:
            await applied(context, own)
        assert caught.value.kind is ErrorKind.NOT_ALLOWED

    asyncio.run(story())
