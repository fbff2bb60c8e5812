"""Changes of releases in the tables. Each function is called inside the transaction of a change."""

from collections.abc import Mapping

from restante.mail.message import NUMBERS_A_SECOND
from restante.queue.drain_word import DrainEnd
from restante.queue.recipient_status import RecipientMove
from restante.store.handover_store import Drain
from restante.store.release_store import ReleaseRecord
from restante.store.sqlite import audit_queries, release_queries
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.stored_form.rows import audit_row
from restante.tenancy.audit import AuditEntry


def record_release(
    transaction: WriteTransaction, release: ReleaseRecord, audit: AuditEntry
) -> None:
    """Keep a request as it was answered, with its entry of the trail."""
    transaction.execute(audit_queries.RECORD, audit_row(audit))
    row = (
        release.id,
        release.at,
        release.actor,
        release.acted_from,
        release.target,
        release.account,
        release.domain,
        release.result,
        release.reason,
        release.pending,
        release.way,
    )
    transaction.execute(release_queries.RECORD_RELEASE, row)


def begin(transaction: WriteTransaction, drain: Drain, release: int) -> None:
    """Let a drain count for a release too, from now on; it is open."""
    if drain.release == release:
        transaction.execute(release_queries.OPEN, (release, drain.domain_id))
    else:
        transaction.execute(release_queries.JOIN, (release, drain.domain_id, drain.release))


def carry(transaction: WriteTransaction, drain: Drain) -> int:
    """Turn the releases that joined a drain to one that follows it; return the last, 0 for none."""
    place = (drain.release, drain.domain_id)
    [(last,)] = transaction.execute(release_queries.LAST_JOINED, place)
    if last:
        transaction.execute(release_queries.CARRY_OTHERS, (*place, last))
        transaction.execute(release_queries.CARRY_LAST, (*place, last))
    return int(last)


def count_moved(
    transaction: WriteTransaction, drain: Drain, moved: Mapping[RecipientMove, int]
) -> None:
    """Count messages of a drain, by their outcome."""
    counts = [
        moved.get(move, 0)
        for move in (RecipientMove.DELIVERED, RecipientMove.REFUSED, RecipientMove.UNCERTAIN)
    ]
    if drain.release and any(counts):
        transaction.execute(release_queries.COUNT, (*counts, drain.release, drain.domain_id))


def end(transaction: WriteTransaction, drain: Drain, at: float, ending: DrainEnd) -> None:
    """Close the account of a drain that is over."""
    if drain.release:
        left = transaction.ledger.usage(drain.domain_id).held
        place = (drain.release, drain.domain_id)
        transaction.execute(release_queries.END, (at, ending, left, *place))


def trim_releases(transaction: WriteTransaction, before: float, limit: int) -> int:
    """Remove the oldest: see `ReleaseStore.trim_releases`."""
    first = int(before * NUMBERS_A_SECOND)
    transaction.execute(release_queries.TRIM_DRAINS, (first, limit))
    removed = transaction.connection.changes()
    if removed < limit:
        transaction.execute(release_queries.TRIM, (first, limit - removed))
        removed += transaction.connection.changes()
    return removed
