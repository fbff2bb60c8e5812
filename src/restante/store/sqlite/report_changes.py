"""Changes of reports in the tables.

Each function runs on the writer thread inside a transaction.
"""

from collections.abc import Iterable, Mapping, Sequence

from restante.mail.delivery_report import NewReport
from restante.store.queue_store import MessageBounce
from restante.store.sqlite import audit_queries, mail_queries, report_queries
from restante.store.sqlite.history_changes import keep_outcomes
from restante.store.sqlite.mail_changes import remove
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.stored_form.rows import audit_row, paths, report_row
from restante.tenancy.audit import AuditEntry


def bounce(
    transaction: WriteTransaction, bounces: Sequence[MessageBounce], audit: AuditEntry
) -> list[int]:
    """Remove recipients that are as their reports say, and keep the reports; return the numbers."""
    transaction.execute(audit_queries.RECORD, audit_row(audit))
    done = [one for one in bounces if _give_up(transaction, one, audit.at)]
    store_reports(transaction, [one.report for one in done if one.report is not None])
    return [one.number for one in done]


def _give_up(transaction: WriteTransaction, bounce: MessageBounce, at: float) -> bool:
    rows = transaction.execute(mail_queries.WHO_WAITS, (bounce.number,))
    if not rows or not bounce.forward_paths:
        return False
    domain_id, held_paths = rows[0]
    held = paths(held_paths)
    refused = [
        path
        for (path,) in transaction.execute(mail_queries.REFUSED_PATHS, (domain_id, bounce.number))
    ]
    named = set(bounce.forward_paths)
    if not named <= {*held, *refused}:
        return False
    keep_outcomes(transaction, domain_id, [(bounce.number, one) for one in bounce.outcomes], at)
    if named == {*held, *refused}:
        remove(transaction, [bounce.number])
        return True
    for path in named:
        transaction.execute(mail_queries.FORGET_REPLY, (domain_id, bounce.number, path))
    left = [path for path in held if path not in named]
    if left != held:
        transaction.execute(mail_queries.KEEP_HELD_PATHS, ("\n".join(left), bounce.number))
        transaction.ledger.move_to_refused(domain_id, int(not left))
    return True


def store_reports(transaction: WriteTransaction, reports: Iterable[NewReport]) -> None:
    """Add reports; their first attempt is due at once."""
    for report in reports:
        transaction.execute(report_queries.KEEP_REPORT, report_row(report))


def hasten(transaction: WriteTransaction, at: float, beyond: float) -> None:
    """Have reports tried at `at` that wait until after `beyond`."""
    transaction.execute(report_queries.HASTEN_REPORTS, (at, beyond))


def drop(transaction: WriteTransaction, numbers: Sequence[int], audit: AuditEntry) -> list[int]:
    """Remove reports; return the numbers of those that were there."""
    transaction.execute(audit_queries.RECORD, audit_row(audit))
    return [
        number for number in numbers if transaction.execute(report_queries.DROP_REPORT, (number,))
    ]


def replace_contents(
    transaction: WriteTransaction, again: Mapping[int, tuple[bytes, bytes]]
) -> int:
    """Replace contents that are as given; return how many."""
    count = 0
    for number, (old, new) in again.items():
        bindings = {"number": number, "old": old, "new": new}
        transaction.execute(report_queries.REPLACE_CONTENT, bindings)
        count += transaction.connection.changes()
    return count


def tell_of_delay(
    transaction: WriteTransaction, numbers: Sequence[int], reports: Sequence[NewReport]
) -> None:
    """Keep the reports on messages whose delay was not reported yet, and note that it now is."""
    untold = {
        number for number in numbers if transaction.execute(report_queries.DELAY_IS_TOLD, (number,))
    }
    store_reports(transaction, [report for report in reports if report.about in untold])
