"""Routes of an account's logins."""

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from restante.admin import logins
from restante.admin.logins import ChangedLogin, LoginChange, LoginView, NewLogin
from restante.web.api.listing import as_listing
from restante.web.api.request_context import Reason, RequestContext

router = APIRouter(prefix="/accounts/{account}/logins", tags=["logins"])


@router.post("", status_code=201)
async def add_login(context: RequestContext, account: str, new: NewLogin) -> LoginView:
    """Add a login."""
    return await logins.add_login(context, account, new)


@router.get("", response_model=list[LoginView])
async def list_logins(context: RequestContext, account: str) -> StreamingResponse:
    """List an account's logins by user name."""
    return as_listing(logins.list_logins(context, account))


@router.patch("/{user}")
async def change_login(
    context: RequestContext, account: str, user: str, wanted: LoginChange
) -> ChangedLogin:
    """Change the given fields."""
    return await logins.change_login(context, account, user, wanted)


@router.delete("/{user}", status_code=204)
async def remove_login(context: RequestContext, account: str, user: str, reason: Reason) -> None:
    """Remove a login."""
    await logins.remove_login(context, account, user, reason)
