"""Reports that are due: their order, and the bounds of an answer."""

import pytest

from restante.mail.delivery_report import ReportAction
from restante.store.sqlite import report_changes, report_reading
from tests.contract.making import ANNA, report
from tests.store.sqlite.tables import Tables


@pytest.fixture
def tables() -> Tables:
    """One domain with three messages."""
    tables = Tables()
    tables.host()
    for number in range(1, 4):
        tables.hold(number, 1, ANNA)
    return tables


@pytest.mark.parametrize(
    ("limit", "max_octets", "abouts"),
    [(10, 1 << 20, [2, 1, 3]), (2, 1 << 20, [2, 1]), (10, 1, [2])],
)
def test_failures_are_due_first_and_within_bounds(
    tables: Tables, limit: int, max_octets: int, abouts: list[int]
) -> None:
    new = [
        report(1, 1, action=ReportAction.DELAYED),
        report(2, 1, action=ReportAction.FAILED),
        report(3, 1, action=ReportAction.RELAYED),
    ]
    tables.change(report_changes.store_reports, new)
    due = report_reading.due_reports(tables.connection, 50.0, limit, max_octets)
    assert [one.about for one in due] == abouts
    assert report_reading.due_reports(tables.connection, 49.0, limit, max_octets) == []
    assert report_reading.next_report_at(tables.connection) == 50.0
    one = report_reading.one_report(tables.connection, 1)
    assert one is not None
    assert one.content == b"report on 1\r\n"
    assert report_reading.one_report(tables.connection, 9) is None
