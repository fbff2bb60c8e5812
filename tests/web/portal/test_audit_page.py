"""The audit trail of an account."""

import asyncio

from restante.web.portal.audit_page import ROWS
from tests.admin.desk import NOW, ask_for
from tests.web.portal.visitors import ALPHA, BETA, OPERATOR, hosting, visit


def test_an_account_sees_its_entries_only() -> None:
    desk = hosting()
    assert "alpha.example" in visit(desk, "/audit", ALPHA).text
    assert "beta.example" not in visit(desk, "/audit", ALPHA).text
    assert "alpha.example" in visit(desk, "/audit", OPERATOR).text
    assert "No entry matches" in visit(desk, "/audit?actor=nobody", BETA).text
    assert visit(desk, "/audit?action=odd", ALPHA).status_code == 422
    assert visit(desk, "/audit?until=nan", ALPHA).status_code == 200


def test_older_entries_are_on_another_page() -> None:
    desk = hosting()

    async def story() -> None:
        for number in range(1, ROWS + 5):
            await ask_for(desk, number, "alpha.example", 1, at=NOW + number)

    asyncio.run(story())
    text = visit(desk, "/audit?action=release-requested", ALPHA).text
    [link] = [part.split('"')[0] for part in text.split('href="') if part.startswith("/audit?")]
    older = visit(desk, link.replace("&amp;", "&"), ALPHA).text
    assert older.count('<th scope="row">') == 4
