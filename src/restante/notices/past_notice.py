"""The record of a notice after its last attempt. Pure."""

from restante.notices.notice_language import clean
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.tenancy.notice import Notice, PastNotice


def past_notice(notice: Notice, attempt: NoticeAttempt, at: float) -> PastNotice:
    """Return the record of a notice that was sent or given up at a Unix time."""
    is_sent = attempt.end is NoticeResult.SENT
    return PastNotice(
        number=0,
        channel_id=notice.channel_id,
        key=notice.key,
        facts=notice.facts,
        held_back=notice.held_back,
        ended_at=at,
        is_sent=is_sent,
        failures=notice.failures + (not is_sent),
        reply=clean(attempt.text),
    )
