"""Requests to release mail, and how far each has come."""

from datetime import timedelta

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import moment
from restante.admin.domain_change import DomainChange
from restante.admin.domains import change_domain
from restante.admin.releases import (
    DRAINS_SHOWN,
    PastReleaseView,
    ReleaseDetailView,
    ReleaseSelection,
    list_refused_requests,
    list_releases,
    show_release,
)
from restante.mail.message import message_name
from restante.queue.drain_word import DrainEnd, DrainState
from restante.store.handover_store import PastDrain
from restante.store.release_store import ReleaseRecord
from restante.tenancy.principal import account_login
from restante.tenancy.release_result import ReleaseResult
from tests.admin.admin_world import NOW, AdminWorld, FakeServer, all_of, ask_for, run
from tests.contract.making import NOTED, account, delivered, domain, refused

BEGAN = NOW - 10
FINISHED = PastDrain(BEGAN, NOW - 5, "login alpha-mail", DrainEnd.FINISHED, "", 2, 0, 1, "")
TO = "x@alpha.example"


async def begun(admin: AdminWorld) -> None:
    """Release four messages: two are delivered, one is refused, one is held."""
    await admin.store.records.put_account(account(), NOTED)  # long before
    await admin.context.directory.refresh()
    domain_id = await admin.host("alpha.example", "alpha")
    for number in (1, 2, 3, 4):
        await admin.hold(number, domain_id, TO)
    drain = await ask_for(admin, 50, "alpha.example", domain_id, at=BEGAN)
    outcomes = [delivered(1, TO), delivered(2, TO), refused(3, TO)]
    await admin.store.handover.settle(drain, outcomes)


async def ended(admin: AdminWorld) -> None:
    await begun(admin)
    [drain] = admin.store.handover.open_drains()
    await admin.store.handover.close_drain(drain, FINISHED)


def shown(admin: AdminWorld, number: int = 50) -> ReleaseDetailView:
    return run(show_release(admin.context, message_name(number)))


def listed(admin: AdminWorld, **wanted: object) -> list[PastReleaseView]:
    return run(all_of(list_releases(admin.context, ReleaseSelection.model_validate(wanted))))


async def ask_in_vain(
    admin: AdminWorld, number: int, target: str, result: ReleaseResult, *, at: float
) -> None:
    release = ReleaseRecord(
        id=number,
        at=at,
        actor="login alpha-mail",
        acted_from="192.0.2.25",
        target=target,
        account="alpha",
        domain=target,
        result=result,
        reason="192.0.2.25 is not an authorized host",
        pending=0,
    )
    await admin.store.releases.record_release(release, NOTED)


def test_requests_that_were_refused_are_found_until_one_is_granted() -> None:
    admin = AdminWorld()
    run(begun(admin))
    refused_result = ReleaseResult.REFUSED

    def found() -> list[tuple[str, int]]:
        refused_ones = run(list_refused_requests(admin.context, "alpha", NOW - 100))
        return [(one.target, one.count) for one in refused_ones]

    assert found() == []
    run(ask_in_vain(admin, 10, "old.example", refused_result, at=NOW - 200))
    run(ask_in_vain(admin, 40, "alpha.example", refused_result, at=NOW - 50))
    assert found() == []  # granted since
    for number in (60, 61):
        run(ask_in_vain(admin, number, "alpha.example", refused_result, at=NOW + number))
    run(ask_in_vain(admin, 62, "x", ReleaseResult.NOT_A_TARGET, at=NOW + 62))
    run(ask_in_vain(admin, 63, "alpha2.example", ReleaseResult.CANNOT_NOW, at=NOW + 63))
    assert found() == [("x", 1), ("alpha.example", 3)]
    run(ask_in_vain(admin, 64, "alfa.example", refused_result, at=NOW + 64))
    asked = run(list_refused_requests(admin.context, "alpha", NOW - 100))
    assert [one.domain for one in asked] == ["", "", "alpha.example"]  # hosted here, or ""
    assert run(list_refused_requests(admin.context, "beta", NOW - 100)) == []


def test_a_release_that_runs_has_a_rate_and_an_end_in_sight() -> None:
    admin = AdminWorld()
    run(begun(admin))
    view = shown(admin)
    assert (view.id, view.target, view.result, view.pending) == (
        message_name(50),
        "alpha.example",
        "granted",
        2,
    )
    assert (view.requested_by, view.acted_from, view.account) == (
        "login alpha-mail",
        "192.0.2.25",
        "alpha",
    )
    assert (view.state, view.ends, view.ended_at) == ("running", [], None)
    assert (view.delivered, view.refused, view.left) == (2, 1, 1)
    assert view.rate == 0.2
    assert view.eta == moment(NOW) + timedelta(seconds=5)
    [drain] = view.drains_shown
    assert (drain.domain, drain.state, drain.left) == ("alpha.example", "delivering", 1)


def test_the_rate_of_drains_elsewhere_is_that_since_the_request() -> None:
    admin = AdminWorld(server=FakeServer(rate=4.0))
    run(begun(admin))
    assert shown(admin).rate == 4.0
    assert admin.server
    admin.server.is_idle = True  # here: another process has the drain
    assert shown(admin).rate == 0.2


@pytest.mark.parametrize("state", [DrainState.WAITING_TO_RETRY, DrainState.LOOKING_UP])
def test_nobody_can_tell_the_end_of_one_that_does_not_move(state: DrainState) -> None:
    admin = AdminWorld()
    run(begun(admin))
    assert admin.server
    admin.server.drain_state = state
    view = shown(admin)
    assert view.eta is None
    assert view.drains_shown[0].state == state


def test_without_a_server_a_drain_waits_for_one() -> None:
    admin = AdminWorld(server=None)
    run(begun(admin))
    view = shown(admin)
    assert (view.state, view.eta) == ("running", None)
    assert view.drains_shown[0].state == DrainState.UNCLAIMED


def test_a_release_that_has_ended_is_a_record() -> None:
    admin = AdminWorld()
    run(ended(admin))
    view = shown(admin)
    assert (view.state, view.ends, view.ended_at) == ("ended", ["finished"], moment(NOW - 5))
    assert (view.delivered, view.refused, view.left, view.rate) == (2, 1, 1, 0.4)
    assert (view.drains, view.running, view.eta) == (1, 0, None)
    assert view.drains_shown[0].state == "ended"
    run(admin.hold(9, 1, "x@alpha.example"))  # mail of later
    assert shown(admin).left == 1


def test_a_listing_has_the_newest_first_and_narrows() -> None:
    admin = AdminWorld()
    run(ended(admin))
    beta = run(admin.host("beta.example", "beta"))
    run(ask_for(admin, 60, "beta.example", beta))
    assert [one.target for one in listed(admin)] == ["beta.example", "alpha.example"]
    assert [one.state for one in listed(admin)] == ["running", "ended"]
    assert [one.target for one in listed(admin, domain="BETA.example")] == ["beta.example"]
    assert [one.target for one in listed(admin, account="alpha")] == ["alpha.example"]
    assert [one.target for one in listed(admin, until=NOW - 1)] == ["alpha.example"]
    assert [one.target for one in listed(admin, after=message_name(60))] == ["alpha.example"]
    assert len(listed(admin, limit=1)) == 1


def test_an_account_sees_its_own_domains_of_a_release_only() -> None:
    admin = AdminWorld()
    run(ended(admin))
    beta = run(admin.host("beta.example", "beta"))
    run(admin.store.handover.open_drain(beta, NOW, NOW + 60, 50))
    context = admin.context.acting(account_login("alpha-mail", "alpha", "192.0.2.1"))
    view = run(show_release(context, message_name(50)))
    assert [one.domain for one in view.drains_shown] == ["alpha.example"]


def test_a_domain_that_moved_tells_its_old_account_nothing() -> None:
    admin = AdminWorld()
    run(begun(admin))
    run(admin.host("beta.example", "beta"))
    run(change_domain(admin.context, "alpha.example", DomainChange(account="beta")))
    context = admin.context.acting(account_login("alpha-mail", "alpha", "192.0.2.1"))
    view = run(show_release(context, message_name(50)))
    assert (view.left, view.eta, view.drains_shown) == (0, None, [])
    assert shown(admin).left == 1  # of the operator


def test_few_domains_of_many_are_shown() -> None:
    admin = AdminWorld()
    run(begun(admin))
    for number in range(2, DRAINS_SHOWN + 5):
        run(admin.store.records.put_domain(domain(f"d{number}.example"), NOTED))
        run(admin.store.handover.open_drain(number, NOW, NOW + 60, 50))
    run(admin.context.directory.refresh())
    view = shown(admin)
    assert (view.drains, view.running, len(view.drains_shown)) == (104, 104, DRAINS_SHOWN)


@pytest.mark.parametrize("name", ["7", "", "not a name", "z" * 13])
def test_one_that_does_not_exist(name: str) -> None:
    with pytest.raises(AdminError, match="does not exist") as caught:
        run(show_release(AdminWorld().context, name))
    assert caught.value.kind is ErrorKind.NOT_FOUND
