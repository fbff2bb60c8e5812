"""Changes of held mail: settle, remove, hold again, expire.

Each function is called inside a transaction, and moves the figures with every row it moves. Rows
of messages are locked in the order of their numbers.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from restante.mail.delivery_report import NewReport
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    RecipientStatus,
    move_of,
)
from restante.store.content_store import DAMAGED
from restante.store.handover_store import Drain
from restante.store.postgres import mail_history_queries, mail_statements
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.stored_form.move_codes import CODES
from restante.store.stored_form.rows import (
    IS_DAMAGED,
    IS_REFUSED,
    IS_UNCERTAIN,
    PARKED_AS,
    deferral_bits,
    paths,
    storable,
)
from restante.tenancy.audit import AuditEntry

_PARKED: Final = {RecipientMove.REFUSED: IS_REFUSED, RecipientMove.UNCERTAIN: IS_UNCERTAIN}
_REPLY = tuple[int, str, str]


@dataclass(slots=True)
class PartialSettling:
    """The state of some messages of a domain while outcomes are worked in, one after another."""

    before: dict[int, list[str]]  # the recipients that wait, by number
    refused: set[int]  # messages with a recipient that was refused
    held: dict[int, list[str]] = field(default_factory=dict)
    told: list[tuple[int, RecipientOutcome]] = field(default_factory=list)
    replies: dict[tuple[int, str], tuple[int, str]] = field(default_factory=dict)
    over: set[tuple[int, str]] = field(default_factory=set)  # recipients whose reply is forgotten
    doubts: dict[int, int] = field(default_factory=dict)
    deferrals: dict[int, int] = field(default_factory=dict)
    moved: Counter[RecipientMove] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.held = {number: list(waiting) for number, waiting in self.before.items()}

    def take(self, outcome: MessageOutcome) -> None:
        """Work in an outcome. Recipients that do not wait any more are passed over."""
        waiting = self.held.get(outcome.number, [])
        fresh = {
            one.forward_path: one
            for one in reversed(outcome.recipients)
            if one.forward_path in waiting
        }
        if not fresh:
            return
        self.told += [
            (outcome.number, one)
            for one in outcome.recipients
            if fresh.get(one.forward_path) is one
        ]
        for one in fresh.values():
            self._keep_word(outcome.number, one)
        if outcome.doubts:
            self.doubts[outcome.number] = outcome.doubts
        if outcome.deferrals is not None:
            self.deferrals[outcome.number] = deferral_bits(outcome.deferrals)
        self.held[outcome.number] = [
            path
            for path in waiting
            if path not in fresh or fresh[path].move is RecipientMove.DEFERRED
        ]
        self.moved[move_of(outcome)] += 1

    def _keep_word(self, number: int, one: RecipientOutcome) -> None:
        place = (number, one.forward_path)
        if one.move in (RecipientMove.DELIVERED, RecipientMove.BOUNCED):
            self.replies.pop(place, None)
            self.over.add(place)
            return
        parked = _PARKED.get(one.move, 0)
        self.replies[place] = (parked, storable(one.reply))
        if parked:
            self.refused.add(number)

    @property
    def changed(self) -> dict[int, list[str]]:
        """Messages with other recipients than before."""
        return {
            number: waiting
            for number, waiting in self.held.items()
            if waiting != self.before[number]
        }


async def settle_in_part(
    transaction: PostgresTransaction, drain: Drain, outcomes: Sequence[MessageOutcome], at: float
) -> Counter[RecipientMove]:
    """Record outcomes recipient by recipient; return how many messages had news, by outcome."""
    domain_id = drain.domain_id
    numbers = [outcome.number for outcome in outcomes]
    rows = await transaction.fetch(mail_statements.STANDING, domain_id, numbers)
    refused = await transaction.fetch(mail_statements.WITH_REFUSED, domain_id, numbers)
    state = PartialSettling(
        {number: paths(text) for number, text in rows}, {number for (number,) in refused}
    )
    for outcome in outcomes:
        state.take(outcome)
    await keep_outcomes(transaction, domain_id, state.told, at, drain)
    await _write(transaction, domain_id, state, at)
    return state.moved


async def _write(
    transaction: PostgresTransaction, domain_id: int, state: PartialSettling, at: float
) -> None:
    """Write what outcomes have changed."""
    if state.over:
        columns = map(list, zip(*sorted(state.over), strict=True))
        await transaction.fetch(mail_statements.FORGET_REPLIES, domain_id, *columns)
    if state.replies:
        rows = [
            (number, path, parked, reply, at if parked else 0.0)
            for (number, path), (parked, reply) in sorted(state.replies.items())
        ]
        columns = map(list, zip(*rows, strict=True))
        await transaction.fetch(mail_statements.KEEP_REPLIES, domain_id, *columns, at, 1)
    if state.doubts:
        doubts = (list(state.doubts), list(state.doubts.values()))
        await transaction.fetch(mail_statements.KEEP_DOUBTS, *doubts)
    if state.deferrals:
        bits = (list(state.deferrals), list(state.deferrals.values()))
        await transaction.fetch(mail_statements.KEEP_DEFERRALS, *bits)
    changed = state.changed
    gone = [number for number, left in changed.items() if not left and number not in state.refused]
    await keep_held_paths(
        transaction, domain_id, {key: left for key, left in changed.items() if key not in gone}
    )
    await remove(transaction, gone)


async def keep_held_paths(
    transaction: PostgresTransaction, domain_id: int, held: dict[int, list[str]]
) -> None:
    """Keep the recipients that still wait, of messages that some waited for."""
    if held:
        texts = ["\n".join(waiting) for waiting in held.values()]
        await transaction.fetch(mail_statements.KEEP_HELD_PATHS, list(held), texts)
        transaction.move(domain_id, 0, 0, sum(not waiting for waiting in held.values()))


async def untold_reports(
    transaction: PostgresTransaction, domain_id: int, reports: Sequence[NewReport]
) -> list[NewReport]:
    """Return the reports that name a recipient who waits: nobody was told about that one before."""
    numbers = [report.about for report in reports]
    rows = await transaction.fetch(mail_statements.STANDING, domain_id, numbers)
    waiting = {number: set(paths(text)) for number, text in rows}
    return [
        report
        for report in reports
        if not waiting.get(report.about, set()).isdisjoint(report.forward_paths)
    ]


async def park_damaged(transaction: PostgresTransaction, number: int, text: str, at: float) -> bool:
    """Mark the waiting recipients of a damaged message; tell whether there were some."""
    rows = await transaction.fetch(mail_statements.WHO_WAITS, number)
    held = paths(rows[0][1]) if rows else []
    if not held:
        return False
    domain_id, count = rows[0][0], len(held)
    await transaction.fetch(
        mail_statements.KEEP_REPLIES,
        domain_id,
        [number] * count,
        held,
        [IS_DAMAGED] * count,
        [f"{DAMAGED} {text}"] * count,
        [at] * count,
        0.0,
        0,
    )
    await keep_held_paths(transaction, domain_id, {number: []})
    return True


async def remove(transaction: PostgresTransaction, numbers: Sequence[int]) -> int:
    """Remove whole messages and what goes with them; return how many were there."""
    if not numbers:
        return 0
    count = 0
    for domain_id, messages, octets, refused in await transaction.fetch(
        mail_statements.REMOVE, numbers
    ):
        transaction.move(domain_id, -messages, -octets, -refused)
        count += messages
    return count


async def release_refused(
    transaction: PostgresTransaction,
    numbers: Sequence[int],
    audit: AuditEntry,
    status: RecipientStatus | None,
) -> int:
    """Hold the recipients in this status again; count their messages."""
    parked = PARKED_AS.get(status)
    await transaction.fetch(mail_statements.LOCK, numbers)
    concerned = await transaction.fetch(mail_statements.REFUSED_MESSAGES, numbers, parked)
    await transaction.fetch(mail_statements.HOLD_AGAIN, numbers, parked)
    await transaction.fetch(mail_statements.REFUSED_NO_MORE, numbers, parked, audit.at)
    for domain_id, _, held_by_nobody in concerned:
        transaction.move(domain_id, 0, 0, -held_by_nobody)
    return sum(messages for _, messages, _ in concerned)


# --- by time


async def expire_held(
    transaction: PostgresTransaction,
    domain_id: int,
    numbers: Sequence[int],
    before: float,
    at: float,
) -> int:
    """Remove the recipients that have waited since before then; return how many messages had.

    The lock is a statement of its own: the next one sees the replies of those it waited for.
    """
    await transaction.fetch(mail_statements.LOCK, numbers)
    standings = await transaction.fetch(mail_statements.STANDINGS, domain_id, numbers, before)
    due = [(number, has_refused) for number, is_due, has_refused in standings if is_due]
    mixed = [number for number, has_refused in due if has_refused]
    await keep_waiting(
        transaction, domain_id, [number for number, _ in due], RecipientMove.EXPIRED, at
    )
    if mixed:
        await transaction.fetch(mail_statements.WAIT_NO_MORE, mixed)
        await transaction.fetch(mail_statements.FORGET_DEFERRALS, domain_id, mixed)
        transaction.move(domain_id, 0, 0, len(mixed))
    await remove(transaction, [number for number, has_refused in due if not has_refused])
    return len(due)


async def expire_refused(
    transaction: PostgresTransaction,
    domain_id: int,
    numbers: Sequence[int],
    before: float,
    at: float,
) -> int:
    """Remove the recipients that were refused before then; return how many messages had some."""
    await transaction.fetch(mail_statements.LOCK, numbers)
    rows = await transaction.fetch(mail_statements.DUE_REFUSALS, domain_id, numbers, before)
    due = [number for (number,) in rows]
    await keep_parked(transaction, domain_id, due, RecipientMove.EXPIRED, at=at, before=before)
    await transaction.fetch(mail_statements.FORGET_REFUSALS, domain_id, numbers, before)
    left = await transaction.fetch(mail_statements.LEFT_WITH_NOBODY, domain_id, due)
    await remove(transaction, [number for (number,) in left])
    return len(due)


# --- history


async def keep_outcomes(
    transaction: PostgresTransaction,
    domain_id: int,
    told: Iterable[tuple[int, RecipientOutcome]],
    at: float,
    drain: Drain | None = None,
) -> None:
    """Keep the outcomes of a domain's recipients, of those moves that history records."""
    rows = [
        (number, one.forward_path, CODES[one.move], storable(one.reply))
        for number, one in told
        if one.move in CODES
    ]
    if rows:
        mover = (0, 0) if drain is None else (drain.number, drain.release)
        columns = map(list, zip(*rows, strict=True))
        await transaction.fetch(mail_history_queries.KEEP_OUTCOMES, at, domain_id, *columns, *mover)


async def keep_removed(
    transaction: PostgresTransaction, numbers: Sequence[int], move: RecipientMove, at: float
) -> None:
    """Keep that all recipients of these messages are removed."""
    for (domain_id,) in await transaction.fetch(mail_statements.DOMAINS_OF, numbers):
        await keep_waiting(transaction, domain_id, numbers, move, at)
        await keep_parked(transaction, domain_id, numbers, move, at=at)


async def keep_waiting(
    transaction: PostgresTransaction,
    domain_id: int,
    numbers: Sequence[int],
    move: RecipientMove,
    at: float,
) -> None:
    """Keep that the recipients are removed that wait for these messages."""
    values = (at, domain_id, numbers, CODES[move])
    await transaction.fetch(mail_history_queries.KEEP_WAITING, *values)


async def keep_parked(
    transaction: PostgresTransaction,
    domain_id: int,
    numbers: Sequence[int],
    move: RecipientMove,
    *,
    at: float,
    before: float | None = None,
) -> None:
    """Keep that the recipients are removed that were refused or set apart.

    With `before`, only those whose retention is over.
    """
    values = (at, domain_id, numbers, CODES[move], before)
    await transaction.fetch(mail_history_queries.KEEP_PARKED, *values)
