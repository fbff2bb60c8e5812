"""Routes of hosted domains."""

from functools import partial
from operator import attrgetter
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response

from restante.admin import (
    domain_check,
    domain_dns,
    domain_snippets,
    domain_uptime,
    domains,
    held_over_time,
    known_records,
)
from restante.admin.domain_change import DomainChange, NewDomain
from restante.admin.domain_check import DomainCheckView
from restante.admin.domain_dns import DomainDnsView
from restante.admin.domain_snippets import SnippetView
from restante.admin.domain_uptime import UptimeSelection, UptimeView
from restante.admin.domains import ChangedDomain, DomainView
from restante.admin.held_over_time import HeldOverTimeView, HeldSpan
from restante.readiness.primary_snippets import PrimaryProgram
from restante.web.api.idempotency_keys import REPEATABLE, ActingRoute
from restante.web.api.null_fields import clearing
from restante.web.api.paging import PAGED, ListPage, as_page
from restante.web.api.preconditions import (
    TAGGED,
    IfMatch,
    IfNoneMatch,
    added_response,
    changed_response,
    shown,
    unchanged_add,
)
from restante.web.api.request_context import (
    ClientWords,
    ReadingContext,
    ReasonParam,
    RequestContext,
)

SCHEDULED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "A part of the change waits.", "model": ChangedDomain}
}

router = APIRouter(route_class=ActingRoute, prefix="/domains", tags=["domains"])


@router.post(
    "",
    status_code=201,
    response_model=ChangedDomain,
    responses=unchanged_add(ChangedDomain),
    dependencies=[REPEATABLE],
)
async def add_domain(context: RequestContext, new: NewDomain, words: ClientWords) -> Response:
    """Add a hosted domain. If it is there with the given values, nothing is changed."""
    view = _told(await domains.add_domain(context, new), words)
    return added_response(view, view.changes)


def _told(changed_domain: ChangedDomain, words: ClientWords) -> ChangedDomain:
    warnings = [words(warning) for warning in changed_domain.warnings]
    return changed_domain.model_copy(update={"warnings": warnings})


@router.get("", response_model=list[DomainView], responses=PAGED)
async def list_domains(
    context: ReadingContext, page: ListPage, account: str | None = None
) -> Response:
    """List hosted domains by name, all or an account's."""
    views = await domains.list_domains(context, account, after=page.after)
    return await as_page(views, page, attrgetter("name"))


@router.get("/{name}", response_model=DomainView, responses=TAGGED)
async def show_domain(context: ReadingContext, name: str, known: IfNoneMatch) -> Response:
    """Show one domain."""
    view = await domains.show_domain(context, name)
    return shown(known_records.known_domain(context, name), view, known)


@router.get("/{name}/uptime")
async def show_uptime(
    context: ReadingContext, name: str, wanted: Annotated[UptimeSelection, Query()]
) -> UptimeView:
    """Show when the destination of a domain answered, and when it was away."""
    return await domain_uptime.show_uptime(context, name, wanted)


@router.get("/{name}/held")
async def show_held(
    context: ReadingContext, name: str, wanted: Annotated[HeldSpan, Query()]
) -> HeldOverTimeView:
    """Show the most that a domain held in each slot of a time span, a day by default."""
    return await held_over_time.show_held(context, name, wanted)


@router.get("/{name}/dns")
async def show_dns(context: ReadingContext, name: str) -> DomainDnsView:
    """Show the records to publish in DNS for a domain, and the present ones."""
    return await domain_dns.show_dns(context, name)


@router.post("/{name}/check")
async def check_domain(context: ReadingContext, name: str, words: ClientWords) -> DomainCheckView:
    """Check whether a domain's mail would reach its destination, and whether forgeries would.

    No mail is sent, and nothing is changed. The destination is looked at once in ten minutes, and
    the last look is shown again meanwhile. An answer takes seconds, and 75 s at most.
    """
    view = await domain_check.check_domain(context, name)
    rows = [row.model_copy(update={"remedy": words(row.remedy)}) for row in view.rows]
    return view.model_copy(update={"rows": rows})


@router.get("/{name}/snippets")
async def list_snippets(
    context: ReadingContext,
    name: str,
    program: Annotated[
        PrimaryProgram | None, Query(alias="for", description="The program; all without it.")
    ] = None,
) -> list[SnippetView]:
    """Show lines for the primary of a domain, with the addresses of this server."""
    return await domain_snippets.list_snippets(context, name, program)


@router.patch("/{name}", response_model=ChangedDomain, responses=SCHEDULED)
async def change_domain(
    context: RequestContext,
    name: str,
    wanted: Annotated[DomainChange, clearing(DomainChange)],
    precondition: IfMatch,
    words: ClientWords,
) -> Response:
    """Change the given fields.

    An account's change of the destination or of authorized hosts waits: then the answer is 202.
    """
    find = partial(known_records.known_domain, context, name)
    async with precondition.holding(find):
        view = _told(await domains.change_domain(context, name, wanted), words)
        return changed_response(find, view, 202 if view.scheduled is not None else 200)


@router.delete("/{name}", status_code=204)
async def remove_domain(
    context: RequestContext, name: str, reason: ReasonParam, precondition: IfMatch
) -> None:
    """Remove a domain that holds no mail."""
    async with precondition.holding(partial(known_records.known_domain, context, name)):
        await domains.remove_domain(context, name, reason)
