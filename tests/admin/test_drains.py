"""Drains as an operator sees and stops them: within the scope, with a trace in the trail."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.drains import AT_ONCE, DrainStop, last_drains, list_drains, stop_drain
from restante.delivery.drain_state import DrainSnapshot
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
        [view] = (await list_drains(admin.context)).views
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
            [
                one.domain
                for one in (await list_drains(admin.context.acting(of_account(name)))).views
            ]
            for name in ("alpha", "beta")
        ]
        assert shown == [["alpha.example"], []]

    run(story(AdminWorld()))
    assert list(run(list_drains(AdminWorld(server=None).context)).views) == []


def test_others_get_turns_while_many_drains_are_listed_and_one_is_sought(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(admin: AdminWorld) -> None:
        for name in ("alpha.example", "last.example"):
            await admin.host(name, "alpha")
        assert admin.server is not None
        [one] = admin.server.drains()
        others = [replace(one, domain=f"d{number}.example") for number in range(AT_ONCE * 3)]
        last = replace(one, domain="last.example", started_at=NOW - 1)
        made_at: list[int] = []  # the turns that another task had had by then
        turns = 0

        def many() -> Iterator[DrainSnapshot]:
            for each in (*others, last):
                made_at.append(turns)
                yield each

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        monkeypatch.setattr(admin.server, "drains", many)
        task = asyncio.create_task(other())
        page = await list_drains(admin.context, limit=1)
        task.cancel()
        assert [view.domain for view in page.views] == ["last.example"]
        assert max(made_at.count(turn) for turn in made_at) <= AT_ONCE

    run(story(AdminWorld()))


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
