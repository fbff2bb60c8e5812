"""What changes of reports do to the tables. Each function runs on the writer thread inside a transaction."""

from collections.abc import Iterable, Sequence

from restante.mail.report import NewReport, ReportOutcome
from restante.store.interface import Bounce
from restante.store.sqlite import queries
from restante.store.sqlite.mail_changes import remove
from restante.store.sqlite.rows import audit_row, paths, report_row, storable
from restante.store.sqlite.transaction import Transaction
from restante.tenancy.audit import AuditEntry


def bounce(transaction: Transaction, bounces: Sequence[Bounce], audit: AuditEntry) -> list[int]:
    """Remove messages that stand as their reports say, and keep the reports; return their numbers."""
    transaction.execute(queries.RECORD, audit_row(audit))
    agreed = {one.number: one for one in bounces if _recipients(transaction, one.number) == set(one.forward_paths)}
    remove(transaction, list(agreed))
    keep(transaction, [one.report for one in agreed.values() if one.report is not None])
    return list(agreed)


def _recipients(transaction: Transaction, number: int) -> set[str] | None:
    rows = transaction.execute(queries.WHO_WAITS, (number,))
    if not rows:
        return None
    domain_id, held_paths = rows[0]
    refused = transaction.execute(queries.REFUSED_PATHS, (domain_id, number))
    return {*paths(held_paths), *(path for (path,) in refused)}


def keep(transaction: Transaction, reports: Iterable[NewReport]) -> None:
    """Add reports; their first attempt is due at once."""
    for report in reports:
        transaction.execute(queries.KEEP_REPORT, report_row(report))


def settle_reports(transaction: Transaction, outcomes: Sequence[ReportOutcome]) -> None:
    """Remove reports that are done with, and put the others off."""
    for outcome in outcomes:
        if outcome.next_attempt_at is None:
            transaction.execute(queries.REMOVE_REPORT, (outcome.number,))
        else:
            word = (outcome.next_attempt_at, storable(outcome.reply), outcome.number)
            transaction.execute(queries.PUT_REPORT_OFF, word)


def tell_of_delay(transaction: Transaction, numbers: Sequence[int], reports: Sequence[NewReport]) -> None:
    """Keep the reports on messages of whose delay nothing was told, and take note that it is now."""
    untold = {number for number in numbers if transaction.execute(queries.DELAY_IS_TOLD, (number,))}
    keep(transaction, [report for report in reports if report.about in untold])
