"""Routes of accounts."""

from functools import partial
from operator import attrgetter
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response

from restante.admin import accounts, known_records
from restante.admin.accounts import AccountChange, AccountView, ChangedAccount, NewAccount
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

router = APIRouter(route_class=ActingRoute, prefix="/accounts", tags=["accounts"])


@router.post(
    "",
    status_code=201,
    response_model=ChangedAccount,
    responses=unchanged_add(ChangedAccount),
    dependencies=[REPEATABLE],
)
async def add_account(context: RequestContext, new: NewAccount) -> Response:
    """Add an account. If it is there with the given values, nothing is changed."""
    view = await accounts.add_account(context, new)
    return added_response(view, view.changes)


@router.get("", response_model=list[AccountView], responses=PAGED)
async def list_accounts(context: ReadingContext, page: ListPage) -> Response:
    """List accounts by name."""
    views = accounts.list_accounts(context, after=page.after)
    return await as_page(views, page, attrgetter("name"))


@router.get("/{name}", response_model=AccountView, responses=TAGGED)
async def show_account(context: ReadingContext, name: str, known: IfNoneMatch) -> Response:
    """Show one account."""
    view = accounts.show_account(context, name)
    return shown(known_records.known_account(context, name), view, known)


@router.patch("/{name}", response_model=ChangedAccount)
async def change_account(
    context: RequestContext,
    name: str,
    wanted: Annotated[AccountChange, clearing(AccountChange)],
    precondition: IfMatch,
) -> Response:
    """Change the given fields."""
    find = partial(known_records.known_account, context, name)
    async with precondition.holding(find):
        view = await accounts.change_account(context, name, wanted)
        return changed_response(find, view)


@router.delete("/{name}", status_code=204)
async def remove_account(
    context: RequestContext, name: str, reason: ReasonParam, precondition: IfMatch
) -> None:
    """Remove an account without logins and domains."""
    async with precondition.holding(partial(known_records.known_account, context, name)):
        await accounts.remove_account(context, name, reason)
