"""Routes of an account's logins."""

from functools import partial
from operator import attrgetter
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response

from restante.admin import known_records, logins
from restante.admin.logins import ChangedLogin, LoginChange, LoginView, NewLogin
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
from restante.web.api.request_context import ReadingContext, ReasonParam, RequestContext

router = APIRouter(route_class=ActingRoute, prefix="/accounts/{account}/logins", tags=["logins"])


@router.post(
    "",
    status_code=201,
    response_model=ChangedLogin,
    responses=unchanged_add(ChangedLogin),
    dependencies=[REPEATABLE],
)
async def add_login(context: RequestContext, account: str, new: NewLogin) -> Response:
    """Add a login. If the account has it with the given values, nothing is changed."""
    view = await logins.add_login(context, account, new)
    return added_response(view, view.changes)


@router.get("", response_model=list[LoginView], responses=PAGED)
async def list_logins(context: ReadingContext, page: ListPage, account: str) -> Response:
    """List an account's logins by user name."""
    views = await logins.list_logins(context, account, after=page.after)
    return await as_page(views, page, attrgetter("user"))


@router.get("/{user}", response_model=LoginView, responses=TAGGED)
async def show_login(
    context: ReadingContext, account: str, user: str, known: IfNoneMatch
) -> Response:
    """Show one login."""
    view = await logins.show_login(context, account, user)
    return shown(known_records.known_login(context, account, user), view, known)


@router.patch("/{user}", response_model=ChangedLogin)
async def change_login(
    context: RequestContext,
    account: str,
    user: str,
    wanted: Annotated[LoginChange, clearing(LoginChange)],
    precondition: IfMatch,
) -> Response:
    """Change the given fields."""
    find = partial(known_records.known_login, context, account, user)
    async with precondition.holding(find):
        view = await logins.change_login(context, account, user, wanted)
        return changed_response(find, view)


@router.delete("/{user}", status_code=204)
async def remove_login(
    context: RequestContext, account: str, user: str, reason: ReasonParam, precondition: IfMatch
) -> None:
    """Remove a login."""
    async with precondition.holding(partial(known_records.known_login, context, account, user)):
        await logins.remove_login(context, account, user, reason)
