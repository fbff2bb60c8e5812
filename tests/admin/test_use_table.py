"""The use of the server as CSV."""

import csv
import io

import pytest

from restante.admin.account_use import UseSelection
from restante.admin.admin_error import AdminError
from restante.admin.use_table import SLICE, use_table
from restante.queue.monthly_use import AccountUse, MonthlyUse, UseMonth, month_of
from restante.tenancy.principal import account_login
from tests.admin.admin_world import NOW, AdminWorld, run


async def table(admin: AdminWorld, wanted: UseSelection) -> list[str]:
    return [part async for part in use_table(admin.context, wanted)]


def test_all_uses_come_in_slices_with_one_line_of_names() -> None:
    admin = AdminWorld()
    uses = [
        MonthlyUse(UseMonth(f"a{number:03}", 100, month_of(NOW)), AccountUse(number))
        for number in range(SLICE + 1)
    ]
    run(admin.store.uses.add_uses(uses))
    parts = run(table(admin, UseSelection()))
    assert len(parts) == 2
    rows = list(csv.DictReader(io.StringIO("".join(parts))))
    assert [row["received"] for row in rows] == [str(number) for number in range(SLICE + 1)]


def test_without_uses_there_are_the_names() -> None:
    [text] = run(table(AdminWorld(), UseSelection()))
    assert text.startswith("account,account_added_at,month,received,")
    assert text.count("\n") == 1


def test_an_account_gets_no_table_of_another() -> None:
    async def story() -> None:
        admin = AdminWorld()
        await admin.host("alpha.example", "alpha")
        await admin.host("beta.example", "beta")
        context = admin.context.acting(account_login("ada", "beta", "192.0.2.1"))
        with pytest.raises(AdminError, match="account alpha: does not exist"):
            await anext(use_table(context, UseSelection(account="alpha")))

    run(story())
