"""The history port of the store on SQLite."""

import json
from collections.abc import Sequence
from functools import partial

import apsw

from restante.queue.history import HistoryEntry, HistoryFigures, HistoryFilter, HistoryPage
from restante.store.sqlite import engine, history_changes, history_queries
from restante.store.sqlite.bounded_search import AskConnection, search_within_reach
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.store_core import StoreCore
from restante.store.stored_form.move_codes import CODES
from restante.store.stored_form.row_type import Row
from restante.store.stored_form.rows import read_history_entry


class SqliteHistory:
    """A `HistoryStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def history(self, selection: HistoryFilter) -> list[HistoryEntry]:
        """Return the entries that match, the newest first."""
        return await self._core.read(partial(_entries, selection=selection))

    async def history_page(self, selection: HistoryFilter) -> HistoryPage:
        """Return the newest entries that match, as far as a bounded search comes."""
        return await self._core.read(partial(_page, selection=selection))

    async def history_figures(self) -> HistoryFigures:
        """Return how much there is."""
        return await self._core.read(_figures)

    async def trim_history(self, before: float, octets: int | None, limit: int) -> int:
        """Remove what is too old, and the oldest beyond so many octets."""
        removed: int = await self._core.write(
            partial(history_changes.trim_history, before=before, octets=octets, limit=limit)
        )
        return removed

    async def history_domains(self) -> list[int]:
        """Return the ids of the domains that have entries."""
        return await self._core.read(_domains)

    async def forget_history(self, domain_ids: Sequence[int], limit: int) -> int:
        """Remove at most `limit` entries of these domains."""
        removed: int = await self._core.write(
            partial(history_changes.forget_domains, domain_ids=domain_ids, limit=limit)
        )
        return removed


def _entries(connection: apsw.Connection, selection: HistoryFilter) -> list[HistoryEntry]:
    places = _places(connection, selection)
    if places is None:
        return []
    ask = _asking(connection, selection)
    with engine.time_limit(connection, engine.SEARCH_SECONDS):
        rows = ask(*places, selection.limit)
    return [read_history_entry(row) for row in rows]


def _page(connection: apsw.Connection, selection: HistoryFilter) -> HistoryPage:
    places = _places(connection, selection)
    if places is None:
        return HistoryPage([], None)
    limit = selection.limit
    ask = _asking(connection, selection)
    rows, last = search_within_reach(connection, places, limit + 1, ask, is_down=True)
    page = [read_history_entry(row) for row in rows[:limit]]
    return HistoryPage(page, page[-1].id if len(rows) > limit else last)


def _asking(connection: apsw.Connection, selection: HistoryFilter) -> AskConnection:
    """Return the question about the entries between two ids."""
    domain_ids = selection.domain_ids
    query = history_queries.entries(
        domains=None if domain_ids is None else len(domain_ids),
        by_number=selection.number is not None,
    )
    bindings = {
        "domain_id": domain_ids[0] if domain_ids else None,
        "domain_ids": None if domain_ids is None else json.dumps(domain_ids),
        "number": selection.number,
        "message_id": selection.message_id,
        "reverse_path": selection.reverse_path,
        "recipient": selection.recipient,
        "outcome": None if selection.outcome is None else CODES[selection.outcome],
        "since": selection.since,
        "until": selection.until,
    }

    def ask(first: int, last: int, limit: int) -> list[Row]:
        return fetch(connection, query, bindings | {"first": first, "last": last, "limit": limit})

    return ask


def _places(connection: apsw.Connection, selection: HistoryFilter) -> tuple[int, int] | None:
    """Return the ids between which the entries are, both included; None if there are none."""
    if selection.domain_ids == ():
        return None
    [(first, last)] = fetch(connection, history_queries.BOUNDS)
    if first is None:
        return None
    last = last if selection.before is None else min(last, selection.before - 1)
    if selection.since is None and selection.until is None:
        return first, last
    hours = [
        None if at is None else history_changes.hour_of(at)
        for at in (selection.since, selection.until)
    ]
    [(found_first, found_last, count)] = fetch(connection, history_queries.PLACES, hours)
    if not count:
        return None
    last = last if found_last is None else min(last, found_last)
    return max(first, found_first), last


def _figures(connection: apsw.Connection) -> HistoryFigures:
    [(entries, oldest_at)] = fetch(connection, history_queries.FIGURES)
    [(average,)] = fetch(connection, history_queries.AVERAGE_OCTETS)
    return HistoryFigures(entries, int(entries * average), oldest_at)


def _domains(connection: apsw.Connection) -> list[int]:
    return [domain_id for (domain_id,) in fetch(connection, history_queries.DOMAINS)]
