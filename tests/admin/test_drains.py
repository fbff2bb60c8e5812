"""Drains as an operator sees and stops them: within the scope, with a trace in the trail."""

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.drains import DrainStop, last_drains, list_drains, stop_drain
from restante.queue.drain_word import DrainEnd, DrainState
from restante.store.handover_store import PastDrain
from restante.tenancy.audit import AuditFilter
from restante.tenancy.principal import Principal, Role
from tests.actors import actor_named
from tests.admin.admin_world import NOW, AdminWorld, run
from tests.contract.making import opened

PAST = PastDrain(
    NOW, NOW + 5, "login p", DrainEnd.GIVEN_UP, "too many failures", 3, 1, 2, "421 bye"
)


def of_account(name: str) -> Principal:
    """A principal that sees one account only."""
    return Principal(Role.ACCOUNT, actor_named("token t"), "https", name)


def test_a_running_drain_is_shown_with_its_counts() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        [view] = list_drains(admin.context).views
        assert (view.domain, view.destination, view.state) == (
            "alpha.example",
            "192.0.2.1:25",
            "delivering",
        )
        assert (view.delivered, view.refused, view.deferred) == (5, 0, 1)
        assert view.started_at.timestamp() == NOW

    run(story(AdminWorld()))


def test_drains_are_listed_within_the_scope_and_only_by_a_server() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        shown = [
            [one.domain for one in list_drains(admin.context.acting(of_account(name))).views]
            for name in ("alpha", "beta")
        ]
        assert shown == [["alpha.example"], []]

    run(story(AdminWorld()))
    assert list(list_drains(AdminWorld(server=None).context).views) == []


def test_a_drain_is_stopped_with_its_reason_and_is_shown_as_it_was() -> None:
    async def story(admin: AdminWorld) -> None:
        domain = await admin.host("alpha.example", "alpha")
        view = await stop_drain(admin.context, "Alpha.Example", DrainStop(reason="maintenance"))
        assert view.domain == "alpha.example"
        assert admin.server
        assert admin.server.stopped == [(domain, "stopped by operator: maintenance")]
        [entry] = await admin.store.audit.audit(AuditFilter(action="drain-stopped"))
        assert (entry.subject, entry.account, entry.reason) == (
            "alpha.example",
            "alpha",
            "maintenance",
        )

    run(story(AdminWorld()))


def test_an_account_that_stops_its_drain_is_named_as_the_one_who_did() -> None:
    async def story(admin: AdminWorld) -> None:
        domain = await admin.host("alpha.example", "alpha")
        alpha = admin.context.acting(of_account("alpha"))
        await stop_drain(alpha, "alpha.example", DrainStop())
        assert admin.server
        assert admin.server.stopped == [(domain, f"stopped by {alpha.principal.name}")]

    run(story(AdminWorld()))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("beta.example", ErrorKind.NOT_FOUND), ("unknown.example", ErrorKind.NOT_FOUND)],
)
def test_where_there_is_no_drain_nothing_is_stopped_or_recorded(name: str, kind: ErrorKind) -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        await admin.host("beta.example", "alpha")
        with pytest.raises(AdminError) as caught:
            await stop_drain(admin.context, name, DrainStop())
        assert caught.value.kind is kind
        assert admin.server
        assert admin.server.stopped == []
        assert await admin.store.audit.audit(AuditFilter(action="drain-stopped")) == []

    run(story(AdminWorld()))


def test_stopping_a_drain_twice_is_recorded_once() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        assert admin.server
        await stop_drain(admin.context, "alpha.example", DrainStop(reason="enough"))
        admin.server.drain_state = DrainState.STOPPING
        assert (await stop_drain(admin.context, "alpha.example", DrainStop())).state == "stopping"
        assert len(admin.server.stopped) == 1
        assert len(await admin.store.audit.audit(AuditFilter(action="drain-stopped"))) == 1

    run(story(AdminWorld()))


def test_the_last_drain_of_each_domain_is_told_within_the_scope() -> None:
    async def story(admin: AdminWorld) -> None:
        for name, account in (("alpha.example", "alpha"), ("beta.example", "beta")):
            number = await admin.host(name, account)
            drain = await opened(admin.store, number)
            await admin.store.handover.close_drain(drain, PAST)
        await admin.host("new.example", "alpha")
        both = [view.domain for view in await last_drains(admin.context)]
        assert both == ["alpha.example", "beta.example"]
        [own] = await last_drains(admin.context.acting(of_account("beta")))
        assert (own.domain, own.end, own.reason) == (
            "beta.example",
            "given-up",
            "too many failures",
        )
        assert (own.delivered, own.deferred, own.refused, own.last_error) == (3, 1, 2, "421 bye")
        assert list(await last_drains(admin.context, "new.example")) == []

    run(story(AdminWorld()))
