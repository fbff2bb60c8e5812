"""Drains as an operator sees and stops them: within the scope, with a trace in the trail."""

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.drains import DrainStop, last_drains, list_drains, stop_drain
from restante.delivery.drain_state import DrainState
from restante.store.handover_store import PastDrain
from restante.tenancy.audit import AuditFilter
from restante.tenancy.principal import Principal, Role
from tests.admin.desk import NOW, Desk, run
from tests.contract.making import opened

PAST = PastDrain(NOW, NOW + 5, "login p", "given up", "too many failures", 3, 1, 2, "421 bye")


def of_account(name: str) -> Principal:
    """A principal that sees one account only."""
    return Principal(Role.ACCOUNT, "token t", "https", name)


def test_a_running_drain_is_shown_with_its_counts() -> None:
    async def story(desk: Desk) -> None:
        await desk.host("alpha.example", "alpha")
        [view] = list_drains(desk.context).views
        assert (view.domain, view.destination, view.state) == (
            "alpha.example",
            "192.0.2.1:25",
            "delivering",
        )
        assert (view.delivered, view.refused, view.deferred) == (5, 0, 1)
        assert view.started_at.timestamp() == NOW

    run(story(Desk()))


def test_drains_are_listed_within_the_scope_and_only_by_a_server() -> None:
    async def story(desk: Desk) -> None:
        await desk.host("alpha.example", "alpha")
        shown = [
            [one.domain for one in list_drains(desk.context.acting(of_account(name))).views]
            for name in ("alpha", "beta")
        ]
        assert shown == [["alpha.example"], []]

    run(story(Desk()))
    assert list(list_drains(Desk(server=None).context).views) == []


def test_a_drain_is_stopped_with_its_reason_and_is_shown_as_it_was() -> None:
    async def story(desk: Desk) -> None:
        domain = await desk.host("alpha.example", "alpha")
        view = await stop_drain(desk.context, "Alpha.Example", DrainStop(reason="maintenance"))
        assert view.domain == "alpha.example"
        assert desk.server
        assert desk.server.stopped == [(domain, "stopped by the operator: maintenance")]
        [entry] = await desk.store.audit.audit(AuditFilter(action="drain-stopped"))
        assert (entry.subject, entry.account, entry.reason) == (
            "alpha.example",
            "alpha",
            "maintenance",
        )

    run(story(Desk()))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("beta.example", ErrorKind.NOT_FOUND), ("unknown.example", ErrorKind.NOT_FOUND)],
)
def test_where_there_is_no_drain_nothing_is_stopped_or_recorded(name: str, kind: ErrorKind) -> None:
    async def story(desk: Desk) -> None:
        await desk.host("alpha.example", "alpha")
        await desk.host("beta.example", "alpha")
        with pytest.raises(AdminError) as caught:
            await stop_drain(desk.context, name, DrainStop())
        assert caught.value.kind is kind
        assert desk.server
        assert desk.server.stopped == []
        assert await desk.store.audit.audit(AuditFilter(action="drain-stopped")) == []

    run(story(Desk()))


def test_stopping_a_drain_twice_is_recorded_once() -> None:
    async def story(desk: Desk) -> None:
        await desk.host("alpha.example", "alpha")
        assert desk.server
        await stop_drain(desk.context, "alpha.example", DrainStop(reason="enough"))
        desk.server.drain_state = DrainState.STOPPING
        assert (await stop_drain(desk.context, "alpha.example", DrainStop())).state == "stopping"
        assert len(desk.server.stopped) == 1
        assert len(await desk.store.audit.audit(AuditFilter(action="drain-stopped"))) == 1

    run(story(Desk()))


def test_the_last_drain_of_each_domain_is_told_within_the_scope() -> None:
    async def story(desk: Desk) -> None:
        for name, account in (("alpha.example", "alpha"), ("beta.example", "beta")):
            number = await desk.host(name, account)
            drain = await opened(desk.store, number)
            await desk.store.handover.close_drain(drain, PAST)
        await desk.host("new.example", "alpha")
        both = [view.domain for view in await last_drains(desk.context)]
        assert both == ["alpha.example", "beta.example"]
        [own] = await last_drains(desk.context.acting(of_account("beta")))
        assert (own.domain, own.end, own.reason) == (
            "beta.example",
            "given up",
            "too many failures",
        )
        assert (own.delivered, own.deferred, own.refused, own.last_words) == (3, 1, 2, "421 bye")
        assert list(await last_drains(desk.context, "new.example")) == []

    run(story(Desk()))
