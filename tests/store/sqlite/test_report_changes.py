"""Changes of reports, each as one transaction."""

import pytest

from restante.mail.delivery_report import ReportAction
from restante.store.queue_store import MessageBounce
from restante.store.sqlite import mail_changes, report_changes
from tests.contract.making import ANNA, BERT, CARL, NOTED, content_file, refused, report
from tests.store.sqlite.tables import Tables


@pytest.fixture
def tables() -> Tables:
    """A domain with a message to three recipients; Bert is refused."""
    tables = Tables()
    tables.host()
    tables.hold(1, 1, ANNA, BERT, CARL, file=content_file("0/one", b"content"))
    tables.change(mail_changes.settle, tables.drain(1), [refused(1, BERT)])
    return tables


@pytest.mark.parametrize(
    ("paths", "is_done", "held", "parked"),
    [
        ((ANNA,), True, [CARL], {BERT}),
        ((BERT,), True, [ANNA, CARL], set()),
        ((ANNA, CARL), True, [], {BERT}),
        ((ANNA, BERT, CARL), True, [], set()),
        ((), False, [ANNA, CARL], {BERT}),
        ((ANNA, "nobody@alpha.example"), False, [ANNA, CARL], {BERT}),
    ],
)
def test_a_bounce_takes_the_recipients_that_its_report_names_or_none(
    tables: Tables, paths: tuple[str, ...], is_done: bool, held: list[str], parked: set[str]
) -> None:
    done = tables.change(
        report_changes.bounce, [MessageBounce(1, paths, report(1, 1, *paths))], NOTED
    )
    assert done == ([1] if is_done else [])
    assert len(tables.rows("SELECT 1 FROM report")) == is_done
    waits, replies = tables.standing(1)
    assert (waits, set(replies)) == (held, parked)
    assert tables.files_removed == ([] if held or parked else ["0/one"])
    tables.check_figures()


def test_a_bounce_without_a_report_tells_nobody(tables: Tables) -> None:
    assert tables.change(report_changes.bounce, [MessageBounce(1, (ANNA,), None)], NOTED) == [1]
    assert tables.rows("SELECT 1 FROM report") == []


def test_only_reports_that_wait_beyond_a_time_are_hastened(tables: Tables) -> None:
    new = [report(number, 1, made_at=at) for number, at in ((1, 10.0), (2, 20.0), (3, 30.0))]
    tables.change(report_changes.store_reports, new)
    tables.change(report_changes.hasten, 5.0, 20.0)
    due = tables.rows("SELECT about, next_attempt_at FROM report ORDER BY about")
    assert due == [(1, 10.0), (2, 20.0), (3, 5.0)]


def test_dropped_are_only_those_that_are_there(tables: Tables) -> None:
    tables.change(report_changes.store_reports, [report(1, 1), report(2, 1)])
    assert tables.change(report_changes.drop, [2, 9, 2], NOTED) == [2]
    assert tables.rows("SELECT number FROM report") == [(1,)]


def test_delay_is_told_once_and_only_where_it_is_owed(tables: Tables) -> None:
    tables.connection.execute("UPDATE message SET flags = flags | 8 WHERE number = 1")
    late = [report(number, 1, action=ReportAction.DELAYED) for number in (1, 9)]
    for _ in range(2):
        tables.change(report_changes.tell_of_delay, [1, 9], late)
    assert tables.rows("SELECT about FROM report") == [(1,)]
