"""How much mail for a domain arrived lately, from the mail that is held and the history.

The history has the mail that left, as far as the account keeps one. Both are read to a limit, so
that a check of a busy domain ends soon.
"""

from dataclasses import replace
from typing import Final

from restante.admin.admin_context import AdminContext
from restante.admin.scope import held_page, history_page
from restante.queue.history import HistoryFilter
from restante.readiness.record_verdicts import RecentArrivals
from restante.store.queue_store import QueueFilter

PAGE: Final = 500
MOST_PAGES: Final = 10  # of each


async def recent_arrivals(context: AdminContext, domain_id: int, since: float) -> RecentArrivals:
    """Return the mail for a domain that arrived since a time. Raises StoreError."""
    octets: dict[int, int] = {}  # by number
    held = QueueFilter(domain_ids=(domain_id,), received_since=since, limit=PAGE)
    is_all_held = await _add_held(context, held, octets)
    left = HistoryFilter(domain_ids=(domain_id,), since=since, limit=PAGE)
    is_all_left = await _add_left(context, left, octets)
    return RecentArrivals(len(octets), sum(octets.values()), is_all_held and is_all_left)


async def _add_held(context: AdminContext, wanted: QueueFilter, octets: dict[int, int]) -> bool:
    """Add the messages that are stored; return whether these are all."""
    for _ in range(MOST_PAGES):
        page = await held_page(context, wanted)
        octets.update((one.number, one.size) for one in page.messages)
        if page.after is None:
            return True
        wanted = replace(wanted, after=page.after)
    return False


async def _add_left(context: AdminContext, wanted: HistoryFilter, octets: dict[int, int]) -> bool:
    """Add the messages that left; return whether these are all."""
    assert wanted.since is not None, "the history has no end otherwise"
    for _ in range(MOST_PAGES):
        page = await history_page(context, wanted)
        octets.update(
            (one.number, one.octets) for one in page.entries if one.received_at >= wanted.since
        )
        if page.before is None:
            return True
        wanted = replace(wanted, before=page.before)
    return False
