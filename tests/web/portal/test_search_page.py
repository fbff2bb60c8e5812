"""Search over held mail and mail that has left."""

import asyncio

import pytest

from restante.admin.held_mail import NamedMessages, delete_messages
from restante.mail.message import message_name
from tests.admin.admin_world import AdminWorld
from tests.web.portal.visitors import ALPHA, BETA, hosting, visit


def with_history() -> AdminWorld:
    admin = hosting()

    async def story() -> None:
        await admin.hold(1, 1, "here@alpha.example")
        await admin.hold(2, 1, "gone@alpha.example")
        named = NamedMessages(names=(message_name(2),), reason="tests")
        await delete_messages(admin.context, named)

    asyncio.run(story())
    return admin


def test_a_form_without_a_question_reads_nothing() -> None:
    text = visit(with_history(), "/search", ALPHA).text
    assert "Enter what you look for" in text
    assert "@alpha.example" not in text


def test_both_kinds_of_mail_are_found_by_their_account_alone() -> None:
    admin = with_history()
    text = visit(admin, "/search?recipient=*@alpha.example", ALPHA).text
    assert "here@alpha.example" in text
    assert "gone@alpha.example" in text
    assert "restante trace --to &#39;*@alpha.example&#39;" in text
    assert "Nothing found" in visit(admin, "/search?recipient=*@alpha.example", BETA).text
    assert visit(admin, "/search?domain=alpha.example", BETA).status_code == 404
    only_gone = visit(admin, "/search?outcome=deleted", ALPHA).text
    assert "here@" not in only_gone


@pytest.mark.parametrize(
    "query", ["since=yesterday", "outcome=odd", "since=2026-02-02&until=2026-01-01"]
)
def test_odd_questions_get_an_answer(query: str) -> None:
    assert visit(with_history(), f"/search?{query}", ALPHA).status_code == 422


def test_a_day_is_whole() -> None:
    text = visit(with_history(), "/search?since=2025-10-09&until=2025-10-09", ALPHA).text
    assert "gone@alpha.example" in text
