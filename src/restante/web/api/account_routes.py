"""Routes of accounts."""

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from restante.admin import accounts
from restante.admin.accounts import AccountChange, AccountView, ChangedAccount, NewAccount
from restante.web.api.listing import as_listing
from restante.web.api.request_context import Reason, RequestContext

router = APIRouter(prefix="/accounts", tags=["accounts"])


@router.post("", status_code=201)
async def add_account(context: RequestContext, new: NewAccount) -> AccountView:
    """Add an account."""
    return await accounts.add_account(context, new)


@router.get("", response_model=list[AccountView])
async def list_accounts(context: RequestContext) -> StreamingResponse:
    """List accounts by name."""
    return as_listing(accounts.list_accounts(context))


@router.get("/{name}")
async def show_account(context: RequestContext, name: str) -> AccountView:
    """Show one account."""
    return accounts.show_account(context, name)


@router.patch("/{name}")
async def change_account(
    context: RequestContext, name: str, wanted: AccountChange
) -> ChangedAccount:
    """Change the given fields."""
    return await accounts.change_account(context, name, wanted)


@router.delete("/{name}", status_code=204)
async def remove_account(context: RequestContext, name: str, reason: Reason) -> None:
    """Remove an account without logins and domains."""
    await accounts.remove_account(context, name, reason)
