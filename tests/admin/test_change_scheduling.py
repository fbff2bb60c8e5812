"""An account's change of where mail goes waits; everything else, and an operator's, does not."""

from typing import Any

import pytest

from restante.admin import accounts
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.change_scheduling import change_lines, time_text
from restante.admin.domain_change import DomainFields
from restante.admin.permissions import _FIELD_ACTIONS, AdminAction
from restante.telemetry.events import ChangeEnded
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import TlsUse
from restante.tenancy.record_change import Change
from tests.admin.admin_world import NOW, run
from tests.admin.change_scene import DELAY, NEW_HOST, ChangeScene
from tests.admin.configurations import applied

PIN = "ab" * 32
WAITING: dict[str, dict[str, Any]] = {
    "destination": {"destination": NEW_HOST},
    "port": {"destination": "mail.alpha.example:2525"},
    "tls": {"tls": "required"},
    "pin": {"tls": "verify", "tls_pins": (PIN,)},
    "login": {"tls": "required", "destination_login": "mx", "destination_password": "secret word"},
    "client": {"client_address": "proxy"},
    "hosts": {"allow": ("198.51.100.9",)},
    "one more host": {"add_allow": ("198.51.100.9",)},
    "one host less": {"drop_allow": ("192.0.2.1",)},
}


@pytest.mark.parametrize("fields", WAITING.values(), ids=WAITING.keys())
def test_a_change_of_where_mail_goes_waits(fields: dict[str, Any]) -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        before = scene.domain
        done = await scene.ask(**fields)
        assert scene.domain == before
        assert done.changes == []
        assert done.scheduled is not None
        assert done.scheduled.applies_at.timestamp() == NOW + DELAY
        [change] = await scene.waiting()
        assert (change.id, change.maker.token) == (done.scheduled.id, scene.token)
        assert f"unless change {change.id} is cancelled" in done.warnings[-1]
        assert "secret word" not in done.model_dump_json()
        assert "secret word" not in repr((scene.admin.log.lines, await scene.trail(), change))

    run(story())


def test_every_field_that_redirects_mail_or_lets_hosts_ask_waits() -> None:
    direct = {AdminAction.DOMAIN_DIRECT, AdminAction.DOMAIN_AUTHORIZE}
    guarded = {name for name, action in _FIELD_ACTIONS.items() if action in direct}
    tried = {name for fields in WAITING.values() for name in fields}
    # `pin_now` becomes `tls` and `tls_pins`; `tls_ca` is in the same part of the record as `tls`;
    # `destination_set_by` is no field of a request.
    elsewhere = {"pin_now", "tls_ca", "destination_set_by"}
    assert guarded - elsewhere == tried
    assert {"pin_now", "tls_ca"} <= DomainFields.model_fields.keys()


@pytest.mark.parametrize("fields", WAITING.values(), ids=WAITING.keys())
def test_an_operator_does_not_wait(fields: dict[str, Any]) -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        done = await scene.decide(**fields)
        assert done.scheduled is None
        assert done.changes
        assert list(await scene.waiting()) == []

    run(story())


def test_the_rest_of_a_change_is_made_at_once() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        done = await scene.ask(destination=NEW_HOST, hold="relay")
        assert [one.field for one in done.changes] == ["policy.hold"]
        assert done.domain.policy.hold == "relay"
        assert done.domain.destination == "mail.alpha.example:25"
        assert done.scheduled is not None

    run(story())


def test_the_trail_has_what_would_change_and_why() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        scene.alpha = scene.acting(scene.token, "a new server")
        await scene.ask(destination=NEW_HOST, add_allow=("198.51.100.9",))
        [entry] = await scene.trail()
        assert (entry.action, entry.account, entry.domain, entry.reason) == (
            AuditAction.CHANGE_SCHEDULED,
            "alpha",
            "alpha.example",
            "a new server",
        )
        assert (entry.actor, entry.acted_from) == ("token ci (alpha)", "192.0.2.9")
        assert list(entry.changes) == [
            Change("destination.host", "mail.alpha.example", NEW_HOST),
            Change("authorized_hosts", "192.0.2.1", "192.0.2.1, 198.51.100.9"),
            Change("destination.set_by", "none", "alpha"),
        ]

    run(story())


def test_a_repeated_request_with_the_same_password_finds_it_too() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        first = await scene.ask(**WAITING["login"])
        assert (await scene.ask(**WAITING["login"])).scheduled == first.scheduled
        with pytest.raises(AdminError):
            await scene.ask(**WAITING["login"] | {"destination_password": "another word"})
        with pytest.raises(AdminError):
            await scene.ask(**WAITING["login"] | {"destination_login": "another"})
        assert len(await scene.waiting()) == 1

    run(story())


def test_a_repeated_request_finds_the_change_that_waits() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        first = await scene.ask(destination=NEW_HOST)
        scene.now += 60
        again = await scene.ask(destination=NEW_HOST)
        assert again.scheduled == first.scheduled
        assert len(await scene.waiting()) == 1
        assert len(await scene.trail()) == 1

    run(story())


def test_another_wish_for_the_same_part_is_refused() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        first = await scene.ask(destination=NEW_HOST)
        with pytest.raises(AdminError) as caught:
            await scene.ask(tls="required")
        assert first.scheduled is not None
        assert caught.value.kind is ErrorKind.CONFLICT
        assert f"cancel change {first.scheduled.id}" in caught.value.remedy
        other_part = await scene.ask(add_allow=("198.51.100.9",))
        assert other_part.scheduled is not None
        assert len(await scene.waiting()) == 2

    run(story())


def test_a_wish_without_a_difference_is_none() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        done = await scene.ask(destination="mail.alpha.example", allow=("192.0.2.1",))
        assert (done.scheduled, done.changes) == (None, [])

    run(story())


@pytest.mark.parametrize("of", ["domain", "account"])
def test_an_operator_can_lock_it(of: str) -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        if of == "domain":
            await scene.decide(change_lock=True)
        else:
            change = accounts.AccountChange(change_lock=True)
            await accounts.change_account(scene.operator, "alpha", change)
        for fields in WAITING.values():
            with pytest.raises(AdminError) as caught:
                await scene.ask(**fields)
            assert caught.value.kind is ErrorKind.NOT_ALLOWED
            assert "an operator has locked" in caught.value.error
        assert list(await scene.waiting()) == []
        assert (await scene.ask(hold="relay")).changes
        assert (await scene.decide(destination=NEW_HOST)).changes

    run(story())


def test_an_account_cannot_take_its_lock_away() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        await scene.decide(change_lock=True)
        with pytest.raises(AdminError) as caught:
            await scene.ask(change_lock=False)
        assert caught.value.kind is ErrorKind.NOT_ALLOWED

    run(story())


def test_without_a_delay_it_is_applied_at_once_and_told() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        scene.delay = 0.0
        done = await scene.ask(destination=NEW_HOST)
        assert done.scheduled is None
        assert scene.domain.destination.host == NEW_HOST
        [event] = scene.events(ChangeEnded)
        assert (event["number"], event["end"], event["account"]) == (0, "applied", "alpha")

    run(story())


def test_a_configuration_does_not_go_around_it() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        entry = {
            "thing": "domain",
            "name": "alpha.example",
            "account": "alpha",
            "destination": NEW_HOST,
            "allow": ["192.0.2.1", "198.51.100.9"],
            "hold": "relay",
        }
        lines = await applied(scene.alpha, [entry])
        assert (scene.domain.destination.host, len(await scene.waiting())) == (
            "mail.alpha.example",
            1,
        )
        assert scene.domain.policy.hold == "relay"
        assert any("will change at" in (line.warning or "") for line in lines)
        again = await applied(scene.alpha, [entry])
        assert again[-1].summary is not None
        assert (again[-1].summary.changed, again[-1].summary.unchanged) == (False, 1)
        assert any("is cancelled" in (line.warning or "") for line in again)
        await scene.decide(change_lock=True)
        with pytest.raises(AdminError):
            await applied(scene.alpha, [entry | {"destination": "mail.alpha.example:26"}])

    run(story())


def test_a_dry_run_schedules_nothing() -> None:
    async def story() -> None:
        scene = await ChangeScene().open()
        entry = {"thing": "domain", "name": "alpha.example", "account": "alpha", "tls": "required"}
        await applied(scene.alpha, [entry], is_dry_run=True)
        assert list(await scene.waiting()) == []
        assert scene.domain.destination.tls is TlsUse.OPPORTUNISTIC

    run(story())


def test_times_and_changes_are_told_as_people_read_them() -> None:
    assert time_text(0.0) == "1970-01-01T00:00:00Z"
    assert change_lines([Change("destination.port", "25", "26")]) == ("destination.port: 25 → 26",)
