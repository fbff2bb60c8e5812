"""Routes of tokens. A token's text is in one answer only."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from restante.admin import token_makings, tokens
from restante.admin.token_makings import TokenMakings
from restante.admin.tokens import AddedToken, NewToken, TokenView
from restante.web.api.idempotency_keys import REPEATABLE, SECRET_ANSWER, ActingRoute
from restante.web.api.paging import PAGED, ListPage, as_page
from restante.web.api.request_context import ReadingContext, ReasonParam, RequestContext

router = APIRouter(route_class=ActingRoute, prefix="/tokens", tags=["tokens"])


@router.post("", status_code=201, dependencies=[REPEATABLE, SECRET_ANSWER])
async def add_token(context: RequestContext, new: NewToken, response: Response) -> AddedToken:
    """Add a token. Only this answer has its text."""
    added = await tokens.add_token(context, new)
    response.headers["Cache-Control"] = "no-store"
    return added


@router.get("", response_model=list[TokenView], responses=PAGED)
async def list_tokens(
    context: ReadingContext,
    page: ListPage,
    account: Annotated[
        str | None, Query(description="Whose; empty for the operator's own.")
    ] = None,
) -> Response:
    """List tokens in any state, by account and name."""
    views = await tokens.list_tokens(context, account, after=page.after)
    return await as_page(views, page, tokens.place_of)


@router.delete("/{token_id}", status_code=204)
async def revoke_token(context: RequestContext, token_id: str, reason: ReasonParam) -> None:
    """Revoke a token, and with it those that it made."""
    await tokens.revoke_token(context, token_id, reason)


@router.get("/{token_id}/made")
async def list_makings(context: ReadingContext, token_id: str) -> TokenMakings:
    """List the records that a token made or changed, and that live on when it is revoked."""
    return await token_makings.list_makings(context, token_id)
