"""The history of mail in the store on PostgreSQL."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from restante.queue.history import HistoryEntry, HistoryFigures, HistoryFilter, HistoryPage
from restante.store.postgres import mail_history_queries
from restante.store.postgres.database_session import DatabaseSession, PostgresRow
from restante.store.postgres.path_pattern import regular_expression
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.postgres.slice_search import SEARCH_SECONDS, AskDatabase, search, time_limit
from restante.store.stored_form.move_codes import CODES
from restante.store.stored_form.rows import read_history_entry

_ENTRIES: Final = """
    SELECT id, at, outcome, domain_id, number, received_at, octets, reverse_path, forward_path,
        client, message_id, reply, drain, release,
        (SELECT way FROM release WHERE release.id = history.release), origin
    FROM history
    WHERE id BETWEEN $1 AND $2 AND ($4::integer[] IS NULL OR domain_id = ANY($4))
        AND ($5::bigint IS NULL OR number = $5)
        AND ($6::float8 IS NULL OR at >= $6) AND ($7::float8 IS NULL OR at < $7)
        AND ($8::smallint IS NULL OR outcome = $8)
        AND ($9::text IS NULL OR message_id = $9)
        AND ($10::text IS NULL OR reverse_path ~* $10)
        AND ($11::text IS NULL OR forward_path ~* $11)
        {place}
    ORDER BY id DESC LIMIT $3
"""
# Spelled out, because a plan that is kept sees no index behind `$5 IS NULL OR`.
_OF_NUMBER: Final = _ENTRIES.format(place="AND number = $5")
_OF_DOMAINS: Final = _ENTRIES.format(place="AND domain_id = ANY($4)")
_OF_ALL: Final = _ENTRIES.format(place="")


class PostgresHistory:
    """A `HistoryStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def history(self, selection: HistoryFilter) -> list[HistoryEntry]:
        """Return the entries that match, the newest first."""
        return await self._core.read(partial(_entries, selection=selection))

    async def history_page(self, selection: HistoryFilter) -> HistoryPage:
        """Return the newest entries that match, as far as a bounded search comes."""
        return await self._core.read(partial(_page, selection=selection))

    async def history_figures(self) -> HistoryFigures:
        """Return how much there is."""
        [(entries, oldest_at)] = await self._core.fetch(mail_history_queries.FIGURES)
        [(average,)] = await self._core.fetch(mail_history_queries.AVERAGE_OCTETS)
        return HistoryFigures(entries, int(entries * average), oldest_at)

    async def trim_history(self, before: float, octets: int | None, limit: int) -> int:
        """Remove entries that are too old, and the oldest beyond so many octets."""

        async def change(transaction: PostgresTransaction) -> int:
            [(entries, _)] = await transaction.fetch(mail_history_queries.FIGURES)
            [(average,)] = await transaction.fetch(mail_history_queries.AVERAGE_OCTETS)
            most = int(octets / average) if average and octets is not None else entries
            excess = max(0, entries - most)
            return await transaction.count(mail_history_queries.TRIM, before, excess, limit)

        return await self._core.write(change)

    async def history_domains(self) -> list[int]:
        """Return the ids of the domains that have entries."""
        rows = await self._core.fetch(mail_history_queries.DOMAINS)
        return [domain_id for (domain_id,) in rows]

    async def forget_history(self, domain_ids: Sequence[int], limit: int) -> int:
        """Remove at most `limit` entries of these domains."""

        async def change(transaction: PostgresTransaction) -> int:
            return await transaction.count(mail_history_queries.FORGET, domain_ids, limit)

        return await self._core.write(change)


async def _entries(session: DatabaseSession, selection: HistoryFilter) -> list[HistoryEntry]:
    bounds = await _bounds(session, selection)
    if bounds is None:
        return []
    ask = _asking(session, selection)
    async with time_limit(session, SEARCH_SECONDS):
        return [read_history_entry(row) for row in await ask(*bounds, selection.limit)]


async def _page(session: DatabaseSession, selection: HistoryFilter) -> HistoryPage:
    bounds = await _bounds(session, selection)
    if bounds is None:
        return HistoryPage([], None)
    limit = selection.limit
    ask = _asking(session, selection)
    rows, last = await search(session, bounds, limit + 1, ask, is_down=True)
    found = [read_history_entry(row) for row in rows[:limit]]
    return HistoryPage(found, found[-1].id if len(rows) > limit else last)


async def _bounds(session: DatabaseSession, selection: HistoryFilter) -> tuple[int, int] | None:
    """Return the ids between which the entries are, both included; None if there are none."""
    [(first, last)] = await session.fetch(mail_history_queries.BOUNDS)
    if first is None or selection.domain_ids == ():
        return None
    return first, last if selection.before is None else min(last, selection.before - 1)


def _asking(session: DatabaseSession, selection: HistoryFilter) -> AskDatabase:
    """Return the question about the entries between two ids."""
    sender, recipient = selection.reverse_path, selection.recipient
    values = (
        selection.domain_ids,
        selection.number,
        selection.since,
        selection.until,
        None if selection.outcome is None else CODES[selection.outcome],
        selection.message_id,
        None if sender is None else regular_expression(sender),
        None if recipient is None else regular_expression(recipient),
    )
    statement = _OF_ALL if selection.domain_ids is None else _OF_DOMAINS
    if selection.number is not None:
        statement = _OF_NUMBER

    async def ask(first: int, last: int, limit: int) -> list[PostgresRow]:
        return await session.fetch(statement, first, last, limit, *values)

    return ask
