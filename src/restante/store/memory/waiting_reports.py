"""The reports of a store that forgets."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from restante.mail.address import path_matches
from restante.mail.delivery_report import NewReport, Report, ReportAction
from restante.mail.sealed_size import REPORT_EXTRA
from restante.queue.fair_order import DueReport, fair_order, target_of
from restante.queue.report_lanes import NONE_OCCUPIED, OccupiedLanes
from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.store.report_store import ReportFilter, WaitingReport


class WaitingReports:
    """Reports on their way, each with the time of its next attempt."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[float, Report]] = {}  # by number
        self._last_number = 0

    def keep(self, reports: Iterable[NewReport]) -> None:
        """Add reports; their first attempt is due at once."""
        for report in reports:
            self._last_number += 1
            self._waiting[self._last_number] = (
                report.made_at,
                _numbered(self._last_number, report),
            )

    def due(
        self,
        now: float,
        limit: int,
        max_octets: int,
        account_of: Callable[[int], str],
        occupied: OccupiedLanes = NONE_OCCUPIED,
    ) -> list[Report]:
        """Return those due for which a lane is free, in fair order.

        `account_of` maps a domain's id to its account or "".
        """
        waiting = sorted(self._waiting.values(), key=lambda one: (one[0], one[1].number))
        due = [report for due_at, report in waiting if due_at <= now]
        turns = (_turn(one, account_of) for one in due)
        order = fair_order((turn for turn in turns if occupied.admit(turn.use)), occupied.turns)
        found: list[Report] = []
        octets = 0
        for report in (self._waiting[number][1] for number in order):
            if len(found) == limit or (found and octets >= max_octets):
                break
            found.append(report)
            octets += len(report.content)
        return found

    def successes(self, account_of: Callable[[int], str]) -> list[DueReport]:
        """Return the reports of success, in the order in which they were made."""
        reports = (report for _, (_, report) in sorted(self._waiting.items()))
        return [
            _turn(report, account_of)._replace(is_repeated=False)
            for report in reports
            if report.action is ReportAction.RELAYED
        ]

    def all(self) -> list[tuple[int, Report]]:
        """Return all reports, by number."""
        return [(number, report) for number, (_, report) in sorted(self._waiting.items())]

    def next_at(self) -> float | None:
        """Return when the next one is due."""
        return min((due_at for due_at, _ in self._waiting.values()), default=None)

    def hasten(self, at: float, beyond: float) -> None:
        """Have those tried soon that wait for too long."""
        for number, (due_at, report) in self._waiting.items():
            if due_at > beyond:
                self._waiting[number] = (at, report)

    def backlog(self) -> Backlog:
        """Return how many wait, and since when."""
        oldest = next((report.made_at for _, report in self._waiting.values()), None)
        return Backlog(len(self._waiting), oldest)

    def settle(self, outcomes: Sequence[SendingOutcome]) -> None:
        """Record the outcomes of some."""
        for outcome in outcomes:
            if outcome.next_attempt_at is None:
                self._waiting.pop(outcome.number, None)
            elif outcome.number in self._waiting:
                _, report = self._waiting[outcome.number]
                failed = replace(report, failures=report.failures + 1, reply=outcome.reply)
                self._waiting[outcome.number] = (outcome.next_attempt_at, failed)

    def listed(self, selection: ReportFilter) -> list[WaitingReport]:
        """Return those that match, by number."""
        found = [
            _waiting(*self._waiting[number])
            for number in sorted(self._waiting)
            if number > selection.after
        ]
        return [one for one in found if _matches(one, selection)][: selection.limit]

    def one(self, number: int) -> Report | None:
        """Return one, None if it does not wait."""
        return self._waiting[number][1] if number in self._waiting else None

    def stored(self, after: int, limit: int, *, is_sealed: bool) -> list[Report]:
        """Return the next ones by number that are sealed, or that are not."""
        found = [one for number, one in self.all() if number > after and one.is_sealed == is_sealed]
        return found[:limit]

    def replace_contents(self, again: Mapping[int, tuple[bytes, bytes]]) -> int:
        """Replace contents that are as given; return how many."""
        count = 0
        for number, (old, new) in again.items():
            due_at, report = self._waiting.get(number, (0.0, None))
            if report is not None and report.content == old:
                self._waiting[number] = (due_at, replace(report, content=new, is_sealed=True))
                count += 1
        return count

    def drop(self, numbers: Sequence[int]) -> list[int]:
        """Forget some; return which were there."""
        return [number for number in numbers if self._waiting.pop(number, None) is not None]


def _turn(report: Report, account_of: Callable[[int], str]) -> DueReport:
    return DueReport(
        report.number,
        report.action,
        account_of(report.domain_id),
        target_of(report.reverse_path),
        bool(report.failures),
    )


def _waiting(due_at: float, report: Report) -> WaitingReport:
    return WaitingReport(
        report.number,
        report.about,
        report.domain_id,
        report.action,
        report.reverse_path,
        report.made_at,
        due_at,
        report.failures,
        report.reply,
        len(report.content) - REPORT_EXTRA * report.is_sealed,
    )


def _matches(report: WaitingReport, selection: ReportFilter) -> bool:
    return (
        (selection.domain_ids is None or report.domain_id in selection.domain_ids)
        and (
            selection.reverse_path is None
            or path_matches(report.reverse_path, selection.reverse_path)
        )
        and (not selection.numbers or report.number in selection.numbers)
    )


def _numbered(number: int, report: NewReport) -> Report:
    return Report(
        number,
        report.about,
        report.domain_id,
        report.action,
        report.reverse_path,
        report.content,
        report.made_at,
        report.is_8bit,
        report.needs_smtputf8,
        is_sealed=report.is_sealed,
    )
