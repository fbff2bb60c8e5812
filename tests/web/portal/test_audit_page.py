"""The audit trail of an account."""

import asyncio

from restante.web.portal.audit_page import ROWS
from tests.admin.admin_world import NOW, ask_for
from tests.web.portal.visitors import ALPHA, BETA, OPERATOR, hosting, visit


def test_an_account_sees_its_entries_only() -> None:
    admin = hosting()
    assert "alpha.example" in visit(admin, "/audit", ALPHA).text
    assert "beta.example" not in visit(admin, "/audit", ALPHA).text
    assert "alpha.example" in visit(admin, "/audit", OPERATOR).text
    assert "No entry matches" in visit(admin, "/audit?actor=nobody", BETA).text
    assert visit(admin, "/audit?action=odd", ALPHA).status_code == 422
    assert visit(admin, "/audit?until=nan", ALPHA).status_code == 200


def test_older_entries_are_on_another_page() -> None:
    admin = hosting()

    async def story() -> None:
        for number in range(1, ROWS + 5):
            await ask_for(admin, number, "alpha.example", 1, at=NOW + number)

    asyncio.run(story())
    text = visit(admin, "/audit?action=release-requested", ALPHA).text
    [link] = [part.split('"')[0] for part in text.split('href="') if part.startswith("/audit?")]
    older = visit(admin, link.replace("&amp;", "&"), ALPHA).text
    assert older.count('<th scope="row">') == 4
