"""The scope of a principal: the things of its account, or all."""

from dataclasses import replace
from typing import Any

import pytest

from restante.admin import scope
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import list_audit
from restante.store.queue_store import QueueFilter
from restante.store.release_store import ReleaseFilter
from restante.store.report_store import ReportFilter
from restante.tenancy.principal import Principal, Role
from tests.actors import actor_named
from tests.admin.admin_world import NOW, AdminWorld, all_of, ask_for, run
from tests.contract.making import report

ALICE = Principal(Role.ACCOUNT, actor_named("token a"), "https", "alpha")
STRANGER = replace(ALICE, account="gamma")


async def filled() -> AdminWorld:
    """Messages 1 and 2 for alpha, 3 for beta, and a report on each."""
    admin = AdminWorld()
    alpha, beta = (
        await admin.host("alpha.example", "alpha"),
        await admin.host("beta.example", "beta"),
    )
    for number, domain_id in ((1, alpha), (2, alpha), (3, beta)):
        await admin.hold(number, domain_id, "x@alpha.example")
    admin.store.state.reports.keep([report(1, alpha), report(3, beta)])
    return admin


@pytest.mark.parametrize(
    ("principal", "wanted", "numbers"),
    [
        (None, {}, [1, 2, 3]),
        (ALICE, {}, [1, 2]),
        (ALICE, {"numbers": (2, 3)}, [2]),
        (ALICE, {"domain_ids": (2,)}, []),
        (ALICE, {"domain_ids": (1, 2)}, [1, 2]),
        (STRANGER, {}, []),
    ],
)
def test_messages_and_reports_are_those_in_scope(
    principal: Principal | None, wanted: dict[str, Any], numbers: list[int]
) -> None:
    async def story() -> None:
        admin = await filled()
        context = admin.context.acting(principal) if principal else admin.context
        found = await scope.list_held(context, QueueFilter(**wanted))
        assert [one.number for one in found] == numbers
        read = [await scope.message_in_scope(context, number) for number in (1, 2, 3, 9)]
        if not wanted:
            assert [one.number for one in read if one] == numbers
        if "numbers" not in wanted:
            reports = await scope.list_waiting_reports(context, ReportFilter(**wanted))
            assert [one.about for one in reports] == [n for n in numbers if n != 2]

    run(story())


@pytest.mark.parametrize(
    ("principal", "wanted", "account"),
    [(None, None, None), (None, "beta", "beta"), (ALICE, None, "alpha"), (ALICE, "beta", "beta")],
)
def test_a_listing_without_an_account_is_about_the_own_one(
    principal: Principal | None, wanted: str | None, account: str | None
) -> None:
    context = AdminWorld().context.acting(principal) if principal else AdminWorld().context
    assert scope.account_in_scope(context, wanted) == account


@pytest.mark.parametrize(
    ("text", "name"),
    [("Alpha.Example", "alpha.example"), ("bücher.example", "xn--bcher-kva.example")],
)
def test_a_domain_is_known_by_one_spelling(text: str, name: str) -> None:
    assert scope.domain_name(text) == name


@pytest.mark.parametrize("text", ["", "..", "a b", "x" * 64 + ".example", "-.example\n"])
def test_an_invalid_domain_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(AdminError, match="write a name such as") as caught:
        scope.domain_name(text)
    assert caught.value.kind is ErrorKind.INVALID


def test_a_new_account_sees_nothing_of_a_removed_one_with_its_name() -> None:
    async def story() -> None:
        admin = AdminWorld()
        domain_id = await admin.host("alpha.example", "alpha")  # made at NOW
        await ask_for(admin, 7, "alpha.example", domain_id, at=NOW - 1)
        await ask_for(admin, 8, "alpha.example", domain_id, at=NOW)
        context = admin.context.acting(ALICE)
        for wanted in (ReleaseFilter(), ReleaseFilter(since=NOW - 9), ReleaseFilter(ids=(7, 8))):
            found = await scope.list_past_releases(context, wanted)
            assert [one.record.id for one in found] == [8]
        assert len(await scope.list_past_releases(admin.context, ReleaseFilter())) == 2
        entries = await all_of(list_audit(context))
        assert [one.action for one in entries].count("release-requested") == 1
        assert min(one.at.timestamp() for one in entries) == NOW

    run(story())
