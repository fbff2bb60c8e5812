"""The history port of the store on SQLite."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Final

import apsw

from restante.queue.history import HistoryEntry, HistoryFigures, HistoryFilter
from restante.store.sqlite import engine, history_changes, history_queries
from restante.store.sqlite.engine import Row, fetch
from restante.store.sqlite.store_core import StoreCore

_NEWEST: Final = 2**63 - 1  # no entry has a higher id


class SqliteHistory:
    """A `HistoryStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def history(self, selection: HistoryFilter) -> list[HistoryEntry]:
        """Return the entries that match, the newest first."""
        return await self._core.read(partial(_entries, selection=selection))

    async def history_figures(self) -> HistoryFigures:
        """Return how much there is."""
        return await self._core.read(_figures)

    async def trim_history(self, before: float, octets: int | None, limit: int) -> int:
        """Remove what is too old, and the oldest beyond so many octets."""
        removed: int = await self._core.write(
            partial(history_changes.trim, before=before, octets=octets, limit=limit)
        )
        return removed

    async def history_domains(self) -> list[int]:
        """Return the ids of the domains that have entries."""
        return await self._core.read(_domains)

    async def forget_history(self, domain_ids: Sequence[int], limit: int) -> int:
        """Remove at most `limit` entries of these domains."""
        removed: int = await self._core.write(
            partial(history_changes.forget, domain_ids=domain_ids, limit=limit)
        )
        return removed


def _entries(connection: apsw.Connection, selection: HistoryFilter) -> list[HistoryEntry]:
    domain_ids = selection.domain_ids
    if domain_ids == ():
        return []
    query = history_queries.entries(
        domains=None if domain_ids is None else len(domain_ids),
        by_number=selection.number is not None,
    )
    places = _places(connection, selection)
    if places is None:
        return []
    bindings = {
        "domain_id": domain_ids[0] if domain_ids else None,
        "domain_ids": None if domain_ids is None else json.dumps(domain_ids),
        "number": selection.number,
        "message_id": selection.message_id,
        "reverse_path": selection.reverse_path,
        "recipient": selection.recipient,
        "outcome": None if selection.outcome is None else history_changes.CODES[selection.outcome],
        "since": selection.since,
        "until": selection.until,
        "first": places[0],
        "last": places[1],
        "limit": selection.limit,
    }
    with engine.time_limit(connection, engine.SEARCH_SECONDS):
        rows = fetch(connection, query, bindings)
    return [_entry(row) for row in rows]


def _places(connection: apsw.Connection, selection: HistoryFilter) -> tuple[int, int] | None:
    """Return the ids between which the entries are, both included; None if there are none."""
    first, last = 0, _NEWEST if selection.before is None else selection.before - 1
    if selection.since is None and selection.until is None:
        return first, last
    hours = [
        None if at is None else history_changes.hour_of(at)
        for at in (selection.since, selection.until)
    ]
    [(found_first, found_last, count)] = fetch(connection, history_queries.PLACES, hours)
    if not count:
        return None
    return found_first, last if found_last is None else min(last, found_last)


def _entry(row: Row) -> HistoryEntry:
    number, at, outcome, *facts = row
    return HistoryEntry(number, at, history_changes.MOVES[outcome], *facts)


def _figures(connection: apsw.Connection) -> HistoryFigures:
    [(entries, oldest_at)] = fetch(connection, history_queries.FIGURES)
    [(average,)] = fetch(connection, history_queries.AVERAGE_OCTETS)
    return HistoryFigures(entries, int(entries * average), oldest_at)


def _domains(connection: apsw.Connection) -> list[int]:
    return [domain_id for (domain_id,) in fetch(connection, history_queries.DOMAINS)]
