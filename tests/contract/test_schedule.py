"""Changes that wait: kept as they were made, and ended once, together with the record's change."""

from dataclasses import replace

import pytest

from restante.store.interface import Store
from restante.store.store_errors import Conflict
from restante.tenancy.audit import EVERY_ENTRY, AuditAction, AuditEntry
from restante.tenancy.model import (
    Destination,
    DestinationLogin,
    HostedDomain,
    TlsUse,
    parse_authorized_hosts,
)
from restante.tenancy.scheduled_change import ChangeMaker, PartReplacement, ScheduledChange
from tests.contract.making import NOTED, account, domain

MAKER = ChangeMaker("token ci (alpha) — ünïcode", "192.0.2.9", "k3v9x0q2ma", "")
WANTED = Destination(
    "mail2.example", 2525, TlsUse.REQUIRED, login=DestinationLogin("mx", b"\0\xff"), set_by="alpha"
)
SCHEDULED = AuditEntry(5.0, AuditAction.CHANGE_SCHEDULED, MAKER.name, "alpha.example", "alpha")
ENDED = replace(SCHEDULED, at=9.0, action=AuditAction.CHANGE_APPLIED)


async def hosted(store: Store) -> HostedDomain:
    await store.records.put_account(account(), NOTED)
    return await store.records.put_domain(domain(), NOTED)


def change_of(present: HostedDomain) -> ScheduledChange:
    return ScheduledChange(
        0,
        present.id,
        present.name,
        present.account,
        MAKER,
        5.25,
        3605.25,
        PartReplacement(present.destination, WANTED),
        PartReplacement(
            present.authorized_hosts, parse_authorized_hosts(["192.0.2.1", "mx.example"])
        ),
        "a new server",
    )


async def actions(store: Store) -> list[AuditAction]:
    page = await store.audit.audit_page(EVERY_ENTRY, 100, None)
    return [entry.action for entry in page.entries if entry.at >= SCHEDULED.at]


async def test_nothing_waits_at_first(store: Store) -> None:
    assert list(await store.schedule.waiting_changes()) == []


async def test_a_change_comes_back_as_it_was(store: Store) -> None:
    change = change_of(await hosted(store))
    kept = await store.schedule.schedule_change(change, SCHEDULED)
    assert kept == replace(change, id=kept.id)
    assert kept.id > 0
    assert list(await store.schedule.waiting_changes()) == [kept]
    assert await actions(store) == [AuditAction.CHANGE_SCHEDULED]


async def test_the_record_is_as_it_was_until_then(store: Store) -> None:
    present = await hosted(store)
    before = await store.records.directory()
    await store.schedule.schedule_change(change_of(present), SCHEDULED)
    assert await store.records.directory() == before


async def test_destinations_are_kept_as_they_are_sealed_again(store: Store) -> None:
    change = change_of(await hosted(store))
    kept = await store.schedule.schedule_change(change, SCHEDULED)
    before = await store.records.directory()
    again = replace(WANTED, login=DestinationLogin("mx", b"another seal"))
    renewed = replace(kept, destination=PartReplacement(again, WANTED))
    await store.schedule.replace_seals(renewed)
    await store.schedule.replace_seals(replace(renewed, id=kept.id + 1))
    assert list(await store.schedule.waiting_changes()) == [renewed]
    assert await store.records.directory() == before


async def test_one_part_alone_can_change(store: Store) -> None:
    change = change_of(await hosted(store))
    place = await store.schedule.schedule_change(replace(change, authorized_hosts=None), SCHEDULED)
    hosts = await store.schedule.schedule_change(replace(change, destination=None), SCHEDULED)
    assert list(await store.schedule.waiting_changes()) == [place, hosts]


@pytest.mark.parametrize("without", ["", "destination", "authorized_hosts"])
async def test_a_second_change_of_a_part_is_a_conflict(store: Store, without: str) -> None:
    change = change_of(await hosted(store))
    kept = await store.schedule.schedule_change(change, SCHEDULED)
    second = replace(change, **{without: None}) if without else change  # type: ignore[arg-type]
    with pytest.raises(Conflict):
        await store.schedule.schedule_change(second, SCHEDULED)
    assert list(await store.schedule.waiting_changes()) == [kept]
    assert await actions(store) == [AuditAction.CHANGE_SCHEDULED]


async def test_another_domain_has_its_own(store: Store) -> None:
    one = await hosted(store)
    other = await store.records.put_domain(domain("two.example"), NOTED)
    await store.schedule.schedule_change(change_of(one), SCHEDULED)
    await store.schedule.schedule_change(change_of(other), SCHEDULED)
    waiting = await store.schedule.waiting_changes()
    assert [change.domain_id for change in waiting] == [one.id, other.id]
    assert list(await store.schedule.waiting_changes(domain_id=other.id)) == [waiting[1]]
    assert list(await store.schedule.waiting_changes(limit=1)) == [waiting[0]]
    assert list(await store.schedule.waiting_changes(after=waiting[0].id)) == [waiting[1]]
    of_none = await store.schedule.waiting_changes(domain_id=one.id, after=waiting[0].id)
    assert list(of_none) == []


async def test_a_domain_that_is_not_hosted_has_none(store: Store) -> None:
    change = replace(change_of(await hosted(store)), domain_id=99)
    with pytest.raises(Conflict):
        await store.schedule.schedule_change(change, SCHEDULED)


async def test_an_announcement_is_noted(store: Store) -> None:
    kept = await store.schedule.schedule_change(change_of(await hosted(store)), SCHEDULED)
    await store.schedule.note_announced([kept.id, 99])
    [waiting] = await store.schedule.waiting_changes()
    assert waiting == replace(kept, is_announced=True)


async def test_it_is_postponed(store: Store) -> None:
    kept = await store.schedule.schedule_change(change_of(await hosted(store)), SCHEDULED)
    await store.schedule.postpone_change(kept.id, kept.applies_at + 60)
    await store.schedule.postpone_change(99, 0.0)
    [waiting] = await store.schedule.waiting_changes()
    assert waiting == replace(kept, applies_at=kept.applies_at + 60)


async def test_it_is_dropped_once(store: Store) -> None:
    present = await hosted(store)
    kept = await store.schedule.schedule_change(change_of(present), SCHEDULED)
    assert await store.schedule.drop_change(kept.id, ENDED)
    assert not await store.schedule.drop_change(kept.id, ENDED)
    assert list(await store.schedule.waiting_changes()) == []
    assert (await store.records.directory()).domain_by_id(present.id) == present
    assert sorted(await actions(store)) == [ENDED.action, SCHEDULED.action]


async def test_an_id_is_not_used_again(store: Store) -> None:
    change = change_of(await hosted(store))
    first = await store.schedule.schedule_change(change, SCHEDULED)
    await store.schedule.drop_change(first.id, ENDED)
    second = await store.schedule.schedule_change(change, SCHEDULED)
    assert second.id > first.id


async def test_it_is_applied_once_with_the_record(store: Store) -> None:
    present = await hosted(store)
    kept = await store.schedule.schedule_change(change_of(present), SCHEDULED)
    before = (await store.records.directory()).change_number
    wanted = replace(present, destination=WANTED)
    assert await store.schedule.apply_change(kept.id, present, wanted, ENDED)
    assert not await store.schedule.apply_change(kept.id, wanted, present, ENDED)
    assert list(await store.schedule.waiting_changes()) == []
    directory = await store.records.directory()
    assert directory.domain_by_id(present.id) == wanted
    assert directory.change_number == before + 1
    assert sorted(await actions(store)) == [ENDED.action, SCHEDULED.action]


async def test_a_dropped_one_changes_no_record(store: Store) -> None:
    present = await hosted(store)
    kept = await store.schedule.schedule_change(change_of(present), SCHEDULED)
    await store.schedule.drop_change(kept.id, ENDED)
    wanted = replace(present, destination=WANTED)
    assert not await store.schedule.apply_change(kept.id, present, wanted, ENDED)
    assert (await store.records.directory()).domain_by_id(present.id) == present


async def test_a_record_that_changed_meanwhile_is_a_conflict(store: Store) -> None:
    present = await hosted(store)
    kept = await store.schedule.schedule_change(change_of(present), SCHEDULED)
    now = replace(present, destination=replace(present.destination, connections=3))
    await store.records.put_domain(now, NOTED)
    with pytest.raises(Conflict):
        await store.schedule.apply_change(
            kept.id, present, replace(present, destination=WANTED), ENDED
        )
    assert list(await store.schedule.waiting_changes()) == [kept]
    assert (await store.records.directory()).domain_by_id(present.id) == now


async def test_a_change_of_a_removed_domain_waits_to_be_dropped(store: Store) -> None:
    present = await hosted(store)
    kept = await store.schedule.schedule_change(change_of(present), SCHEDULED)
    await store.records.remove_domain(present.id, NOTED)
    with pytest.raises(Conflict):
        await store.schedule.apply_change(kept.id, present, present, ENDED)
    assert list(await store.schedule.waiting_changes()) == [kept]
