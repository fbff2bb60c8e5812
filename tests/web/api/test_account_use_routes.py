"""The use of the server by accounts, over the API."""

import csv
import io
from typing import Any

import pytest

from restante.admin import use_table
from restante.queue.monthly_use import AccountUse, MonthlyUse, UseMonth, month_of
from tests.admin.admin_world import NOW, AdminWorld, run
from tests.web.api.asking import ask


def test_it_comes_by_pages() -> None:
    admin = AdminWorld()
    for name in ("alpha", "beta", "gamma"):
        use = MonthlyUse(UseMonth(name, 100, month_of(NOW)), AccountUse(1))
        run(admin.store.uses.add_uses([use]))
    first = ask(admin, "GET", "/v1/account-uses", params={"limit": 2})
    assert [row["account"] for row in first.json()] == ["alpha", "beta"]
    last = ask(admin, "GET", first.links["next"]["url"])
    assert [row["account"] for row in last.json()] == ["gamma"]
    assert "next" not in last.links


@pytest.mark.parametrize(
    ("params", "headers"),
    [({"format": "csv"}, {}), ({}, {"Accept": "text/csv"}), ({"limit": 1}, {"Accept": "text/csv"})],
)
def test_a_table_has_all_uses(params: dict[str, Any], headers: dict[str, str]) -> None:
    admin = AdminWorld()
    for number in range(use_table.SLICE + 2):
        use = MonthlyUse(UseMonth(f"a{number:03}", 100, month_of(NOW)), AccountUse(number))
        run(admin.store.uses.add_uses([use]))
    answer = ask(admin, "GET", "/v1/account-uses", params=params, headers=headers)
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert "octet_days" in rows[0]
    assert [row["received"] for row in rows] == [str(n) for n in range(use_table.SLICE + 2)]


def test_json_stays_the_usual_form_and_errors_are_problems() -> None:
    admin = AdminWorld()
    both = {"Accept": "application/json, text/csv"}
    assert ask(admin, "GET", "/v1/account-uses", headers=both).json() == []
    params = {"format": "csv", "since": "2026-03", "until": "2026-02"}
    answer = ask(admin, "GET", "/v1/account-uses", params=params)
    assert (answer.status_code, answer.json()["kind"]) == (422, "invalid")


def test_a_wrong_month_is_a_fault_of_the_request() -> None:
    answer = ask(AdminWorld(), "GET", "/v1/account-uses", params={"since": "2026-13"})
    assert answer.status_code == 422
    assert ask(AdminWorld(), "GET", "/v1/account-uses", params={"after": "x"}).status_code == 422
