"""Changes of held mail in the tables: hold, settle, delete, hold refused ones again.

Each function is the body of one `SqliteChange`. It runs on the writer thread in a transaction, and
moves the ledger with every row it moves. If it must raise StoreError, it does so before the first.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from restante.mail.delivery_report import NewReport
from restante.mail.message import NewMessage
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    RecipientStatus,
    move_of,
)
from restante.store.content_store import DAMAGED
from restante.store.handover_store import Drain
from restante.store.hold_refusals import NO_QUOTAS, QuotasByDomain, over_quota, refused_of
from restante.store.sqlite import audit_queries, mail_queries, release_changes, report_queries
from restante.store.sqlite.history_changes import (
    keep_outcomes,
    keep_parked,
    keep_removed,
    keep_waiting,
)
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.store_errors import StoreError
from restante.store.stored_form.row_type import Row
from restante.store.stored_form.rows import (
    DOMAIN_ID,
    IS_DAMAGED,
    IS_REFUSED,
    IS_UNCERTAIN,
    NUMBER,
    PARKED_AS,
    SIZE,
    audit_row,
    deferral_bits,
    numbers_text,
    paths,
    report_row,
    storable,
)
from restante.tenancy.audit import AuditEntry

_PARKED: Final = {RecipientMove.REFUSED: IS_REFUSED, RecipientMove.UNCERTAIN: IS_UNCERTAIN}


def hold(
    transaction: WriteTransaction,
    messages: Sequence[NewMessage],
    rows: Sequence[Row],
    quotas: QuotasByDomain = NO_QUOTAS,
) -> dict[int, StoreError]:
    """Add messages, given also as `message_row` spells them; return which ones are refused."""
    transaction.ballast.require()
    ledger = transaction.ledger
    ledger.check_numbers([row[NUMBER] for row in rows])
    refused = refused_of(messages, ledger.hosts)
    if quotas:
        left = [message for message in messages if message.number not in refused]
        refused |= over_quota(left, quotas, ledger.usage, ledger.usage_of_account)
    if refused:
        rows = [row for row in rows if row[NUMBER] not in refused]
    for row in rows:
        ledger.add_message(row[NUMBER], row[DOMAIN_ID], row[SIZE])
    transaction.new_messages.extend(rows)
    return refused


# --- settling


def settle(
    transaction: WriteTransaction,
    drain: Drain,
    outcomes: Sequence[MessageOutcome],
    reports: Sequence[NewReport] = (),
    at: float = 0.0,
) -> None:
    """Record the outcomes of messages; unchanged ones, wholly delivered, leave in one statement."""
    transaction.ledger.drains.check(drain)
    drain = transaction.ledger.drains.present(drain.domain_id)
    for report in (
        reports
    ):  # before their outcomes: afterwards nobody is there any more who would let them count
        if _concerns_held(transaction, drain.domain_id, report):
            transaction.execute(report_queries.KEEP_REPORT, report_row(report))
    delivered = [outcome for outcome in outcomes if outcome.is_delivered]
    moved: Counter[RecipientMove] = Counter()
    if delivered and _remove_whole(transaction, drain, delivered, at):
        moved[RecipientMove.DELIVERED] = len(delivered)
    elif delivered:
        moved += _settle_in_part(transaction, drain, delivered, at)
    if len(delivered) < len(outcomes):
        others = [outcome for outcome in outcomes if not outcome.is_delivered]
        moved += _settle_in_part(transaction, drain, others, at)
    release_changes.count_moved(transaction, drain, moved)


def _concerns_held(transaction: WriteTransaction, domain_id: int, report: NewReport) -> bool:
    """Tell whether a recipient that a report names still waits: then it was not reported before."""
    rows = transaction.execute(mail_queries.STANDING, (report.about, domain_id))
    held = paths(rows[0][0]) if rows else []
    return any(path in held for path in report.forward_paths)


def _remove_whole(
    transaction: WriteTransaction, drain: Drain, delivered: list[MessageOutcome], at: float
) -> bool:
    """Remove these messages if these are all their recipients; otherwise return False."""
    domain_id = drain.domain_id
    delivered.sort(key=_number)
    numbers = numbers_text([outcome.number for outcome in delivered])
    believed = "\n\n".join(
        "\n".join([one.forward_path for one in outcome.recipients]) for outcome in delivered
    )
    [(octets, held_paths, files)] = transaction.execute(
        mail_queries.WHOLE_MESSAGES, {"numbers": numbers, "domain_id": domain_id}
    )
    if held_paths != believed:
        return False
    moved = [(outcome.number, one) for outcome in delivered for one in outcome.recipients]
    keep_outcomes(transaction, domain_id, moved, at, drain)
    transaction.execute(mail_queries.REMOVE_MESSAGES, (numbers,))
    transaction.ledger.remove_messages(domain_id, len(delivered), octets)
    _remove_files(transaction, files)
    return True


def _number(outcome: MessageOutcome) -> int:
    return outcome.number


def _settle_in_part(
    transaction: WriteTransaction, drain: Drain, outcomes: Iterable[MessageOutcome], at: float
) -> Counter[RecipientMove]:
    """Record outcomes recipient by recipient: some are not delivered, or were refused before.

    Returns how many messages were settled, by their outcome.
    """
    moved: Counter[RecipientMove] = Counter()
    gone: list[int] = []
    for outcome in outcomes:
        is_settled, is_gone = _settle_one(transaction, drain, outcome, at)
        moved[move_of(outcome)] += is_settled
        if is_gone:
            gone.append(outcome.number)
    if gone:
        remove(transaction, gone)
    return moved


def _settle_one(
    transaction: WriteTransaction, drain: Drain, outcome: MessageOutcome, at: float
) -> tuple[bool, bool]:
    """Record one outcome; tell whether it settled anything, and whether no recipient is left.

    Such a message must be removed.
    """
    domain_id = drain.domain_id
    rows = transaction.execute(mail_queries.STANDING, (outcome.number, domain_id))
    held = paths(rows[0][0]) if rows else []
    settled = {
        one.forward_path: one for one in reversed(outcome.recipients) if one.forward_path in held
    }
    moved = [
        (outcome.number, one) for one in outcome.recipients if settled.get(one.forward_path) is one
    ]
    keep_outcomes(transaction, domain_id, moved, at, drain)
    for recipient in settled.values():
        _keep_word(transaction, (domain_id, outcome.number), recipient, at)
    if outcome.doubts and settled:
        transaction.execute(mail_queries.KEEP_DOUBTS, (outcome.doubts, outcome.number))
    if outcome.deferrals is not None and settled:
        bits = deferral_bits(outcome.deferrals)
        transaction.execute(mail_queries.KEEP_DEFERRALS, (bits, outcome.number))
    left = [
        path for path in held if path not in settled or settled[path].move is RecipientMove.DEFERRED
    ]
    is_gone = left != held and _has_nobody(transaction, (domain_id, outcome.number), left)
    return bool(settled), is_gone


def _keep_word(
    transaction: WriteTransaction, message: tuple[int, int], recipient: RecipientOutcome, at: float
) -> None:
    """Keep the destination's latest reply on a recipient that it did not take."""
    if recipient.move in (RecipientMove.DELIVERED, RecipientMove.BOUNCED):
        transaction.execute(mail_queries.FORGET_REPLY, (*message, recipient.forward_path))
    else:
        parked = _PARKED.get(recipient.move, 0)
        word = (
            *message,
            recipient.forward_path,
            parked,
            storable(recipient.reply),
            at if parked else 0.0,
            at,
            1,
        )
        transaction.execute(mail_queries.KEEP_REPLY, word)


def _has_nobody(transaction: WriteTransaction, message: tuple[int, int], held: list[str]) -> bool:
    """Keep who is held now; or tell that nobody is, and nobody was refused either."""
    if not held and not transaction.execute(mail_queries.ANY_REFUSED, message):
        return True
    domain_id, number = message
    transaction.execute(mail_queries.KEEP_HELD_PATHS, ("\n".join(held), number))
    if not held:
        transaction.ledger.move_to_refused(domain_id, 1)
    return False


# --- damage


def park_damaged(transaction: WriteTransaction, number: int, text: str, at: float) -> bool:
    """Keep a message from drains and show it to people: mark its waiting recipients.

    Tells whether anybody waited. If not, they are marked already, or the message has left.
    """
    rows = transaction.execute(mail_queries.WHO_WAITS, (number,))
    held = paths(rows[0][1]) if rows else []
    if not held:
        return False
    domain_id = rows[0][0]
    for path in held:
        transaction.execute(
            mail_queries.KEEP_REPLY,
            (domain_id, number, path, IS_DAMAGED, f"{DAMAGED} {text}", at, 0.0, 0),
        )
    transaction.execute(mail_queries.KEEP_HELD_PATHS, ("", number))
    transaction.ledger.move_to_refused(domain_id, 1)
    return True


# --- by hand


def delete(transaction: WriteTransaction, numbers: Sequence[int], audit: AuditEntry) -> int:
    """Remove whole messages; return how many were there."""
    transaction.execute(audit_queries.RECORD, audit_row(audit))
    keep_removed(transaction, numbers, RecipientMove.DELETED, audit.at)
    return remove(transaction, numbers)


def release_refused(
    transaction: WriteTransaction,
    numbers: Sequence[int],
    audit: AuditEntry,
    status: RecipientStatus | None = None,
) -> int:
    """Hold the recipients in this status again, None: in all of these; count their messages."""
    transaction.execute(audit_queries.RECORD, audit_row(audit))
    wanted = {"numbers": numbers_text(numbers), "parked": PARKED_AS.get(status), "at": audit.at}
    concerned = transaction.execute(mail_queries.REFUSED_MESSAGES, wanted)
    transaction.execute(mail_queries.HOLD_AGAIN, wanted)
    transaction.execute(mail_queries.REFUSED_NO_MORE, wanted)
    for domain_id, _, held_by_nobody in concerned:
        transaction.ledger.move_to_refused(domain_id, -held_by_nobody)
    return sum(messages for _, messages, _ in concerned)


# --- by time


def expire(
    transaction: WriteTransaction,
    *,
    domain_id: int,
    numbers: Sequence[int],
    status: RecipientStatus,
    before: float,
    audit: AuditEntry,
) -> int:
    """Remove recipients in this status since before then; return how many messages had some."""
    bindings = {"domain_id": domain_id, "numbers": numbers_text(numbers), "before": before}
    expired = (
        _expire_held(transaction, bindings, audit.at)
        if status is RecipientStatus.HELD
        else _expire_refused(transaction, bindings, audit.at)
    )
    if expired:
        transaction.execute(audit_queries.RECORD, audit_row(audit))
    return expired


def _expire_held(transaction: WriteTransaction, bindings: dict[str, Any], at: float) -> int:
    standings = transaction.execute(mail_queries.STANDINGS, bindings)
    due = [(number, has_refused) for number, is_due, has_refused in standings if is_due]
    domain_id, mixed = bindings["domain_id"], [number for number, has_refused in due if has_refused]
    keep_waiting(transaction, domain_id, [number for number, _ in due], RecipientMove.EXPIRED, at)
    if mixed:
        transaction.execute(mail_queries.WAIT_NO_MORE, (numbers_text(mixed),))
        transaction.execute(mail_queries.FORGET_DEFERRALS, (domain_id, numbers_text(mixed)))
        transaction.ledger.move_to_refused(domain_id, len(mixed))
    remove(transaction, [number for number, has_refused in due if not has_refused])
    return len(due)


def _expire_refused(transaction: WriteTransaction, bindings: dict[str, Any], at: float) -> int:
    due = [number for (number,) in transaction.execute(mail_queries.DUE_REFUSALS, bindings)]
    keep_parked(
        transaction,
        bindings["domain_id"],
        due,
        RecipientMove.EXPIRED,
        at=at,
        before=bindings["before"],
    )
    transaction.execute(mail_queries.FORGET_REFUSALS, bindings)
    narrowed = {"domain_id": bindings["domain_id"], "numbers": numbers_text(due)}
    remove(
        transaction,
        [number for (number,) in transaction.execute(mail_queries.LEFT_WITH_NOBODY, narrowed)],
    )
    return len(due)


def remove(transaction: WriteTransaction, numbers: Sequence[int]) -> int:
    """Remove whole messages and what goes with them; return how many were there."""
    text = numbers_text(numbers)
    doomed = transaction.execute(mail_queries.DOOMED_MESSAGES, (text,))
    transaction.execute(mail_queries.REMOVE_REPLIES, (text,))
    transaction.execute(mail_queries.REMOVE_MESSAGES, (text,))
    for domain_id, messages, octets, refused, files in doomed:
        transaction.ledger.remove_messages(domain_id, messages, octets, refused)
        _remove_files(transaction, files)
    return sum(messages for _, messages, *_ in doomed)


def _remove_files(transaction: WriteTransaction, names: str | None) -> None:
    if names:
        transaction.files_to_remove.extend(names.split("\n"))
