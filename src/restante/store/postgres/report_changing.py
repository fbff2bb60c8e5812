"""Changes of reports. Each function is called inside a transaction."""

from collections.abc import Mapping, Sequence

from restante.mail.delivery_report import NewReport
from restante.queue.sending_outcome import SendingOutcome
from restante.store.postgres import report_statements
from restante.store.postgres.audit_writing import record
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.stored_form.rows import report_row, storable
from restante.tenancy.audit import AuditEntry


async def keep(transaction: PostgresTransaction, reports: Sequence[NewReport]) -> None:
    """Add reports; their first attempt is due at once."""
    if reports:
        rows = zip(*map(report_row, reports), strict=True)
        await transaction.fetch(report_statements.KEEP, *map(list, rows))


async def drop(
    transaction: PostgresTransaction, numbers: Sequence[int], audit: AuditEntry
) -> list[int]:
    """Remove reports; return the numbers of those that were there."""
    await record(transaction, [audit])
    gone = {number for (number,) in await transaction.fetch(report_statements.DROP, numbers)}
    return [number for number in dict.fromkeys(numbers) if number in gone]


async def replace_contents(
    transaction: PostgresTransaction, again: Mapping[int, tuple[bytes, bytes]]
) -> int:
    """Replace contents that are as given; return how many."""
    former, new = zip(*again.values(), strict=True)
    columns = (list(again), list(former), list(new))
    return len(await transaction.fetch(report_statements.REPLACE_CONTENT, *columns))


async def tell_of_delay(
    transaction: PostgresTransaction, numbers: Sequence[int], reports: Sequence[NewReport]
) -> None:
    """Keep the reports on messages whose delay was not reported yet, and note that it now is."""
    rows = await transaction.fetch(report_statements.DELAY_IS_TOLD, numbers)
    untold = {number for (number,) in rows}
    await keep(transaction, [report for report in reports if report.about in untold])


async def settle_sending(
    transaction: PostgresTransaction,
    outcomes: Sequence[SendingOutcome],
    remove: str,
    put_off: str,
) -> None:
    """Remove reports or notices that are done with, and put the rest off."""
    for one in outcomes:
        if one.next_attempt_at is None:
            await transaction.fetch(remove, one.number)
        else:
            values = (one.next_attempt_at, storable(one.reply), one.number)
            await transaction.fetch(put_off, *values)
