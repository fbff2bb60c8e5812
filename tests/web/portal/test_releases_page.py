"""Requests for release, with the true reason for one's own account."""

import asyncio

from restante.mail.message import message_name
from tests.admin.admin_world import AdminWorld, ask_for
from tests.web.portal.visitors import ALPHA, BETA, OPERATOR, hosting, visit


def asked() -> AdminWorld:
    admin = hosting()
    asyncio.run(ask_for(admin, 5, "alpha.example", 1))
    return admin


def test_an_account_sees_its_requests_only() -> None:
    admin = asked()
    for who in (ALPHA, OPERATOR):
        text = visit(admin, "/releases", who).text
        assert "login alpha-mail" in text
        assert "granted" in text
    assert "No requests yet" in visit(admin, "/releases", BETA).text


def test_one_request_with_its_drains() -> None:
    admin = asked()
    text = visit(admin, f"/releases/{message_name(5)}", ALPHA).text
    assert "True reason: granted" in text
    assert 'href="/domains/alpha.example"' in text
    for name in (message_name(5), "x!"):
        assert visit(admin, f"/releases/{name}", BETA).status_code == 404
