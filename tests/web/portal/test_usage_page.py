"""The use of an account, beside its quota."""

import asyncio

from restante.admin.accounts import AccountChange, change_account
from tests.web.portal.visitors import ALPHA, BETA, OPERATOR, hosting, visit


def test_an_account_sees_its_use() -> None:
    desk = hosting()
    asyncio.run(desk.hold(1, 1, "a@alpha.example"))
    asyncio.run(change_account(desk.context, "alpha", AccountChange(quota=1000)))
    text = visit(desk, "/usage", ALPHA).text
    assert "90 B of 1 kB" in text
    assert "<svg" in text
    assert visit(desk, "/usage?account=alpha", BETA).status_code == 404


def test_an_operator_chooses_the_account_first() -> None:
    desk = hosting()
    assert visit(desk, "/usage", OPERATOR).headers["location"] == "/"
    assert "Usage of beta" in visit(desk, "/usage?account=beta", OPERATOR).text
