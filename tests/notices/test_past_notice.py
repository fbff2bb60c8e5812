"""The record of a notice after its last attempt."""

from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.notices.past_notice import past_notice
from restante.tenancy.notice import Notice, NoticeFacts, NoticeKind, PastNotice

FACTS = NoticeFacts(NoticeKind.TEST, "alpha", "hook", "A test.", 50.0)
NOTICE = Notice(4, 7, "key", FACTS, 2, 60.0, 60.0, failures=3)


def test_a_sent_notice_keeps_its_failures() -> None:
    assert past_notice(NOTICE, NoticeAttempt(NoticeResult.SENT, "204 ok"), 90.0) == PastNotice(
        0, 7, "key", FACTS, 2, 90.0, is_sent=True, failures=3, reply="204 ok"
    )


def test_a_notice_that_was_given_up_failed_once_more() -> None:
    past = past_notice(NOTICE, NoticeAttempt(NoticeResult.REFUSED, "410 gone"), 90.0)
    assert (past.is_sent, past.failures, past.reply) == (False, 4, "410 gone")


def test_text_of_strangers_is_cleaned() -> None:
    past = past_notice(NOTICE, NoticeAttempt(NoticeResult.REFUSED, "no\x1b[2J\r\nX: y"), 90.0)
    assert past.reply.isprintable()
