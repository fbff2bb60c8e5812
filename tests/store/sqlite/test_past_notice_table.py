"""Past notices in their table: read along the index of a channel."""

from restante.store.sqlite.past_notice_table import keep_past, past_notices, remove_past
from restante.tenancy.notice import NoticeFacts, NoticeKind, PastNotice
from tests.store.sqlite.tables import Tables

FACTS = NoticeFacts(NoticeKind.TEST, "", "hook", "A test.", 50.0)


def test_a_channel_that_does_not_exist_keeps_nothing() -> None:
    tables = Tables()
    one = PastNotice(0, 7, "key", FACTS, 0, 60.0, is_sent=True, failures=0, reply="")
    tables.change(keep_past, [one])
    assert past_notices(tables.connection, None, None, 9) == []
    tables.change(remove_past, 7)
