"""Changes that wait: an account lists and cancels them, and only operators apply them early."""

import pytest

from restante.admin import accounts, domains
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.tokens import NewToken, add_token
from restante.admin.waiting_changes import apply_change, cancel_change, list_changes
from restante.telemetry.events import ChangeEnded
from restante.tenancy.audit import AuditAction
from restante.tenancy.grants import GrantedRole
from tests.admin.admin_world import run
from tests.admin.change_scene import DELAY, NEW_HOST, ChangeScene


async def numbers(context: AdminContext, **wanted: object) -> list[int]:
    return [one.id for one in await list_changes(context, **wanted)]  # type: ignore[arg-type]


def test_they_are_listed_for_those_who_may_see_the_domain() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        await scene.admin.host("beta.example", "beta")
        await scene.ask(destination=NEW_HOST)
        await scene.ask(add_allow=("198.51.100.9",))
        beta = await add_token(
            scene.operator, NewToken(name="b", account="beta", role=GrantedRole.ACCOUNT_ADMIN)
        )
        assert await numbers(scene.operator) == await numbers(scene.alpha) == [1, 2]
        assert await numbers(scene.operator, domain="alpha.example", account="alpha") == [1, 2]
        assert await numbers(scene.operator, account="beta") == []
        assert await numbers(scene.operator, domain="beta.example") == []
        assert await numbers(scene.operator, after=1) == [2]
        assert await numbers(scene.acting(beta.id)) == []
        with pytest.raises(AdminError) as caught:
            await numbers(scene.acting(beta.id), domain="alpha.example")
        assert caught.value.kind is ErrorKind.NOT_FOUND

    run(story())


def test_more_than_a_page_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        await scene.ask(destination=NEW_HOST)
        await scene.ask(add_allow=("198.51.100.9",))
        monkeypatch.setattr("restante.admin.waiting_changes.PAGE", 1)
        read = scene.admin.store.schedule.waiting_changes
        monkeypatch.setattr(
            scene.admin.store.schedule,
            "waiting_changes",
            lambda domain_id, after: read(domain_id=domain_id, after=after, limit=1),
        )
        assert await numbers(scene.operator, limit=2) == [1, 2]
        assert await numbers(scene.operator, limit=1) == [1]

    run(story())


def test_any_administrator_of_the_account_cancels_it() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        await scene.ask(destination=NEW_HOST)
        other = await add_token(
            scene.operator, NewToken(name="other", account="alpha", role=GrantedRole.ACCOUNT_ADMIN)
        )
        before = scene.domain
        cancelled = await cancel_change(scene.acting(other.id, "not ours"), 1)
        assert cancelled.domain == "alpha.example"
        scene.now += DELAY
        await scene.keeper.take_round()
        assert scene.domain == before
        [ended] = scene.events(ChangeEnded)
        assert (ended["end"], ended["reason"]) == (
            "cancelled",
            "Cancelled by token other (alpha). not ours",
        )
        entries = {one.action: one for one in await scene.trail()}
        assert entries[AuditAction.CHANGE_CANCELLED].actor == "token other (alpha)"
        assert entries[AuditAction.CHANGE_CANCELLED].reason == "not ours"
        assert (
            entries[AuditAction.CHANGE_CANCELLED].changes
            == entries[AuditAction.CHANGE_SCHEDULED].changes
        )

    run(story())


def test_it_ends_once() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        await scene.ask(destination=NEW_HOST)
        await cancel_change(scene.operator, 1)
        for again in (cancel_change, apply_change):
            with pytest.raises(AdminError) as caught:
                await again(scene.operator, 1)
            assert caught.value.kind is ErrorKind.NOT_FOUND
        assert len(scene.events(ChangeEnded)) == 1

    run(story())


def test_an_operator_applies_it_early_and_no_account_does() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        await scene.ask(destination=NEW_HOST)
        with pytest.raises(AdminError) as caught:
            await apply_change(scene.alpha, 1)
        assert caught.value.kind is ErrorKind.NOT_ALLOWED
        await scene.decide(change_lock=True)  # it binds the account, not the operator
        await apply_change(scene.operator, 1)
        assert scene.domain.destination.host == NEW_HOST
        assert scene.domain.destination.set_by == "alpha"
        [ended] = scene.events(ChangeEnded)
        assert (ended["end"], ended["reason"]) == ("applied", "Applied early by operator.")
        applied = next(one for one in await scene.trail() if one.action == "change-applied")
        assert applied.actor == "operator"

    run(story())


def test_a_change_that_does_not_fit_is_not_applied_early() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        await scene.ask(destination=NEW_HOST)
        await scene.decide(destination="203.0.113.5")
        with pytest.raises(AdminError) as caught:
            await apply_change(scene.operator, 1)
        assert caught.value.kind is ErrorKind.CONFLICT
        assert "the destination was changed meanwhile" in caught.value.error
        assert len(await scene.waiting()) == 1

    run(story())


def test_a_new_account_of_that_name_does_not_see_it() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        await scene.ask(destination=NEW_HOST)
        await domains.remove_domain(scene.operator, "alpha.example", "left")
        await accounts.remove_account(scene.operator, "alpha", "left")
        scene.now += 1
        await accounts.add_account(scene.operator, accounts.NewAccount(name="alpha"))
        new = NewToken(name="new", account="alpha", role=GrantedRole.ACCOUNT_ADMIN)
        added = await add_token(scene.operator, new)
        assert await numbers(scene.acting(added.id)) == []
        assert await numbers(scene.operator) == [1]
        with pytest.raises(AdminError):
            await cancel_change(scene.acting(added.id), 1)

    run(story())
