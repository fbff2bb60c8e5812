"""The queue: filters, a selection that a refresh keeps, and actions that ask first."""

import asyncio
import re

import pytest

from restante.tenancy.grants import GrantedRole
from restante.web.portal.queue_page import STEP_UP_FROM
from tests.admin.desk import NOW, Desk
from tests.web.portal.visitors import ALPHA, BETA, hosting, user_of, visit

EVIL = '"><script>alert(1)</script>@sender.example'


def with_mail(count: int = 3) -> Desk:
    desk = hosting()

    async def story() -> None:
        for number in range(1, count + 1):
            await desk.hold(number, 1, f"user{number}@alpha.example")
        await desk.hold(count + 1, 2, "secret@beta.example")

    asyncio.run(story())
    return desk


def names_in(text: str) -> list[str]:
    return re.findall(r'type="checkbox" name="name" value="([^"]+)"', text)


def left(desk: Desk) -> list[str]:
    return names_in(visit(desk, "/queue", ALPHA).text)


def test_a_filter_selects_and_another_account_s_mail_does_not_exist() -> None:
    desk = with_mail()
    text = visit(desk, "/queue", ALPHA).text
    assert len(names_in(text)) == 3
    assert "secret@" not in text
    [name] = names_in(visit(desk, "/queue?recipient=user2@*", ALPHA).text)
    assert f'href="/messages/{name}"' in text
    assert names_in(visit(desk, "/queue?hours=2", ALPHA).text) == []
    assert visit(desk, "/queue?domain=beta.example", ALPHA).status_code == 404


@pytest.mark.parametrize(
    "query", ["status=odd", "hours=x", "hours=nan", "kilobytes=-1", "after=%21"]
)
def test_odd_filters_get_an_answer(query: str) -> None:
    assert visit(with_mail(), f"/queue?{query}", ALPHA).status_code == 422


def test_a_refresh_keeps_what_is_ticked() -> None:
    desk = with_mail()
    second = left(desk)[1]
    text = visit(desk, f"/queue?name={second}", ALPHA).text
    assert re.findall(r'value="([^"]+)" aria-label="[^"]*" checked', text) == [second]
    assert "<span data-ticked>1</span>" in text


def test_the_question_repeats_count_filter_and_reason_and_changes_nothing() -> None:
    desk = with_mail()
    form = {"action": "delete", "scope": "all", "recipient": "user?@*", "reason": "tests"}
    text = visit(desk, "/queue/confirm", ALPHA, form=form).text
    assert "Delete 3 messages?" in text
    assert "all mail to user?@*" in text
    assert 'name="reason" value="tests"' in text
    assert "restante queue delete --recipient &#39;user?@*&#39; --reason tests" in text
    assert len(left(desk)) == 3


def test_all_that_match_leaves_mail_alone_that_came_after_the_question() -> None:
    desk = with_mail()
    form = {"action": "delete", "scope": "all", "reason": "tests"}
    asked = visit(desk, "/queue/confirm", ALPHA, form=form).text
    [last] = re.findall(r'name="last" value="([^"]+)"', asked)
    asyncio.run(desk.hold(99, 1, "late@alpha.example"))
    done = visit(desk, "/queue/carry-out", ALPHA, form={**form, "last": last})
    assert done.status_code == 303
    assert "3+messages+are+deleted" in done.headers["location"]
    assert len(left(desk)) == 1


def test_ticked_messages_alone_are_deleted() -> None:
    desk = with_mail()
    first, *rest = left(desk)
    form = {"action": "delete", "names": first, "reason": "tests"}
    assert visit(desk, "/queue/carry-out", ALPHA, form=form).status_code == 303
    assert left(desk) == rest
    again = visit(desk, "/queue/carry-out", ALPHA, form=form)
    assert "0+messages+are+deleted" in again.headers["location"]


def test_a_bounce_and_a_deletion_need_a_reason() -> None:
    desk = with_mail()
    for action in ("bounce", "delete"):
        form = {"action": action, "names": left(desk)[0]}
        assert visit(desk, "/queue/carry-out", ALPHA, form=form).status_code == 400
    assert len(left(desk)) == 3


def test_names_of_another_account_change_nothing() -> None:
    desk = with_mail()
    form = {"action": "delete", "names": " ".join(left(desk)), "reason": "mine"}
    visit(desk, "/queue/carry-out", BETA, form=form)
    assert len(left(desk)) == 3


def test_a_reader_changes_nothing() -> None:
    desk = with_mail()
    reader = user_of("alpha", GrantedRole.ACCOUNT_READER)
    form = {"action": "delete", "names": left(desk)[0], "reason": "mine"}
    assert visit(desk, "/queue/carry-out", reader, form=form).status_code == 403
    assert 'value="delete"' not in visit(desk, "/queue", reader).text


def test_many_deletions_need_a_recent_factor() -> None:
    desk = with_mail(STEP_UP_FROM + 1)
    form = {"action": "delete", "scope": "all", "reason": "tests"}
    sent = visit(desk, "/queue/carry-out", ALPHA, form=form, fresh_until=NOW - 1)
    assert sent.headers["location"].startswith("/step-up?next=%2Fqueue")
    assert len(left(desk)) == 100
    done = visit(desk, "/queue/carry-out", ALPHA, form=form)
    assert done.headers["location"].startswith("/queue?")
    assert left(desk) == []


def test_an_empty_selection_and_an_unknown_action_get_an_answer() -> None:
    desk = with_mail()
    assert visit(desk, "/queue/confirm", ALPHA, form={"action": "delete"}).status_code == 400
    assert visit(desk, "/queue/confirm", ALPHA, form={"action": "burn"}).status_code == 422


def test_a_stranger_s_address_is_text() -> None:
    desk = hosting()
    asyncio.run(desk.hold(1, 1, "a@alpha.example", reverse_path=EVIL))
    text = visit(desk, "/queue", ALPHA).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
