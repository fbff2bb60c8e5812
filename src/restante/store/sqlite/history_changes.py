"""The history of mail, written by the changes that move it.

Each function is called inside the transaction of a change, before the messages are removed.
"""

from collections.abc import Sequence
from typing import Final

from restante.queue.recipient_status import RecipientMove, RecipientOutcome
from restante.store.handover_store import Drain
from restante.store.sqlite import history_queries
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.stored_form.move_codes import CODES
from restante.store.stored_form.rows import numbers_text, storable
from restante.tenancy.history_detail import HistoryDetail

HOUR: Final = 3600  # seconds

Moved = tuple[int, RecipientOutcome]  # the number of a message, and the outcome of a recipient


def keep_outcomes(
    transaction: WriteTransaction,
    domain_id: int,
    moved: Sequence[Moved],
    at: float,
    drain: Drain | None = None,
) -> None:
    """Keep the outcomes of a domain's recipients, of those moves that history records."""
    codes = CODES
    moved = [one for one in moved if one[1].move in codes]
    if not moved:
        return
    detail = _detail(transaction, domain_id, at)
    if detail is None:
        return
    mover = (0, 0) if drain is None else (drain.number, drain.release)
    for start in range(0, len(moved), history_queries.MOST_ROWS):
        some = moved[start : start + history_queries.MOST_ROWS]
        bindings: list[object] = [at, detail, *mover]
        for number, one in some:
            bindings += (number, one.forward_path, codes[one.move], storable(one.reply))
        transaction.execute(history_queries.outcomes_statement(len(some)), bindings)


def keep_removed(
    transaction: WriteTransaction, numbers: Sequence[int], move: RecipientMove, at: float
) -> None:
    """Keep that all recipients of these messages are removed, whatever their state."""
    text = numbers_text(numbers)
    for (domain_id,) in transaction.execute(history_queries.DOMAINS_OF, (text,)):
        keep_waiting(transaction, domain_id, numbers, move, at)
        keep_parked(transaction, domain_id, numbers, move, at=at)


def keep_waiting(
    transaction: WriteTransaction,
    domain_id: int,
    numbers: Sequence[int],
    move: RecipientMove,
    at: float,
) -> None:
    """Keep that those are removed who wait for these messages."""
    detail = _detail(transaction, domain_id, at)
    if detail is not None and numbers:
        values = (at, detail, 0, numbers_text(numbers), domain_id, CODES[move])
        transaction.execute(history_queries.KEEP_WAITING, values)


def keep_parked(
    transaction: WriteTransaction,
    domain_id: int,
    numbers: Sequence[int],
    move: RecipientMove,
    *,
    at: float,
    before: float | None = None,
) -> None:
    """Keep that those are removed who were refused or set apart.

    With `before`, only those whose retention is over: they were refused or damaged before then.
    """
    detail = _detail(transaction, domain_id, at)
    if detail is not None and numbers:
        values = (at, detail, 0, numbers_text(numbers), domain_id, CODES[move], before)
        transaction.execute(history_queries.KEEP_PARKED, values)


def trim_history(
    transaction: WriteTransaction, before: float, octets: int | None, limit: int
) -> int:
    """Remove the oldest entries: see `HistoryStore.trim_history`."""
    [(entries, _)] = transaction.execute(history_queries.FIGURES)
    [(average,)] = transaction.execute(history_queries.AVERAGE_OCTETS)
    most = int(octets / average) if average and octets is not None else entries
    transaction.execute(history_queries.TRIM, (before, max(0, entries - most), limit))
    return _removed(transaction)


def forget_domains(transaction: WriteTransaction, domain_ids: Sequence[int], limit: int) -> int:
    """Remove entries of these domains."""
    transaction.execute(history_queries.FORGET, (numbers_text(domain_ids), limit))
    return _removed(transaction)


def hour_of(at: float) -> int:
    """Return the hour of a Unix time, as the history counts them."""
    return int(at // HOUR)


def _removed(transaction: WriteTransaction) -> int:
    """Return how many entries were just removed, and forget their hours."""
    removed = transaction.connection.changes()
    if removed:
        transaction.execute(history_queries.FORGET_HOURS)
    return removed


def _detail(transaction: WriteTransaction, domain_id: int, at: float) -> str | None:
    """Return how much is kept, None for nothing; note the hour of the entries to come."""
    [(detail, hour)] = transaction.execute(history_queries.DETAIL, (domain_id,))
    if detail == HistoryDetail.NONE:
        return None
    if hour != hour_of(at):
        transaction.execute(history_queries.NOTE_HOUR, (hour_of(at),))
    return str(detail or HistoryDetail.FULL)
