"""The first page: one sentence for each domain, below the things that need a person."""

from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.accounts import AccountView, list_accounts
from restante.admin.domain_glances import DomainGlance, DomainGlances, list_glances
from restante.admin.name_finding import find_names
from restante.admin.permissions import AdminAction, may
from restante.admin.releases import list_refused_requests
from restante.admin.server_status import summarize_status
from restante.admin.waiting_changes import list_changes
from restante.background.loop_slices import in_turns
from restante.queue.presence import DestinationState
from restante.web.portal.domain_sentence import (
    DomainNeed,
    more_changes,
    needs,
    refused_requests,
    seen_now,
    sentence,
    waiting_change,
)
from restante.web.portal.portal_visit import Visit, all_made, page_route
from restante.web.portal.server_facts import server_facts

ROWS: Final = 100
MOST_NEEDS: Final = 20
MOST_AWAY: Final = 10
MOST_CHANGES: Final = 10  # that wait, with a line each
REFUSED_SECONDS: Final = 86400.0  # a refused request for release is shown for so long


async def overview(visit: Visit) -> Response:
    """Show the domains of the account; to an operator the accounts and the server."""
    account, after = visit.query.given("account"), visit.query.text("after")
    is_of_platform = may(visit.session.principal, AdminAction.SERVER_STATUS) and account is None
    if is_of_platform and (wanted := visit.query.text("find")):
        found_names = await find_names(visit.context, wanted, ROWS)
        return visit.page("found.html", wanted=wanted, found=found_names)
    found = await list_glances(visit.context, account, after, 0 if is_of_platform else ROWS)
    asked_in_vain = await _refused_requests(visit, account)
    changes = await _waiting_changes(visit, account)
    common: dict[str, Any] = {
        "needs": [*changes, *(await _needs(found, visit.now)), *asked_in_vain][:MOST_NEEDS],
        "total": found.held,
        "domains": found.domains,
        "account": account,
    }
    if is_of_platform:
        accounts = await all_made(islice(list_accounts(visit.context, after), ROWS))
        status = await summarize_status(visit.context)
        return visit.page(
            "platform.html",
            status_view=status,
            facts=list(server_facts(status, visit.now)),
            accounts=accounts,
            away=_away(found, visit.now),
            after=_next(accounts),
            **common,
        )
    rows = [
        (glance, seen_now(glance), sentence(glance, visit.now))
        async for glance in in_turns(found.page)
    ]
    return visit.page("overview.html", rows=rows, after=_next(found.page), **common)


def _away(found: DomainGlances, now: float) -> list[tuple[DomainGlance, str]]:
    """Return the first domains whose mail waits for a destination that is away, in words."""
    waiting = (one for one in found.needy if one.held and seen_now(one) is DestinationState.AWAY)
    return [(one, sentence(one, now)) for one in islice(waiting, MOST_AWAY)]


async def _needs(found: DomainGlances, now: float) -> list[DomainNeed]:
    """Return what needs a person, the urgent first."""
    all_of_them = [need async for glance in in_turns(found.needy) for need in needs(glance, now)]
    return sorted(all_of_them, key=lambda need: not need.is_urgent)


async def _refused_requests(visit: Visit, account: str | None) -> list[DomainNeed]:
    """Return the requests of the last day that were refused: somebody waits for mail."""
    if not may(visit.session.principal, AdminAction.RELEASE_LIST):
        return []
    found = await list_refused_requests(visit.context, account, visit.now - REFUSED_SECONDS)
    return list(refused_requests(found, visit.now))


async def _waiting_changes(visit: Visit, account: str | None) -> list[DomainNeed]:
    """Return the changes of where mail goes, the soonest first. Without a channel, only this tells.

    They stand before all else: after their time, mail goes to another place.
    """
    if not may(visit.session.principal, AdminAction.CHANGE_LIST):
        return []
    found = [one async for one in in_turns(await list_changes(visit.context, account=account))]
    found.sort(key=lambda one: one.applies_at)
    shown = [waiting_change(one, visit.now) for one in found[:MOST_CHANGES]]
    more = found[MOST_CHANGES:]
    return [*shown, more_changes(more, visit.now)] if more else shown


def _next(page: Sequence[DomainGlance] | Sequence[AccountView]) -> str:
    """Return the name to go on after, "" if this is the last page."""
    return page[-1].name if len(page) == ROWS else ""


ROUTES: Final[list[Route]] = [page_route("/", overview)]
