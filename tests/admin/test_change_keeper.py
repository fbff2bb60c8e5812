"""A change is announced first, applied once its time has come, and dropped if it is wrong then."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from restante.admin import accounts, domains, portal_users, tokens
from restante.admin.change_keeper import LONGEST_PAUSE, ChangeKeeper
from restante.admin.change_scheduling import time_text
from restante.admin.tokens import NewToken
from restante.store.store_errors import StoreError
from restante.telemetry.events import ChangeEnded, ChangeScheduled, RecordChanged
from restante.tenancy.audit import AuditAction
from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.portal_user import user_principal
from restante.tenancy.record_change import Change
from tests.admin.admin_world import run
from tests.admin.change_scene import DELAY, NEW_HOST, ChangeScene


async def asked() -> ChangeScene:
    scene = await ChangeScene().open()
    await scene.ask(destination=NEW_HOST, add_allow=("198.51.100.9",))
    return scene


async def announced() -> ChangeScene:
    scene = await asked()
    await scene.keeper.take_round()
    return scene


def test_it_is_announced_before_anything_else() -> None:
    async def story() -> None:
        scene = await asked()
        assert scene.events(ChangeScheduled) == []
        assert await scene.keeper.take_round() == LONGEST_PAUSE
        [event] = scene.events(ChangeScheduled)
        assert event["account"] == "alpha"
        assert event["actor"] == "token ci (alpha)"
        assert event["changes"][0] == f"destination.host: mail.alpha.example → {NEW_HOST}"
        [change] = await scene.waiting()
        assert (change.is_announced, scene.told) == (True, 1)
        await scene.keeper.take_round()
        assert len(scene.events(ChangeScheduled)) == 1

    run(story())


def test_it_waits_for_its_time_and_is_applied_once() -> None:
    async def story() -> None:
        scene = await asked()
        await scene.keeper.take_round()
        scene.now += DELAY - 1
        assert await scene.keeper.take_round() == 1.0
        assert scene.domain.destination.host == "mail.alpha.example"
        scene.now += 1
        await scene.keeper.take_round()
        await scene.keeper.take_round()
        assert scene.domain.destination.host == NEW_HOST
        assert scene.domain.authorized_hosts.texts == ("192.0.2.1", "198.51.100.9")
        assert list(await scene.waiting()) == []
        [ended] = scene.events(ChangeEnded)
        assert (ended["end"], ended["account"]) == ("applied", "alpha")
        [first, second] = await scene.trail()
        assert {first.action, second.action} == {
            AuditAction.CHANGE_SCHEDULED,
            AuditAction.CHANGE_APPLIED,
        }
        applied = next(one for one in (first, second) if one.action == AuditAction.CHANGE_APPLIED)
        assert applied.actor == "policy scheduled-changes"
        assert "asked for by token ci (alpha)" in applied.reason
        assert Change("destination.host", "mail.alpha.example", NEW_HOST) in applied.changes

    run(story())


def test_a_late_announcement_gives_the_account_the_whole_delay() -> None:
    async def story() -> None:
        scene = await asked()  # and the server ends before it tells
        scene.now += 2 * DELAY
        await scene.keeper.take_round()
        [told] = scene.events(ChangeScheduled)
        assert told["ends"] == time_text(scene.now + DELAY)
        scene.now += DELAY - 1
        await scene.keeper.take_round()
        assert scene.domain.destination.host == "mail.alpha.example"
        scene.now += 1
        await scene.keeper.take_round()
        assert scene.domain.destination.host == NEW_HOST
        assert len(scene.events(ChangeScheduled)) == 1

    run(story())


def test_an_announcement_that_is_not_stored_is_made_again() -> None:
    async def story() -> None:
        scene = await asked()

        async def fail() -> None:
            raise StoreError

        keeper = ChangeKeeper(scene.operator, scene.admin.log, fail)
        with pytest.raises(StoreError):
            await keeper.take_round()
        assert scene.domain.destination.host == "mail.alpha.example"
        await scene.keeper.take_round()
        assert len(scene.events(ChangeScheduled)) == 2
        scene.now += DELAY
        await scene.keeper.take_round()
        assert scene.domain.destination.host == NEW_HOST

    run(story())


def test_two_keepers_apply_it_once() -> None:
    async def story() -> None:
        scene = await announced()
        other = ChangeKeeper(scene.operator, scene.admin.log, scene._until_told)
        scene.now += DELAY
        await asyncio.gather(scene.keeper.take_round(), other.take_round())
        assert len(scene.events(ChangeEnded)) == 1
        assert len(await scene.trail()) == 2

    run(story())


async def revoke(scene: ChangeScene) -> None:
    await tokens.revoke_token(scene.operator, scene.token, "stolen")


async def move(scene: ChangeScene) -> None:
    await accounts.add_account(scene.operator, accounts.NewAccount(name="beta"))
    await scene.decide(account="beta")


async def remove(scene: ChangeScene) -> None:
    await domains.remove_domain(scene.operator, "alpha.example", "left")


async def add_again(scene: ChangeScene) -> None:
    await remove(scene)
    await scene.admin.host("alpha.example", "alpha")


async def turn_inside(scene: ChangeScene) -> None:
    scene.admin.resolver.known[NEW_HOST] = ["10.0.0.1"]


async def turn_to_us(scene: ChangeScene) -> None:
    scene.admin.resolver.known[NEW_HOST] = ["127.0.0.1", "9.9.9.10"]


async def lock_domain(scene: ChangeScene) -> None:
    await scene.decide(change_lock=True)


async def lock_account(scene: ChangeScene) -> None:
    await accounts.change_account(scene.operator, "alpha", accounts.AccountChange(change_lock=True))


async def redirect(scene: ChangeScene) -> None:
    await scene.decide(destination="203.0.113.5")


async def authorize(scene: ChangeScene) -> None:
    await scene.decide(allow=("203.0.113.5",))


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (revoke, "token ci (alpha) does not have the right any more"),
        (move, "the domain has moved to another account"),
        (remove, "the domain was removed"),
        (add_again, "the domain was removed"),
        (turn_inside, f"destination {NEW_HOST}: has no public address"),
        (lock_domain, "an operator has locked this domain"),
        (lock_account, "an operator has locked the domains of this account"),
        (redirect, "the destination was changed meanwhile"),
        (authorize, "the authorized hosts were changed meanwhile"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_change_that_is_wrong_by_then_is_dropped(
    meanwhile: Callable[[ChangeScene], Awaitable[None]], why: str
) -> None:
    async def story() -> None:
        scene = await announced()
        await meanwhile(scene)
        before = scene.operator.directory.now.domains
        scene.now += DELAY
        await scene.keeper.take_round()
        assert scene.operator.directory.now.domains == before
        assert list(await scene.waiting()) == []
        [ended] = scene.events(ChangeEnded)
        assert (ended["end"], ended["reason"]) == (
            "dropped",
            f"It could not be applied: {why}.",
        )
        [dropped] = [one for one in await scene.trail() if one.action == "change-dropped"]
        assert (dropped.reason, dropped.account) == (why, "alpha")

    run(story())


def test_an_account_learns_no_inside_address_when_its_change_is_dropped() -> None:
    async def story() -> None:
        scene = await announced()
        await turn_to_us(scene)
        scene.now += DELAY
        scene.operator = replace(
            scene.operator,
            network=replace(scene.operator.network, own_addresses=[("127.0.0.1", 25)]),
        )
        keeper = ChangeKeeper(scene.operator, scene.admin.log, scene._until_told)
        await keeper.take_round()
        [ended] = scene.events(ChangeEnded)
        assert "this server's own listener" in ended["reason"]
        assert "127.0.0.1" not in ended["reason"]

    run(story())


def test_a_limit_of_the_operator_does_not_stop_it() -> None:
    async def story() -> None:
        scene = await announced()
        await scene.decide(connections=3, hold="relay")
        scene.now += DELAY
        await scene.keeper.take_round()
        assert (scene.domain.destination.host, scene.domain.destination.connections) == (
            NEW_HOST,
            3,
        )
        assert scene.domain.policy.hold == "relay"

    run(story())


def test_a_maker_with_fewer_rights_by_then_has_lost_it() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        user = portal_users.NewPortalUser(
            email="ana@alpha.example",
            account="alpha",
            role=GrantedRole.ACCOUNT_ADMIN,
            scopes=(Scope.DOMAIN_DIRECT,),
        )
        await portal_users.invite_user(scene.operator, user)
        ana = scene.operator.directory.now.portal_users["ana@alpha.example"]
        scene.alpha = scene.operator.acting(user_principal(ana, "192.0.2.9"))
        await scene.ask(destination=NEW_HOST)
        await scene.keeper.take_round()
        less = portal_users.PortalUserChange(scopes=())
        await portal_users.change_user(scene.operator, "ana@alpha.example", less)
        scene.now += DELAY
        await scene.keeper.take_round()
        [ended] = scene.events(ChangeEnded)
        assert ended["end"] == "dropped"
        assert "ana@alpha.example" in ended["reason"]

    run(story())


def test_a_token_made_by_a_token_that_was_revoked_has_lost_it() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        new = NewToken(name="two", account="alpha", scopes=(Scope.DOMAIN_DIRECT,))
        second = await tokens.add_token(scene.alpha, new)
        scene.alpha = scene.acting(second.id)
        await scene.ask(destination=NEW_HOST)
        await scene.keeper.take_round()
        await revoke(scene)
        scene.now += DELAY
        await scene.keeper.take_round()
        assert scene.domain.destination.host == "mail.alpha.example"

    run(story())


def test_a_new_account_of_that_name_is_not_told() -> None:
    async def story() -> None:
        scene = await asked()
        await remove(scene)
        await accounts.remove_account(scene.operator, "alpha", "left")
        scene.now += 1
        await accounts.add_account(scene.operator, accounts.NewAccount(name="alpha"))
        await scene.keeper.take_round()
        scene.now += DELAY
        await scene.keeper.take_round()
        assert [event["account"] for event in scene.events(ChangeEnded)] == [""]
        assert [event["account"] for event in scene.events(ChangeScheduled)] == [""]

    run(story())


def test_a_record_that_changes_at_this_moment_is_tried_again() -> None:
    async def story() -> None:
        scene = await announced()
        await scene.keeper.take_round()
        scene.now += DELAY
        # Another process has changed the record; this one has not read it yet.
        other = replace(scene.domain, destination=replace(scene.domain.destination, connections=3))
        entry = (await scene.trail())[0]
        await scene.admin.store.records.put_domain(other, entry)
        await scene.keeper.take_round()
        assert len(await scene.waiting()) == 1
        await scene.operator.directory.refresh()
        await scene.keeper.take_round()
        assert scene.domain.destination.host == NEW_HOST
        assert scene.domain.destination.connections == 3

    run(story())


def test_more_than_a_page_of_changes_is_seen_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        await scene.ask(destination=NEW_HOST)
        await scene.ask(add_allow=("198.51.100.9",))
        await scene.keeper.take_round()
        monkeypatch.setattr("restante.admin.change_keeper.PAGE", 1)
        waiting = scene.admin.store.schedule.waiting_changes
        monkeypatch.setattr(
            scene.admin.store.schedule,
            "waiting_changes",
            lambda after: waiting(after=after, limit=1),
        )
        scene.now += DELAY
        await scene.keeper.take_round()
        assert len(scene.events(ChangeEnded)) == 2

    run(story())


def test_a_scheduled_change_begins_a_round_at_once() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        seen: list[float] = []

        async def wait(event: asyncio.Event, seconds: float) -> None:
            seen.append(seconds)
            if len(seen) == 1:
                await scene.ask(destination=NEW_HOST)
                [line] = [
                    line for line in scene.events(RecordChanged) if "-scheduled" in line["action"]
                ]
                keeper.record_changed(RecordChanged(**line))
                assert event.is_set()
                return
            raise asyncio.CancelledError

        keeper = ChangeKeeper(scene.operator, scene.admin.log, scene._until_told, wait)
        with pytest.raises(asyncio.CancelledError):
            await keeper.run()
        assert len(scene.events(ChangeScheduled)) == 1

    run(story())


def test_a_domain_loses_its_destination_after_the_delay() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        await scene.ask(destination="none")
        await scene.keeper.take_round()
        [event] = scene.events(ChangeScheduled)
        assert any("destination.host: mail.alpha.example → none" in one for one in event["changes"])
        scene.now += DELAY
        await scene.keeper.take_round()
        assert not scene.domain.destination.is_reachable
        assert await scene.waiting() == []

    run(story())
