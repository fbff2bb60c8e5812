import asyncio

import pytest

from restante.admin.accounts import (
    AccountChange,
    NewAccount,
    add_account,
    change_account,
    remove_account,
    show_account,
)
from restante.admin.admin_error import AdminError, ErrorKind
from restante.telemetry.events import RecordChanged
from tests.admin.admin_world import AdminWorld, run


def test_an_account_is_added_shown_changed_and_removed() -> None:
    async def story(admin: AdminWorld) -> None:
        added = await add_account(admin.context, NewAccount(name="alpha", note="first"))
        assert (added.name, added.note, added.empty_reply, added.domains) == (
            "alpha",
            "first",
            251,
            0,
        )
        await change_account(admin.context, "alpha", AccountChange(empty_reply=250))
        assert show_account(admin.context, "alpha").empty_reply == 250
        assert show_account(admin.context, "alpha").note == "first"
        await remove_account(admin.context, "alpha", "left")
        assert not admin.context.directory.now.accounts

    run(story(AdminWorld()))


@pytest.mark.parametrize(
    "name", ["", "Alpha", "al pha", "älpha", "a" * 65, "a/b", "#a", "a\n", ".", ".."]
)
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(AdminError) as caught:
        run(add_account(AdminWorld().context, NewAccount(name=name)))
    assert caught.value.kind is ErrorKind.INVALID
    assert "a-z 0-9" in caught.value.remedy


def test_a_second_account_of_one_name_is_refused() -> None:
    async def story(admin: AdminWorld) -> None:
        await add_account(admin.context, NewAccount(name="alpha", note="old"))
        await add_account(admin.context, NewAccount(name="alpha", note="new"))

    with pytest.raises(AdminError, match="note is old, not new") as caught:
        run(story(AdminWorld()))
    assert caught.value.kind is ErrorKind.EXISTS
    assert caught.value.remedy == "change it by `restante account set alpha`"


def test_a_second_account_with_the_same_values_changes_nothing() -> None:
    async def story(admin: AdminWorld) -> None:
        new = NewAccount(name="alpha", note="customer")
        assert (await add_account(admin.context, new)).changes
        await change_account(admin.context, "alpha", AccountChange(quota=1))
        again = await add_account(admin.context, new)
        assert (again.changes, again.quota) == ([], 1)

    run(story(AdminWorld()))


def test_of_two_additions_at_once_one_is_refused() -> None:
    async def story(admin: AdminWorld) -> None:
        wanted = [NewAccount(name="alpha", note=f"note {number}") for number in range(2)]
        additions = (add_account(admin.context, new) for new in wanted)
        results = await asyncio.gather(*additions, return_exceptions=True)
        [refused] = [one for one in results if isinstance(one, AdminError)]
        [added] = [one for one in results if not isinstance(one, BaseException)]
        assert refused.kind is ErrorKind.EXISTS
        assert admin.context.directory.now.accounts["alpha"].note == added.note

    run(story(AdminWorld()))


def test_an_account_with_domains_stays() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        await remove_account(admin.context, "alpha", "left")

    with pytest.raises(
        AdminError, match="1 domain, 0 logins and 0 notice channels; remove them first"
    ) as caught:
        run(story(AdminWorld()))
    assert caught.value.kind is ErrorKind.CONFLICT


def test_removing_takes_a_reason_and_leaves_it_in_the_trail() -> None:
    async def story(admin: AdminWorld) -> None:
        await add_account(admin.context, NewAccount(name="alpha"))
        with pytest.raises(AdminError) as caught:
            await remove_account(admin.context, "alpha", " ")
        assert caught.value.kind is ErrorKind.USAGE
        await remove_account(admin.context, "alpha", "left us")
        newest = (await admin.store.audit.audit())[0]
        assert (newest.action, newest.actor, newest.subject) == (
            "account-removed",
            "operator",
            "alpha",
        )
        assert (newest.acted_from, newest.reason) == ("control socket", "left us")
        assert admin.log.lines[-1][0] is RecordChanged

    run(story(AdminWorld()))


def test_an_account_shows_what_its_domains_hold_together() -> None:
    async def story(admin: AdminWorld) -> None:
        one, two = (
            await admin.host("alpha.example", "alpha"),
            await admin.host("beta.example", "alpha"),
        )
        await admin.hold(1, one, "x@alpha.example")
        await admin.hold(2, two, "x@beta.example")
        view = await change_account(
            admin.context, "alpha", AccountChange(quota=100, quota_messages=3)
        )
        assert (view.messages, view.quota, view.quota_messages) == (2, 100, 3)
        assert view.octets > 0
        taken_away = await change_account(admin.context, "alpha", AccountChange(quota=0))
        assert (taken_away.quota, taken_away.quota_messages) == (None, 3)

    run(story(AdminWorld()))
