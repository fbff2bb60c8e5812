import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from restante.admin import server_status
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError
from restante.admin.auditing import moment
from restante.admin.server_status import BUSY_DOMAINS, StatusSelection, StatusView, show_status
from restante.background.loop_slices import TURN_SECONDS
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.release_result import ReleaseResult
from tests.admin.admin_world import NOW, AdminWorld, FakeServer, run


def asked_for(
    target: str, at: float, account: str = "alpha", result: ReleaseResult = ReleaseResult.GRANTED
) -> AuditEntry:
    return AuditEntry(at, AuditAction.RELEASE_REQUESTED, "login p", target, account, result=result)


async def shown_status(context: AdminContext, wanted: StatusSelection = BUSY_DOMAINS) -> StatusView:
    """Put the parts together, as the API does."""
    status = await show_status(context, wanted)
    return status.view.model_copy(
        update={"domains": list(status.domains), "drains": list(status.drains)}
    )


async def hosted_before(admin: AdminWorld, name: str, account: str) -> int:
    """Host a domain an hour ago."""
    context, admin.context = admin.context, replace(admin.context, now=lambda: NOW - 3600)
    number = await admin.host(name, account)
    admin.context = context
    return number


def test_status_shows_mail_requests_drains_and_listeners() -> None:
    async def story(admin: AdminWorld) -> None:
        number = await hosted_before(admin, "alpha.example", "alpha")
        await hosted_before(admin, "beta.example", "beta")
        await admin.hold(1, number, "x@alpha.example")
        await admin.store.audit.record(
            [asked_for("Alpha.example", NOW - 9), asked_for("Alpha.example", NOW - 5)]
        )
        view = await shown_status(admin.context, StatusSelection(everything=True))
        alpha, beta = view.domains
        assert (alpha.messages, alpha.refused, beta.messages, view.messages) == (1, 0, 0, 1)
        assert alpha.oldest_at
        assert alpha.oldest_at.timestamp() == NOW - 3600
        assert alpha.last_request_at
        assert alpha.last_request_at.timestamp() == NOW - 5
        assert beta.last_request_at is None
        assert view.drains[0].state == "delivering"
        assert view.listeners[0].sessions == 7
        assert (view.reports.waiting, view.reports.oldest_at, view.notices.waiting) == (0, None, 0)

    run(story(AdminWorld()))


def test_a_domain_was_asked_for_by_whatever_covers_it_and_was_granted() -> None:
    async def story() -> None:
        admin = AdminWorld()
        for name in ("alpha.example", "mail.alpha.example", "notalpha.example", "other.example"):
            await hosted_before(admin, name, "alpha")
        await hosted_before(admin, "beta.example", "beta")
        entries = [
            asked_for("@alpha.example", NOW - 50),
            asked_for("alpha.example", NOW - 60),
            asked_for("mail.alpha.example", NOW - 40, result=ReleaseResult.NOTHING_HELD),
            asked_for("other.example", NOW - 20, result=ReleaseResult.REFUSED),
            asked_for("beta.example", NOW - 10),  # of an account that it is not of any more
            asked_for("nonsense..", NOW - 10),
        ]
        await admin.store.audit.record(entries)
        at = {
            one.domain: one.last_request_at
            for one in (await shown_status(admin.context, StatusSelection(everything=True))).domains
        }
        ages = {name: NOW - moment.timestamp() if moment else None for name, moment in at.items()}
        assert ages == {
            "alpha.example": 50,
            "mail.alpha.example": 40,
            "notalpha.example": None,
            "other.example": None,
            "beta.example": None,
        }
        await admin.store.audit.record([asked_for("#ALPHA", NOW - 5)])
        newest = [
            one.last_request_at
            for one in (await shown_status(admin.context, StatusSelection(everything=True))).domains
        ]
        assert [moment and NOW - moment.timestamp() for moment in newest] == [5, None, 5, 5, 5]

    run(story())


def test_the_domains_with_most_mail_and_those_with_a_drain_are_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(admin: AdminWorld) -> None:
        ids: dict[str, int] = {}
        for name, messages in (("few", [1]), ("most", [2, 3, 4]), ("many", [5, 6]), ("none", [])):
            ids[name] = await admin.host(f"{name}.example", "alpha")
            for number in messages:
                await admin.hold(number, ids[name], f"x@{name}.example")

        async def oldest(of: Sequence[int] | None = None) -> dict[int, float]:
            found = {ids["few"]: 1.0, ids["most"]: 2.0, ids["many"]: 3.0}
            return {key: at for key, at in found.items() if of is None or key in of}

        monkeypatch.setattr(server_status, "MOST_SHOWN", 2)
        monkeypatch.setattr(admin.store.figures, "oldest", oldest)
        monkeypatch.setattr(admin.context.server, "is_draining", lambda _: False)
        view = await shown_status(admin.context)
        assert [one.domain for one in view.domains] == ["many.example", "most.example"]
        assert (view.domains_left_out, view.domains_not_shown) == (1, 1)
        assert view.oldest_at == moment(1.0), "of those left out, too"
        named = StatusSelection(domain=("many.example",))
        assert (await shown_status(admin.context, named)).oldest_at == moment(3.0)
        monkeypatch.setattr(admin.context.server, "is_draining", lambda one: one == ids["few"])
        view = await shown_status(admin.context)
        assert [one.domain for one in view.domains] == ["few.example", "most.example"]
        named = StatusSelection(account="alpha")
        assert (await shown_status(admin.context, named)).domains_left_out == 0

    run(story(AdminWorld()))


def test_status_without_a_server_has_no_drains_and_no_listeners() -> None:
    view = run(shown_status(AdminWorld(server=None).context))
    assert not view.is_running
    assert not view.drains
    assert not view.listeners


def test_without_a_wish_only_domains_with_mail_or_trouble_are_shown() -> None:
    async def story(admin: AdminWorld) -> None:
        number = await admin.host("held.example", "alpha")
        await admin.hold(1, number, "x@held.example")
        await admin.host("idle.example", "alpha")
        await admin.host("stopped.example", "beta", hold="suspended", reason="unpaid")
        view = await shown_status(admin.context)
        assert [one.domain for one in view.domains] == ["held.example", "stopped.example"]
        assert view.domains_not_shown == 1
        of_alpha = await shown_status(admin.context, StatusSelection(account="alpha"))
        assert ([one.domain for one in of_alpha.domains], of_alpha.domains_not_shown) == (
            ["held.example"],
            1,
        )
        named = await shown_status(admin.context, StatusSelection(domain=("Idle.Example",)))
        assert [one.domain for one in named.domains] == ["idle.example"]
        for wrong in (StatusSelection(domain=("none.example",)), StatusSelection(account="none")):
            with pytest.raises(AdminError):
                await shown_status(admin.context, wrong)

    run(story(AdminWorld()))


@pytest.mark.parametrize("wanted", [StatusSelection(), StatusSelection(account="alpha")])
def test_domains_are_selected_in_turns_with_others(wanted: StatusSelection) -> None:
    turns: list[None] = []
    seen: list[int] = []

    class SlowServer(FakeServer):
        def is_draining(self, domain_id: int) -> bool:
            seen.append(len(turns))
            asyncio.get_running_loop().call_soon(turns.append, None)
            until = time.perf_counter() + TURN_SECONDS
            while time.perf_counter() <= until:
                pass
            return super().is_draining(domain_id)

    async def story() -> None:
        admin = AdminWorld()
        for name in ("a", "b", "c"):
            await admin.host(f"{name}.example", "alpha")
        context = replace(admin.context, server=SlowServer())
        await show_status(context, wanted)

    run(story())
    assert seen == [0, 1, 2]
