"""The use of the server by accounts, over the API."""

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


def test_a_wrong_month_is_a_fault_of_the_request() -> None:
    answer = ask(AdminWorld(), "GET", "/v1/account-uses", params={"since": "2026-13"})
    assert answer.status_code == 422
    assert ask(AdminWorld(), "GET", "/v1/account-uses", params={"after": "x"}).status_code == 422
