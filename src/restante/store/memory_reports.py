"""The reports of a store that forgets."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from restante.mail.report import NewReport, Report, ReportOutcome


class MemoryReports:
    """Reports on their way, each with the time of its next attempt."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[float, Report]] = {}  # by number
        self._last_number = 0

    def keep(self, reports: Iterable[NewReport]) -> None:
        """Add reports; their first attempt is due at once."""
        for report in reports:
            self._last_number += 1
            self._waiting[self._last_number] = (report.made_at, _numbered(self._last_number, report))

    def due(self, now: float, limit: int, max_octets: int) -> list[Report]:
        """Return those due, longest first."""
        found: list[Report] = []
        octets = 0
        for due_at, report in sorted(self._waiting.values(), key=lambda one: (one[0], one[1].number)):
            if due_at > now or len(found) == limit or (found and octets >= max_octets):
                break
            found.append(report)
            octets += len(report.content)
        return found

    def next_at(self) -> float | None:
        """Return when the next one is due."""
        return min((due_at for due_at, _ in self._waiting.values()), default=None)

    def settle(self, outcomes: Sequence[ReportOutcome]) -> None:
        """Record what became of some."""
        for outcome in outcomes:
            if outcome.next_attempt_at is None:
                self._waiting.pop(outcome.number, None)
            elif outcome.number in self._waiting:
                _, report = self._waiting[outcome.number]
                failed = replace(report, failures=report.failures + 1, reply=outcome.reply)
                self._waiting[outcome.number] = (outcome.next_attempt_at, failed)


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
    )
