"""How much accounts used the server, as operators and accounts see it."""

import pytest
from pydantic import ValidationError

from restante.admin.account_use import AccountUseView, UseSelection, account_uses
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.queue.monthly_use import AccountUse, MonthlyUse, UseMonth, month_of, months_before
from restante.tenancy.policy import DAY
from restante.tenancy.principal import account_login
from tests.admin.admin_world import NOW, AdminWorld, run

NOW_MONTH = month_of(NOW)


async def platform() -> AdminWorld:
    """Return a server that was used for 14 months. One account was removed and added again."""
    admin = AdminWorld()
    for name in ("alpha", "beta"):
        await admin.host(f"{name}.example", name)
    uses = []
    for ago in range(14):
        month = months_before(NOW_MONTH, ago)
        for name in ("alpha", "beta"):
            added_at = int(admin.context.directory.now.accounts[name].created_at)
            uses.append(
                MonthlyUse(UseMonth(name, added_at, month), AccountUse(ago, 100 * ago, ago, DAY))
            )
    uses.append(MonthlyUse(UseMonth("alpha", 5, NOW_MONTH), AccountUse(99)))
    uses.append(MonthlyUse(UseMonth("gone", 5, NOW_MONTH), AccountUse(7)))
    await admin.store.uses.add_uses(uses)
    return admin


def as_login(context: AdminContext, account: str) -> AdminContext:
    return context.acting(account_login("ada", account, "192.0.2.1"))


async def shown(
    context: AdminContext, after: str = "", limit: int = 100, **wanted: str
) -> list[AccountUseView]:
    return await account_uses(context, UseSelection.model_validate(wanted), after, limit)


def received(views: list[AccountUseView]) -> list[tuple[str, int]]:
    return [(view.account, view.received) for view in views]


def test_an_operator_sees_all_accounts_of_this_month() -> None:
    async def story() -> list[AccountUseView]:
        return await shown((await platform()).context)

    assert received(run(story())) == [("alpha", 99), ("alpha", 0), ("beta", 0), ("gone", 7)]


def test_one_account_is_shown_for_a_year() -> None:
    async def story() -> list[AccountUseView]:
        return await shown((await platform()).context, account="beta")

    views = run(story())
    assert [view.received for view in views] == [*range(11, -1, -1)]
    assert {view.octet_days for view in views} == {1.0}


def test_months_are_cut_out() -> None:
    async def story() -> list[AccountUseView]:
        months = [
            f"{m // 100}-{m % 100:02}" for m in (months_before(NOW_MONTH, n) for n in (13, 12))
        ]
        admin = await platform()
        return await shown(admin.context, account="beta", since=months[0], until=months[1])

    assert [view.received for view in run(story())] == [13, 12]


def test_an_account_sees_its_own_since_it_was_added() -> None:
    async def story() -> list[AccountUseView]:
        context = as_login((await platform()).context, "alpha")
        assert await shown(context, account="alpha") == await shown(context)
        return await shown(context, account="alpha", since="2020-01")

    views = run(story())
    assert {view.account for view in views} == {"alpha"}
    assert 99 not in [view.received for view in views]
    assert len(views) == 14


def test_accounts_of_others_do_not_exist_for_an_account() -> None:
    async def story(name: str) -> None:
        context = as_login((await platform()).context, "alpha")
        await shown(context, account=name)

    for name in ("beta", "gone", "nobody"):
        with pytest.raises(AdminError) as refusal:
            run(story(name))
        assert refusal.value.kind is ErrorKind.NOT_FOUND


def test_the_list_goes_on_after_a_key() -> None:
    async def story() -> tuple[list[AccountUseView], list[AccountUseView]]:
        context = (await platform()).context
        first = await shown(context, limit=2)
        return first, await shown(context, first[-1].key)

    first, rest = run(story())
    assert received(first + rest) == [("alpha", 99), ("alpha", 0), ("beta", 0), ("gone", 7)]


def test_a_key_of_another_account_shows_nothing_more() -> None:
    async def story() -> list[AccountUseView]:
        context = as_login((await platform()).context, "beta")
        return await shown(context, "alpha/5/2020-01", account="beta")

    assert {view.account for view in run(story())} == {"beta"}


@pytest.mark.parametrize("after", ["x", "alpha/5", "alpha/x/2026-01", "/5/2026-01", "a/1/2026-01/"])
def test_a_wrong_key_is_refused(after: str) -> None:
    async def story() -> None:
        await shown(AdminWorld().context, after)

    with pytest.raises(AdminError, match="not a place"):
        run(story())


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    async def story() -> None:
        await shown(AdminWorld().context, since="2026-02", until="2026-01")

    with pytest.raises(AdminError, match="later than until"):
        run(story())


@pytest.mark.parametrize(
    "month", ["2026", "2026-13", "2026-00", "2026-1", "nan", "\u0662026-01", ""]
)
def test_months_have_a_form(month: str) -> None:
    with pytest.raises(ValidationError):
        UseSelection.model_validate({"since": month})
