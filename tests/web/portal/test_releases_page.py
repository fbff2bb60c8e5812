"""Requests for release, with the true reason for one's own account."""

import asyncio

from restante.mail.message import message_name
from tests.admin.desk import Desk, ask_for
from tests.web.portal.visitors import ALPHA, BETA, OPERATOR, hosting, visit


def asked() -> Desk:
    desk = hosting()
    asyncio.run(ask_for(desk, 5, "alpha.example", 1))
    return desk


def test_an_account_sees_its_requests_only() -> None:
    desk = asked()
    for who in (ALPHA, OPERATOR):
        text = visit(desk, "/releases", who).text
        assert "login alpha-mail" in text
        assert "granted" in text
    assert "Nobody asked yet" in visit(desk, "/releases", BETA).text


def test_one_request_with_its_drains() -> None:
    desk = asked()
    text = visit(desk, f"/releases/{message_name(5)}", ALPHA).text
    assert "True reason: granted" in text
    assert 'href="/domains/alpha.example"' in text
    for name in (message_name(5), "x!"):
        assert visit(desk, f"/releases/{name}", BETA).status_code == 404
