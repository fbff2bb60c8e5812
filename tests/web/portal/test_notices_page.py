"""Notices: channels and their test."""

import asyncio

from restante.admin.channels import add_channel
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.tenancy.grants import GrantedRole
from restante.tenancy.notice import NoticeFacts, NoticeKind, PastNotice
from tests.admin.admin_world import NOW, AdminWorld
from tests.admin.channel_making import hook
from tests.web.portal.visitors import ALPHA, BETA, hosting, user_of, visit


def with_channel() -> AdminWorld:
    admin = hosting()
    asyncio.run(add_channel(admin.context, hook("pager", account="alpha")))
    return admin


def test_channels_are_shown_without_secrets() -> None:
    text = visit(with_channel(), "/notices", ALPHA).text
    assert "pager" in text
    assert "a-token" not in text
    assert "No channel" in visit(with_channel(), "/notices", BETA).text


def test_a_test_is_sent_and_its_answer_shown() -> None:
    admin = with_channel()
    text = visit(admin, "/notices/pager/test", ALPHA, form={}).text
    assert "the test was sent" in text
    assert [channel.name for channel, _ in admin.transports.sent] == ["pager"]


def test_the_answer_to_a_failed_test_is_text() -> None:
    admin = with_channel()
    admin.transports.answer = NoticeAttempt(NoticeResult.NOT_NOW, "503 <b>no</b>")
    text = visit(admin, "/notices/pager/test", ALPHA, form={}).text
    assert "the test was not sent" in text
    assert "503 &lt;b&gt;no&lt;/b&gt;" in text


def test_others_send_no_test() -> None:
    admin = with_channel()
    assert visit(admin, "/notices/pager/test", BETA, form={"account": "alpha"}).status_code == 404
    reader = user_of("alpha", GrantedRole.ACCOUNT_READER)
    assert visit(admin, "/notices/pager/test", reader, form={}).status_code == 403
    assert admin.transports.sent == []


def with_past_notice() -> AdminWorld:
    admin = with_channel()
    [channel] = admin.context.directory.now.channels.values()
    facts = NoticeFacts(NoticeKind.QUOTA_REACHED, "alpha", "x", "It is <full>.", NOW)
    gone = PastNotice(0, channel.id, "key-1", facts, 0, NOW, is_sent=False, failures=9, reply="503")
    asyncio.run(admin.store.notices.settle_notices([], [gone]))
    return admin


def test_the_last_notices_are_shown_with_their_answers() -> None:
    admin = with_past_notice()
    text = visit(admin, "/notices", ALPHA).text
    assert "It is &lt;full&gt;." in text
    assert "given up" in text
    assert "It is" not in visit(admin, "/notices", BETA).text


def test_a_past_notice_is_sent_again_by_its_account_alone() -> None:
    admin = with_past_notice()
    form = {"id": "key-1"}
    foreign = visit(admin, "/notices/pager/again", BETA, form={**form, "account": "alpha"})
    assert foreign.status_code == 404
    assert visit(admin, "/notices/pager/again", ALPHA, form={"id": "other"}).status_code == 404
    assert admin.server is not None
    assert admin.server.notices_sent == 0
    assert visit(admin, "/notices/pager/again", ALPHA, form=form).status_code == 303
    assert admin.server.notices_sent == 1
