"""One person's data: exported row by row, and erased everywhere but in mail and records."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import pytest
from pydantic import SecretStr

from restante.admin import person_data
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.logins import NewLogin, add_login
from restante.admin.person_data import PORTAL, ErasureOrder, PersonLine, PersonOrder
from restante.admin.recipient_lists import RecipientChange, change_recipients
from restante.queue.history import HistoryFilter
from restante.store.person_store import PersonPlace
from restante.tenancy.audit import AuditAction
from restante.tenancy.grants import GrantedRole
from restante.tenancy.model import AuthorizedHosts
from restante.tenancy.portal_user import PortalPasskey, PortalUser
from restante.tenancy.record_change import Change
from restante.tenancy.scheduled_change import ChangeMaker, PartReplacement, ScheduledChange
from restante.tenancy.session_record import SessionRecord
from restante.tenancy.sign_in_factor import SignInFactor
from tests.admin.admin_world import AdminWorld, run
from tests.contract.making import NOTED

ANNA = "anna@alpha.example"


def on_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on an event loop."""

    @wraps(test)
    def on_its_loop(**given: Any) -> None:
        run(test(**given))

    return on_its_loop


async def furnished() -> tuple[AdminWorld, int]:
    """An admin world with a held message, history, a recipient and a login that name Anna."""
    admin = AdminWorld()
    domain_id = await admin.host("alpha.example", "alpha")
    await admin.hold(1, domain_id, ANNA, "bert@alpha.example")
    await admin.refuse(1, domain_id, "bert@alpha.example", f"550 ask {ANNA}")
    await change_recipients(admin.context, "alpha.example", RecipientChange(add=("anna", "bert")))
    return admin, domain_id


async def exported(admin: AdminWorld) -> list[PersonLine]:
    order = PersonOrder(address="Anna@Alpha.example", reason=f"asked by {ANNA}")
    return [line async for line in person_data.export_person(admin.context, order)]


async def erased(admin: AdminWorld, **given: Any) -> list[PersonLine]:
    order = ErasureOrder(**{"address": ANNA, "reason": f"asked by {ANNA}", **given})
    return [line async for line in person_data.erase_person(admin.context, order)]


@on_loop
async def test_an_export_has_each_place_and_an_entry_without_the_address() -> None:
    admin, _ = await furnished()

    lines = await exported(admin)

    rows = {line.place: line.facts for line in lines if line.facts is not None}
    assert {PersonPlace.HELD, PersonPlace.HISTORY, PersonPlace.RECIPIENTS} <= set(rows)
    assert rows[PersonPlace.HELD]["recipients"] == [ANNA, "bert@alpha.example"]
    assert rows[PersonPlace.RECIPIENTS]["domain"] == "alpha.example"
    assert lines[-1].elsewhere == person_data.ELSEWHERE
    [entry] = await admin.store.audit.audit(limit=1)
    assert entry.action is AuditAction.PERSON_EXPORTED
    assert (entry.subject, entry.reason) == ("a person", "asked by a person")


@on_loop
async def test_a_dry_run_counts_and_changes_nothing() -> None:
    admin, _ = await furnished()
    before = await exported(admin)

    counted = {
        line.place: line.found
        for line in await erased(admin, dry_run=True, reason="")
        if line.found
    }

    assert counted[PersonPlace.HISTORY] == 1
    assert counted[PersonPlace.RECIPIENTS] == 1
    after = await exported(admin)
    assert [line.facts for line in after if line.facts] == [
        line.facts for line in before if line.facts
    ]


@on_loop
async def test_an_erasure_leaves_a_mark_and_held_mail() -> None:
    admin, domain_id = await furnished()

    lines = await erased(admin)

    assert [line.left for line in lines if line.left] == ["1"]
    assert lines[-1].mark == "erased-1"
    assert admin.store.state.mail
    [entry] = await admin.store.history.history(HistoryFilter())
    assert entry.reply == "550 ask erased-1"
    left = await admin.store.recipients.recipients(domain_id, None, 10)
    assert [one.name for one in left] == ["bert"]
    [audit, *_] = trail = await admin.store.audit.audit()
    assert (audit.action, audit.subject) == (AuditAction.PERSON_ERASED, "erased-1")
    assert audit.reason == "asked by erased-1"
    assert ANNA not in repr(trail)


@on_loop
async def test_an_erasure_that_was_interrupted_goes_on_with_its_mark() -> None:
    admin, _ = await furnished()
    order = ErasureOrder(address=ANNA, reason="asked")
    first = person_data.erase_person(admin.context, order)
    async for line in first:
        if line.place == PersonPlace.RECIPIENTS:
            break
    assert await admin.store.persons.begin_erasure(ANNA) == "erased-1"

    lines = await erased(admin)

    assert lines[-1].mark == "erased-1"
    assert (await erased(admin))[-1].mark == "erased-2"


@on_loop
async def test_records_are_named_and_left() -> None:
    admin, _ = await furnished()
    await add_login(
        admin.context, "alpha", NewLogin(user=ANNA, password=SecretStr("a secret word"))
    )

    left = [line.left for line in await erased(admin) if line.place == "records"]

    assert left == [f"login {ANNA} of alpha"]
    assert ANNA in admin.context.directory.now.logins


@on_loop
async def test_long_tables_are_read_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person_data, "SLICE", 2)
    admin, _ = await furnished()

    looked = [x.looked_at for x in await erased(admin) if x.place == PersonPlace.AUDIT]

    assert looked == [2, 3]


@pytest.mark.parametrize("given", [{"address": "anna"}, {"reason": ""}], ids=["address", "reason"])
@on_loop
async def test_bad_input_is_refused(given: dict[str, str]) -> None:
    admin, _ = await furnished()
    with pytest.raises(AdminError) as caught:
        await erased(admin, **given)
    assert caught.value.kind in (ErrorKind.INVALID, ErrorKind.USAGE)
    assert admin.store.state.erasures == []


@on_loop
async def test_an_open_drain_and_a_waiting_change_are_named_and_left() -> None:
    admin, domain_id = await furnished()
    await admin.store.handover.open_drain(domain_id, 1.0, 60.0, requested_by=f"login {ANNA}")
    domain = admin.context.directory.now.domains["alpha.example"]
    hosts = PartReplacement(domain.authorized_hosts, AuthorizedHosts())
    maker = ChangeMaker(f"user {ANNA} (alpha)", "192.0.2.9", "", ANNA)
    change = ScheduledChange(
        *(0, domain_id, domain.name, "alpha", maker, 1.0, 2.0), authorized_hosts=hosts
    )
    [entry, *_] = await admin.store.audit.audit()
    await admin.store.schedule.schedule_change(change, entry)

    lines = await erased(admin)

    left = {(line.place, line.left) for line in lines if line.left is not None}
    assert {("open-drains", "alpha.example"), ("waiting-changes", "1")} <= left
    [waiting] = await admin.store.schedule.waiting_changes()
    assert waiting.maker == maker
    shown = {line.place: line.facts for line in await exported(admin) if line.facts is not None}
    assert (shown["open-drains"] or {})["domain"] == "alpha.example"


@on_loop
async def test_the_persons_own_sessions_and_passkeys_are_shown_and_the_sessions_end() -> None:
    admin, _ = await furnished()
    phone = PortalPasskey(b"credential", "Anna's phone", 1, 5.0)
    of_bert = PortalPasskey(b"other", f"the key of {ANNA}", 1, 5.0)
    roles = frozenset({GrantedRole.ACCOUNT_READER})
    for email, passkey in ((ANNA, phone), ("bert@alpha.example", of_bert)):
        user = PortalUser(email, "alpha", roles, "root", 1.0, passkeys=(passkey,))
        await admin.store.records.put_portal_user(user, NOTED)
        session = SessionRecord(
            email.encode().ljust(32)[:32],
            email,
            user.stamp,
            (SignInFactor.PASSWORD,),
            "192.0.2.7",
            "Firefox",
            *(6.0, 6.0, 7.0),
        )
        await admin.store.sessions.begin_session(session, 20)
    await admin.context.directory.refresh()

    shown = [line.facts for line in await exported(admin) if line.place == PORTAL]
    assert len(shown) == 2
    assert shown[0] is not None
    assert shown[1] is not None
    assert (shown[0]["address"], shown[0]["browser"]) == ("192.0.2.7", "Firefox")
    assert (shown[1]["name"], shown[1]["used_at"]) == ("Anna's phone", None)
    left = [line.left for line in await erased(admin, dry_run=True) if line.place == "records"]
    assert left == [f"portal user {ANNA} of alpha", "portal user bert@alpha.example of alpha"]
    assert await admin.store.sessions.sessions_of(ANNA)
    await erased(admin)
    assert not await admin.store.sessions.sessions_of(ANNA)
    assert await admin.store.sessions.sessions_of("bert@alpha.example")
    [entry, *_] = await admin.store.audit.audit()
    assert Change("portal", "1", "0") in entry.changes
