"""Listings of held mail, as they are read."""

from collections.abc import Iterator
from typing import Any, Final

from restante.queue.recipient_status import RecipientStatus
from restante.store.postgres import queue_queries
from restante.store.postgres.database_session import DatabaseSession, PostgresRow
from restante.store.postgres.node_numbers import A_SECOND
from restante.store.postgres.path_pattern import regular_expression
from restante.store.postgres.slice_search import SEARCH_SECONDS, AskDatabase, search, time_limit
from restante.store.queue_store import QueuedMessage, QueueFilter, QueuePage
from restante.store.stored_form.rows import NUMBER, PARKED_AS, queued_message
from restante.tenancy.policy import DAY

_NEWEST: Final = 2**63 - 1  # no message has a higher number


async def listing(session: DatabaseSession, selection: QueueFilter) -> list[QueuedMessage]:
    """Read the messages that match."""
    ask = _asking(session, selection)
    first = min(_first_number(selection), _NEWEST)
    async with time_limit(session, SEARCH_SECONDS):
        rows = await ask(first, _NEWEST, selection.limit)
    return [queued_message(tuple(row), selection) for row in rows]


async def page(session: DatabaseSession, selection: QueueFilter) -> QueuePage:
    """Read the first messages that match, as far as a bounded search comes."""
    [(lowest, last)] = await session.fetch(queue_queries.BOUNDS)
    if lowest is None or selection.domain_ids == ():
        return QueuePage([], None)
    limit = selection.limit
    bounds = (max(lowest, _first_number(selection)), last)
    rows, reached = await search(session, bounds, limit + 1, _asking(session, selection))
    found = [queued_message(tuple(row), selection) for row in rows[:limit]]
    return QueuePage(found, found[-1].number if len(rows) > limit else reached)


def _first_number(selection: QueueFilter) -> int:
    """Return a number below which nothing matches; a day is left for a clock that was set."""
    since = selection.received_since
    received = 0 if since is None else max(0, int((since - DAY) * A_SECOND))
    return max(selection.after, received) + 1


def _asking(session: DatabaseSession, selection: QueueFilter) -> AskDatabase:
    """Return the question about the messages between two numbers."""
    listings = list(_listings(selection))
    values = _values(selection)

    async def ask(first: int, last: int, limit: int) -> list[PostgresRow]:
        rows: dict[int, PostgresRow] = {}  # by number: one message can be held and refused
        for statement, others in listings:
            found = await session.fetch(statement, first, last, limit, *values, *others)
            rows.update((row[NUMBER], row) for row in found)
        return [rows[number] for number in sorted(rows)][:limit]

    return ask


def _values(selection: QueueFilter) -> tuple[Any, ...]:
    """Return the values of the conditions that all listings have."""
    return (
        selection.reverse_path,
        selection.received_before,
        selection.received_since,
        selection.larger_than,
        None if selection.sender is None else regular_expression(selection.sender),
        selection.message_id,
        selection.status,
        PARKED_AS.get(selection.status),
        None if selection.recipient is None else regular_expression(selection.recipient),
        None if selection.client is None else str(selection.client),
    )


def _listings(selection: QueueFilter) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield the statements whose answers, together and cut to the limit, are the answer."""
    domain_ids, is_parked = selection.domain_ids, selection.status in PARKED_AS
    if selection.numbers is not None:
        yield queue_queries.LIST_NUMBERS, (selection.numbers, domain_ids)
    elif selection.message_id is not None:
        yield queue_queries.LIST_SOUGHT, (domain_ids,)
    elif domain_ids is None:
        yield queue_queries.LIST_ALL_REFUSED if is_parked else queue_queries.LIST_ALL, ()
    else:
        if not is_parked:
            yield queue_queries.LIST_HELD, (domain_ids,)
        if selection.status is not RecipientStatus.HELD:
            yield queue_queries.LIST_REFUSED, (domain_ids,)
