"""One person's data: exported row by row, and erased everywhere but in mail and records."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import pytest
from pydantic import SecretStr

from restante.admin import person_data
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.logins import NewLogin, add_login
from restante.admin.person_data import ErasureOrder, PersonLine, PersonOrder
from restante.admin.recipient_lists import RecipientChange, change_recipients
from restante.queue.history import HistoryFilter
from restante.store.person_store import PersonPlace
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import AuthorizedHosts
from restante.tenancy.scheduled_change import ChangeMaker, Replacement, ScheduledChange
from tests.admin.desk import Desk, run

ANNA = "anna@alpha.example"


def on_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on an event loop."""

    @wraps(test)
    def on_its_loop(**given: Any) -> None:
        run(test(**given))

    return on_its_loop


async def furnished() -> tuple[Desk, int]:
    """A desk with a held message, history, a recipient and a login that name Anna."""
    desk = Desk()
    domain_id = await desk.host("alpha.example", "alpha")
    await desk.hold(1, domain_id, ANNA, "bert@alpha.example")
    await desk.refuse(1, domain_id, "bert@alpha.example", f"550 ask {ANNA}")
    await change_recipients(desk.context, "alpha.example", RecipientChange(add=("anna", "bert")))
    return desk, domain_id


async def exported(desk: Desk) -> list[PersonLine]:
    order = PersonOrder(address="Anna@Alpha.example", reason=f"asked by {ANNA}")
    return [line async for line in person_data.export_person(desk.context, order)]


async def erased(desk: Desk, **given: Any) -> list[PersonLine]:
    order = ErasureOrder(**{"address": ANNA, "reason": f"asked by {ANNA}", **given})
    return [line async for line in person_data.erase_person(desk.context, order)]


@on_loop
async def test_an_export_has_each_place_and_an_entry_without_the_address() -> None:
    desk, _ = await furnished()

    lines = await exported(desk)

    rows = {line.place: line.facts for line in lines if line.facts is not None}
    assert {PersonPlace.HELD, PersonPlace.HISTORY, PersonPlace.RECIPIENTS} <= set(rows)
    assert rows[PersonPlace.HELD]["recipients"] == [ANNA, "bert@alpha.example"]
    assert rows[PersonPlace.RECIPIENTS]["domain"] == "alpha.example"
    assert lines[-1].elsewhere == person_data.ELSEWHERE
    [entry] = await desk.store.audit.audit(limit=1)
    assert entry.action is AuditAction.PERSON_EXPORTED
    assert (entry.subject, entry.reason) == ("a person", "asked by a person")


@on_loop
async def test_a_dry_run_counts_and_changes_nothing() -> None:
    desk, _ = await furnished()
    before = await exported(desk)

    counted = {line.place: line.found for line in await erased(desk, dry_run=True) if line.found}

    assert counted[PersonPlace.HISTORY] == 1
    assert counted[PersonPlace.RECIPIENTS] == 1
    after = await exported(desk)
    assert [line.facts for line in after if line.facts] == [
        line.facts for line in before if line.facts
    ]


@on_loop
async def test_an_erasure_leaves_a_mark_and_held_mail() -> None:
    desk, domain_id = await furnished()

    lines = await erased(desk)

    assert [line.left for line in lines if line.left] == ["1"]
    assert lines[-1].mark == "erased-1"
    assert desk.store.state.mail
    [entry] = await desk.store.history.history(HistoryFilter())
    assert entry.reply == "550 ask erased-1"
    left = await desk.store.recipients.recipients(domain_id, None, 10)
    assert [one.name for one in left] == ["bert"]
    [audit, *_] = trail = await desk.store.audit.audit()
    assert (audit.action, audit.subject) == (AuditAction.PERSON_ERASED, "erased-1")
    assert audit.reason == "asked by erased-1"
    assert ANNA not in repr(trail)


@on_loop
async def test_an_erasure_that_was_interrupted_goes_on_with_its_mark() -> None:
    desk, _ = await furnished()
    order = ErasureOrder(address=ANNA, reason="asked")
    first = person_data.erase_person(desk.context, order)
    async for line in first:
        if line.place == PersonPlace.RECIPIENTS:
            break
    assert await desk.store.persons.begin_erasure(ANNA) == "erased-1"

    lines = await erased(desk)

    assert lines[-1].mark == "erased-1"
    assert (await erased(desk))[-1].mark == "erased-2"


@on_loop
async def test_records_are_named_and_left() -> None:
    desk, _ = await furnished()
    await add_login(desk.context, "alpha", NewLogin(user=ANNA, password=SecretStr("a secret word")))

    left = [line.left for line in await erased(desk) if line.place == "records"]

    assert left == [f"login {ANNA} of alpha"]
    assert ANNA in desk.context.directory.now.logins


@on_loop
async def test_long_tables_are_read_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person_data, "SLICE", 2)
    desk, _ = await furnished()

    looked = [x.looked_at for x in await erased(desk) if x.place == PersonPlace.AUDIT]

    assert looked == [2, 3]


@pytest.mark.parametrize("given", [{"address": "anna"}, {"reason": ""}], ids=["address", "reason"])
@on_loop
async def test_bad_input_is_refused(given: dict[str, str]) -> None:
    desk, _ = await furnished()
    with pytest.raises(AdminError) as caught:
        await erased(desk, **given)
    assert caught.value.kind in (ErrorKind.INVALID, ErrorKind.USAGE)
    assert desk.store.state.erasures == []


@on_loop
async def test_an_open_drain_and_a_waiting_change_are_named_and_left() -> None:
    desk, domain_id = await furnished()
    await desk.store.handover.open_drain(domain_id, 1.0, 60.0, requested_by=f"login {ANNA}")
    domain = desk.context.directory.now.domains["alpha.example"]
    hosts = Replacement(domain.authorized_hosts, AuthorizedHosts())
    maker = ChangeMaker(f"user {ANNA} (alpha)", "192.0.2.9", "", ANNA)
    change = ScheduledChange(
        *(0, domain_id, domain.name, "alpha", maker, 1.0, 2.0), authorized_hosts=hosts
    )
    [entry, *_] = await desk.store.audit.audit()
    await desk.store.schedule.schedule_change(change, entry)

    lines = await erased(desk)

    left = {(line.place, line.left) for line in lines if line.left is not None}
    assert {("open drains", "alpha.example"), ("waiting changes", "1")} <= left
    [waiting] = await desk.store.schedule.waiting_changes()
    assert waiting.maker == maker
    shown = {line.place: line.facts for line in await exported(desk) if line.facts is not None}
    assert (shown["open drains"] or {})["domain"] == "alpha.example"
