"""Routes of users of the portal. The link of an invitation is in one answer only."""

from functools import partial
from operator import attrgetter
from typing import Annotated

from fastapi import APIRouter, Query, Response

from restante.admin import known_records, portal_users
from restante.admin.portal_users import (
    InvitedUser,
    NewPortalUser,
    PortalUserChange,
    PortalUserView,
)
from restante.web.api.idempotency_keys import REPEATABLE, SECRET_ANSWER, ActingRoute
from restante.web.api.null_fields import clearing
from restante.web.api.paging import PAGED, ListPage, as_page
from restante.web.api.preconditions import (
    TAGGED,
    IfMatch,
    IfNoneMatch,
    changed_response,
    shown,
)
from restante.web.api.request_context import ReadingContext, ReasonParam, RequestContext

router = APIRouter(route_class=ActingRoute, prefix="/users", tags=["users"])


@router.post("", status_code=201, dependencies=[REPEATABLE, SECRET_ANSWER])
async def invite_user(
    context: RequestContext, new: NewPortalUser, response: Response
) -> InvitedUser:
    """Invite a user of the portal. Only this answer has the one-time link."""
    invited = await portal_users.invite_user(context, new)
    response.headers["Cache-Control"] = "no-store"
    return invited


@router.get("", response_model=list[PortalUserView], responses=PAGED)
async def list_users(
    context: ReadingContext,
    page: ListPage,
    account: Annotated[str | None, Query(description="Whose; empty for the operators.")] = None,
) -> Response:
    """List users of the portal by email address."""
    views = await portal_users.list_users(context, account, page.after)
    return await as_page(views, page, attrgetter("email"))


@router.get("/{email}", response_model=PortalUserView, responses=TAGGED)
async def show_user(context: ReadingContext, email: str, known: IfNoneMatch) -> Response:
    """Show one user of the portal."""
    view = portal_users.show_user(context, email)
    return shown(known_records.known_user(context, email), view, known)


@router.patch("/{email}", response_model=PortalUserView)
async def change_user(
    context: RequestContext,
    email: str,
    wanted: Annotated[PortalUserChange, clearing(PortalUserChange)],
    precondition: IfMatch,
) -> Response:
    """Change the rights of a user, which ends its sessions."""
    find = partial(known_records.known_user, context, email)
    async with precondition.holding(find):
        view = await portal_users.change_user(context, email, wanted)
        return changed_response(find, view)


@router.delete("/{email}", status_code=204)
async def remove_user(
    context: RequestContext, email: str, reason: ReasonParam, precondition: IfMatch
) -> None:
    """Remove a user, with its sessions and the tokens that it made."""
    async with precondition.holding(partial(known_records.known_user, context, email)):
        await portal_users.remove_user(context, email, reason)
