"""Reports on their way: due in fair order, deferred, hastened, dropped."""

from dataclasses import replace

import pytest

from restante.mail.delivery_report import ReportAction
from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.store.memory.waiting_reports import WaitingReports
from restante.store.report_store import ReportFilter
from tests.contract.making import report

LATER = 1e9


def waiting(*made_at: float) -> WaitingReports:
    """Reports made at these times, each about the message of its number, domains in turn."""
    reports = WaitingReports()
    reports.keep(
        report(number, number % 2 + 1, made_at=at) for number, at in enumerate(made_at, start=1)
    )
    return reports


def due(
    reports: WaitingReports, now: float = LATER, limit: int = 9, octets: int = 9999
) -> list[int]:
    """The numbers of those that are due."""
    return [one.number for one in reports.due(now, limit, octets, str)]


@pytest.mark.parametrize(
    ("now", "limit", "octets", "numbers"),
    [
        (LATER, 9, 9999, [2, 3, 1]),  # the longest due of each domain, then the rest
        (15.0, 9, 9999, [2]),
        (LATER, 2, 9999, [2, 3]),
        (LATER, 9, 1, [2]),
        (9.0, 9, 9999, []),
    ],
)
def test_those_due_come_within_bounds(
    now: float, limit: int, octets: int, numbers: list[int]
) -> None:
    assert due(waiting(30.0, 10.0, 20.0), now, limit, octets) == numbers


def test_a_report_is_done_with_or_put_off() -> None:
    reports = waiting(10.0, 20.0)
    assert (reports.next_at(), reports.backlog()) == (10.0, Backlog(2, 10.0))
    reports.settle(
        [SendingOutcome(1, None), SendingOutcome(2, 90.0, "450 later"), SendingOutcome(9, 1.0, "")]
    )
    assert (reports.next_at(), reports.backlog()) == (90.0, Backlog(1, 20.0))
    [one] = reports.due(LATER, 9, 9999, str)
    assert (one.number, one.failures, one.reply) == (2, 1, "450 later")


def test_only_those_that_wait_beyond_a_time_are_hastened() -> None:
    reports = waiting(10.0, 20.0, 30.0)
    reports.hasten(5.0, 20.0)
    assert {one.about: one.next_attempt_at for one in reports.listed(ReportFilter())} == {
        1: 10.0,
        2: 20.0,
        3: 5.0,
    }


@pytest.mark.parametrize(
    ("selection", "numbers"),
    [
        (ReportFilter(), [1, 2, 3]),
        (ReportFilter(after=1), [2, 3]),
        (ReportFilter(limit=1), [1]),
        (ReportFilter(domain_ids=(1,)), [2]),
        (ReportFilter(domain_ids=()), []),
        (ReportFilter(numbers=(3, 9)), [3]),
        (ReportFilter(reverse_path="bob@*"), [1, 2, 3]),
        (ReportFilter(reverse_path="anna@*"), []),
    ],
)
def test_a_listing_has_what_matches(selection: ReportFilter, numbers: list[int]) -> None:
    assert [one.number for one in waiting(1.0, 2.0, 3.0).listed(selection)] == numbers


def test_dropped_are_only_those_that_are_there() -> None:
    reports = waiting(10.0, 20.0)
    assert reports.drop([2, 9, 2]) == [2]
    assert [number for number, _ in reports.all()] == [1]
    assert reports.one(1) is not None
    assert reports.one(2) is None


def test_reports_of_success_are_known_apart() -> None:
    reports = waiting(10.0)
    reports.keep([replace(report(7, 1, made_at=20.0), action=ReportAction.RELAYED)])
    [one] = reports.successes(str)
    assert (one.number, one.action, one.account) == (2, ReportAction.RELAYED, "1")
