"""How much accounts used the server, on the command line."""

import json

import pytest

from restante.queue.monthly_use import AccountUse, MonthlyUse, UseMonth, month_of
from tests.admin.admin_world import NOW, AdminWorld, run
from tests.cli.conftest import Command

MONTH = month_of(NOW)
TEXT = f"{MONTH // 100}-{MONTH % 100:02}"


@pytest.fixture
def used(admin: AdminWorld) -> AdminWorld:
    use = AccountUse(1204, 5 * 2**20, 1200, 2**20 * 86400 * 2.5)
    run(admin.store.uses.add_uses([MonthlyUse(UseMonth("alpha", 100, MONTH), use)]))
    return admin


def test_it_shows_a_line_for_each_month(used: AdminWorld, command: Command) -> None:
    assert used.server
    lines = command("account", "usage").out.splitlines()
    assert lines[0].split() == ["ACCOUNT", "MONTH", "RECEIVED", "SIZE", "DELIVERED", "MIB", "DAYS"]
    assert lines[1].split() == ["alpha", TEXT, "1204", "5.0", "MiB", "1200", "2.5"]
    assert lines[-1] == "1 month of an account"


def test_csv_is_for_bills(used: AdminWorld, command: Command) -> None:
    assert used.server
    header, row = command("account", "usage", "alpha", "--csv").out.splitlines()
    assert header.startswith("account,account_added_at,month,received,")
    assert row.startswith("alpha,1970-01-01T00:01:40Z,")
    assert row.endswith(",1204,5242880,1200,2621440.0")


def test_json_has_the_same_fields(used: AdminWorld, command: Command) -> None:
    assert used.server
    [row] = json.loads(command("account", "usage", "--json").out)
    assert (row["account"], row["month"], row["delivered"]) == ("alpha", TEXT, 1200)


def test_csv_and_json_exclude_each_other(used: AdminWorld, command: Command) -> None:
    assert used.server
    assert "not both" in command("account", "usage", "--csv", "--json").err


def test_a_wrong_month_is_named(used: AdminWorld, command: Command) -> None:
    assert used.server
    assert "since" in command("account", "usage", "--since", "May").err
