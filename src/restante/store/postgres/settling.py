"""Recording the outcomes of a drain. Mostly all are deliveries: then it is one statement."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from restante.mail.delivery_report import NewReport
from restante.queue.recipient_status import MessageOutcome, RecipientMove
from restante.store.handover_store import Drain
from restante.store.postgres import (
    drain_changes,
    held_mail_changes,
    mail_statements,
    report_changing,
)
from restante.store.postgres.database_session import PostgresRow
from restante.store.postgres.lane_set import SessionKind
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.stored_form.rows import storable


def are_whole(outcomes: Sequence[MessageOutcome]) -> bool:
    """Tell whether these are deliveries only, each of another message."""
    numbers = {outcome.number for outcome in outcomes if outcome.is_delivered}
    return len(numbers) == len(outcomes) > 0


async def settle_whole(
    core: PostgresCore, drain: Drain, outcomes: Sequence[MessageOutcome], at: float
) -> bool:
    """Remove messages that were delivered to all their recipients, or change nothing.

    Tells whether it did. Raises LeaseLost.
    """

    def moved(transaction: PostgresTransaction, rows: list[PostgresRow]) -> None:
        _, count, octets = rows[0]
        transaction.move(drain.domain_id, -count, -octets)

    values = _whole(drain, outcomes, core.node.key.id, at)
    [(leases, count, _)] = await core.write_at_once(
        mail_statements.SETTLE_WHOLE, values, SessionKind.SETTLING, moved
    )
    if not leases:
        raise drain_changes.lease_lost(drain)
    return bool(count == len(outcomes))


async def settle(
    transaction: PostgresTransaction,
    drain: Drain,
    outcomes: Sequence[MessageOutcome],
    reports: Sequence[NewReport],
    at: float,
) -> None:
    """Record outcomes of every kind, with the reports on them."""
    release = await drain_changes.check(transaction, drain, mail_statements.LEASE)
    drain = Drain(drain.domain_id, drain.number, 0.0, 0.0, release)
    if reports:  # before their outcomes: afterwards nobody waits who would make them news
        fresh = await held_mail_changes.untold_reports(transaction, drain.domain_id, reports)
        await report_changing.keep(transaction, fresh)
    moved: Counter[RecipientMove] = Counter()
    others = [outcome for outcome in outcomes if not outcome.is_delivered]
    delivered = [outcome for outcome in outcomes if outcome.is_delivered]
    is_done = are_whole(delivered) and await _remove_whole(transaction, drain, delivered, at)
    if delivered and not is_done:
        moved += await held_mail_changes.settle_in_part(transaction, drain, delivered, at)
    if others:
        moved += await held_mail_changes.settle_in_part(transaction, drain, others, at)
    await drain_changes.count_for_release(transaction, drain.domain_id, release, moved)


async def _remove_whole(
    transaction: PostgresTransaction, drain: Drain, delivered: Sequence[MessageOutcome], at: float
) -> bool:
    """Remove these if they are whole. The statement counts for the release and the usage itself."""
    values = _whole(drain, delivered, transaction.node.id, at)
    [(_, count, octets)] = await transaction.fetch(mail_statements.SETTLE_WHOLE, *values)
    transaction.note_written(drain.domain_id, -count, -octets)
    return bool(count == len(delivered))


def _whole(
    drain: Drain, outcomes: Sequence[MessageOutcome], node: int, at: float
) -> tuple[Any, ...]:
    """Return the values of mail_statements.SETTLE_WHOLE."""
    told = [(outcome.number, one) for outcome in outcomes for one in outcome.recipients]
    return (
        drain.domain_id,
        drain.number,
        [outcome.number for outcome in outcomes],
        ["\n".join([one.forward_path for one in outcome.recipients]) for outcome in outcomes],
        node,
        at,
        [number for number, _ in told],
        [one.forward_path for _, one in told],
        [storable(one.reply) for _, one in told],
    )
