"""The history of mail that left, by pages and as a whole: the outcome for each recipient."""

from collections.abc import AsyncGenerator, Iterable
from dataclasses import replace
from typing import Final

from restante.admin.admin_context import AdminContext
from restante.admin.domains import find_domain
from restante.admin.held_mail import domain_names, number_of
from restante.admin.listing_page import PAGE_ROWS, Cursor, ListingPage, PageLimit, number_at
from restante.admin.mail_search import HistoryView, SearchedMail, history_filter, history_view
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import check_span
from restante.admin.scope import history_page
from restante.queue.history import HistoryFilter

SLICE: Final = 100  # entries that are read at once


class HistorySelection(SearchedMail):
    """The entries to list."""

    after: Cursor = ""  # the id of the entry after which the list goes on
    limit: PageLimit = PAGE_ROWS  # of a page


async def list_history(
    context: AdminContext, selection: HistorySelection
) -> ListingPage[HistoryView]:
    """Return the newest entries that match, newest first. Raises AdminError.

    A search that takes long ends early: a page with few entries, or none, can have a next one.
    """
    permit(context.principal, AdminAction.TRACE)
    page = await history_page(context, _filter(context, selection, selection.limit))
    names = domain_names(context)
    after = None if page.before is None else str(page.before)
    return ListingPage((history_view(entry, names) for entry in page.entries), after)


async def export_history(
    context: AdminContext, selection: HistorySelection
) -> AsyncGenerator[Iterable[HistoryView], None]:
    """Yield all entries that match, newest first, in slices; `limit` does not count.

    The views of a slice are made when they are read. Entries that are added meanwhile are left out.
    Raises AdminError before the first slice.
    """
    permit(context.principal, AdminAction.TRACE)
    wanted = _filter(context, selection, SLICE)
    names = domain_names(context)
    while True:
        page = await history_page(context, wanted)
        yield (history_view(entry, names) for entry in page.entries)
        if page.before is None:
            return
        wanted = replace(wanted, before=page.before)


def _filter(context: AdminContext, selection: HistorySelection, limit: int) -> HistoryFilter:
    check_span(selection.since, selection.until)
    domain = find_domain(context, selection.domain) if selection.domain else None
    return history_filter(
        selection,
        None if domain is None else (domain.id,),
        number_of(selection.name) if selection.name else None,
        before=number_at(selection.after),
        limit=limit,
    )
