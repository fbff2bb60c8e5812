"""Changes of drains. Each function is called inside a transaction."""

from collections.abc import Mapping, Sequence

from restante.queue.drain_word import DrainEnd, DrainWay
from restante.queue.recipient_status import RecipientMove
from restante.store.drain_book import (
    BEING_STOPPED,
    TAKES_MAIL_ITSELF,
    DrainRecord,
    is_finished,
)
from restante.store.handover_store import Drain, JoinedDrain, PastDrain, WantedDrain
from restante.store.postgres import drain_statements
from restante.store.postgres.database_session import PostgresRow
from restante.store.postgres.postgres_transaction import PostgresTransaction, VersionedDrain
from restante.store.store_errors import Conflict, LeaseLost
from restante.store.stored_form.rows import past_drain_row


def drain_state(row: PostgresRow) -> tuple[int, VersionedDrain]:
    """Read a drain of drain_statements, with its domain's id."""
    domain_id, number, version, requested_at, deadline, times, stop, *rest = row
    release, requested_by, is_open, way = rest
    drain = Drain(domain_id, number, requested_at, deadline, release, requested_by, DrainWay(way))
    return domain_id, VersionedDrain(version, DrainRecord(drain, times, stop) if is_open else None)


def open_records(rows: list[PostgresRow]) -> dict[int, DrainRecord]:
    """Read drains that are open, by domain id."""
    found = map(drain_state, rows)
    return {domain_id: state.record for domain_id, state in found if state.record is not None}


async def changed(transaction: PostgresTransaction, statement: str, *values: object) -> bool:
    """Run a change of drains, and note their new states; tell whether there were some."""
    rows = await transaction.fetch(statement, *values)
    transaction.drains.update(map(drain_state, rows))
    return bool(rows)


def record_of(transaction: PostgresTransaction, domain_id: int) -> DrainRecord:
    """Return an open drain as this transaction has changed it."""
    record = transaction.drains[domain_id].record
    assert record is not None, "it is open"
    return record


async def open_drain(
    transaction: PostgresTransaction,
    domain_id: int,
    requested_at: float,
    deadline: float,
    *,
    release: int,
    requested_by: str,
    way: DrainWay = DrainWay.DESTINATION,
) -> Drain | JoinedDrain:
    """Record a drain under a number that nobody has had, or join the one that is open."""
    await transaction.check_hosted(domain_id)
    given = (domain_id, requested_at, deadline, release, requested_by, str(way))
    if not await changed(transaction, drain_statements.OPEN, *given, *transaction.node):
        raise await _join_refusal(transaction, domain_id)
    record = record_of(transaction, domain_id)
    if release:
        await _begin_release(transaction, record.drain, release)
    return JoinedDrain(record.drain, record.times) if record.times else record.drain


async def _join_refusal(transaction: PostgresTransaction, domain_id: int) -> Conflict:
    """Return why named messages cannot join the drain of a domain."""
    rows = await transaction.fetch(drain_statements.OF_DOMAINS, [domain_id])
    record = open_records(rows).get(domain_id)
    is_turned = record is not None and record.drain.way is DrainWay.TURNAROUND
    return Conflict(TAKES_MAIL_ITSELF if is_turned else BEING_STOPPED)


async def _begin_release(transaction: PostgresTransaction, drain: Drain, release: int) -> None:
    if drain.release == release:
        await transaction.fetch(drain_statements.OPEN_RELEASE, release, drain.domain_id)
    else:
        await transaction.fetch(
            drain_statements.JOIN_RELEASE, release, drain.domain_id, drain.release
        )


async def take_over(
    transaction: PostgresTransaction, drains: Sequence[Drain], *, may_judge: bool
) -> list[Drain | None]:
    """Give drains to this process, as far as they are in force and nobody runs them.

    If one is named twice, the first one gets it.
    """
    wanted = {(drain.domain_id, drain.number) for drain in drains}
    domain_ids, numbers = map(list, zip(*sorted(wanted), strict=True))
    given = (domain_ids, numbers, *transaction.node, may_judge)
    rows = await transaction.fetch(drain_statements.TAKE_OVER, *given)
    states = dict(map(drain_state, rows))
    transaction.drains.update(states)
    mine = [record_of(transaction, domain_id).drain for domain_id in states]
    taken = {(one.domain_id, one.number - 1): one for one in mine}
    return [taken.pop((drain.domain_id, drain.number), None) for drain in drains]


async def check(transaction: PostgresTransaction, drain: Drain, statement: str) -> int:
    """Lock a drain that is in force, and return its release. Raises LeaseLost."""
    rows = await transaction.fetch(statement, drain.domain_id, drain.number)
    if not rows:
        raise lease_lost(drain)
    return int(rows[0][0])


def lease_lost(drain: Drain) -> LeaseLost:
    """Make the error for a drain that is not in force."""
    return LeaseLost(f"drain {drain.number} of domain {drain.domain_id} is over or was taken over")


async def finish_drain(
    transaction: PostgresTransaction,
    drain: Drain,
    left_behind: int,
    past: PastDrain | None,
    times: int,
) -> bool:
    """Close it unless mail waits for it."""
    key = (drain.domain_id, drain.number)
    found = open_records(await transaction.fetch(drain_statements.LOCK_TO_FINISH, *key))
    if drain.domain_id not in found:
        raise lease_lost(drain)
    held = await transaction.held(drain.domain_id)
    if not is_finished(found[drain.domain_id], held, left_behind, times):
        return False
    await close_drain(transaction, drain, past)
    return True


async def close_drain(
    transaction: PostgresTransaction, drain: Drain, past: PastDrain | None, at: float = 0.0
) -> None:
    """Record that it is over and how it went, if it is in force."""
    rows = await transaction.fetch(drain_statements.LOCK, drain.domain_id, drain.number)
    if not rows:
        return
    ended_at, ending = (at, DrainEnd.STOPPED) if past is None else (past.ended_at, past.end)
    await end_release(transaction, drain.domain_id, rows[0][0], ended_at, ending)
    await changed(transaction, drain_statements.CLOSE, drain.domain_id)
    if past is not None:
        await transaction.fetch(
            drain_statements.KEEP_PAST_DRAIN, drain.domain_id, *past_drain_row(past)
        )


async def follow_drain(
    transaction: PostgresTransaction,
    drain: Drain,
    wanted: WantedDrain,
    past: PastDrain | None,
) -> Drain | None:
    """Close it, and open another in its place, with the releases that joined it."""
    rows = await transaction.fetch(drain_statements.LOCK, drain.domain_id, drain.number)
    if not rows:
        return None
    await close_drain(transaction, drain, past, wanted.at)
    place = (rows[0][0], drain.domain_id)
    [(last,)] = await transaction.fetch(drain_statements.LAST_JOINED, *place)
    if last:
        await transaction.fetch(drain_statements.CARRY_OTHERS, *place, last)
        await transaction.fetch(drain_statements.CARRY_LAST, *place, last)
    opened = await open_drain(
        transaction,
        drain.domain_id,
        wanted.at,
        wanted.deadline,
        release=last or wanted.release,
        requested_by=wanted.requested_by,
    )
    assert isinstance(opened, Drain), "the last one was closed"
    return opened


async def end_release(
    transaction: PostgresTransaction, domain_id: int, release: int, at: float, ending: DrainEnd
) -> None:
    """Close the account of a drain for its release, if it has one."""
    if release:
        left = await transaction.held(domain_id)
        await transaction.fetch(drain_statements.END_RELEASE, at, ending, left, release, domain_id)


async def count_for_release(
    transaction: PostgresTransaction,
    domain_id: int,
    release: int,
    moved: Mapping[RecipientMove, int],
) -> None:
    """Count messages of a drain, by their outcome."""
    counts = [
        moved.get(move, 0)
        for move in (RecipientMove.DELIVERED, RecipientMove.REFUSED, RecipientMove.UNCERTAIN)
    ]
    if release and any(counts):
        await transaction.fetch(drain_statements.COUNT_FOR_RELEASE, *counts, release, domain_id)
