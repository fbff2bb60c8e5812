"""The use of an account, beside its quota."""

import asyncio
import re

import pytest

from restante.admin.accounts import AccountChange, change_account
from restante.queue.monthly_use import AccountUse, MonthlyUse, UseMonth, month_of
from restante.tenancy.policy import DAY
from restante.web.portal import usage_page
from tests.admin.admin_world import NOW
from tests.web.portal.visitors import ALPHA, BETA, OPERATOR, hosting, visit


def test_an_account_sees_its_use() -> None:
    admin = hosting()
    asyncio.run(admin.hold(1, 1, "a@alpha.example"))
    asyncio.run(change_account(admin.context, "alpha", AccountChange(quota=1024)))
    text = visit(admin, "/usage", ALPHA).text
    assert "90 B of 1 KiB" in text
    assert "<svg" in text
    assert visit(admin, "/usage?account=alpha", BETA).status_code == 404


def test_an_operator_sees_this_month_of_all_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = hosting()
    assert "Nothing has been counted in this month yet." in visit(admin, "/usage", OPERATOR).text
    added_at = int(admin.context.directory.now.accounts["alpha"].created_at)
    uses = [
        MonthlyUse(UseMonth(name, added_at, month_of(NOW) - ago), AccountUse(count, 5000, 3, DAY))
        for name, ago, count in (("alpha", 0, 1201), ("alpha", 1, 777), ("gone", 0, 1302))
    ]
    asyncio.run(admin.store.uses.add_uses(uses))
    text = visit(admin, "/usage", OPERATOR).text
    assert 'href="/usage?account=alpha"' in text
    assert 'gone <span class="quiet">removed</span>' in text
    assert "1,201" in text
    assert "777" not in text
    assert 'href="/usage.csv"' in text
    assert "restante account usage --csv" in text
    monkeypatch.setattr(usage_page, "ROWS", 1)
    text = visit(admin, "/usage", OPERATOR).text
    assert "gone" not in text
    [following] = re.findall(r'href="(\?after=[^"]*)"', text)
    assert "1,302" in visit(admin, f"/usage{following}", OPERATOR).text
    assert "Usage of beta" in visit(admin, "/usage?account=beta", OPERATOR).text


def test_the_use_of_each_month_is_shown_the_last_one_first() -> None:
    admin = hosting()
    added_at = int(admin.context.directory.now.accounts["alpha"].created_at)
    uses = [
        MonthlyUse(
            UseMonth("alpha", added_at, month_of(NOW) - ago), AccountUse(1200 + ago, 5000, 3, DAY)
        )
        for ago in (0, 1)
    ]
    asyncio.run(admin.store.uses.add_uses(uses))
    text = visit(admin, "/usage", ALPHA).text
    assert text.index("1,200") < text.index("1,201")
    assert "restante account usage alpha --csv" in text
    assert 'href="/usage.csv?account=alpha"' in text
    table = visit(admin, "/usage.csv?account=alpha", ALPHA)
    assert table.headers["content-type"].startswith("text/csv")
    assert "attachment" in table.headers["content-disposition"]
    assert table.text.splitlines()[0].startswith("account,account_added_at,month,")
    assert [line.split(",")[3] for line in table.text.splitlines()[1:]] == ["1201", "1200"]
    assert visit(admin, "/usage.csv?account=alpha", BETA).status_code == 404
    assert visit(admin, f"/usage.csv?account={'x' * 2000}", ALPHA).status_code == 422
    assert "Nothing has been counted yet" in visit(admin, "/usage", BETA).text
