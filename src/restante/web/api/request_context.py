"""How a route gets its admin context: whose request it is, and why."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Query, Request

from restante.admin.admin_context import AdminContext, operator
from restante.tenancy.principal import CONTROL_SOCKET, NOBODY, Principal
from restante.web.api.bearer_tokens import principal_of
from restante.web.api.remedy_words import words_for
from restante.web.api.route_rights import require_right
from restante.web.api.unknown_parameters import refuse_unknown_parameters
from restante.web.fresh_records import see_changes
from restante.web.serving import PEER_PREFIX


async def _context_of(
    request: Request,
    reason: Annotated[str, Query(description="Why; kept in the audit trail.")] = "",
) -> AdminContext:
    context: AdminContext = request.app.state.context
    principal = acting_principal(request)
    require_right(request, principal)
    refuse_unknown_parameters(request)
    await see_changes(context.directory)
    return context.acting(principal, reason)


def acting_principal(request: Request) -> Principal:
    """Return who acts: as the API was made for, or by a token, or the user of the socket."""
    acting: Principal | None = request.app.state.acting
    if acting is not None:
        return acting
    if (by_token := principal_of(request.scope)) is not None:
        return by_token
    peer = request.client.host if request.client else ""
    if peer.startswith(PEER_PREFIX):
        return operator(int(peer.removeprefix(PEER_PREFIX)), CONTROL_SOCKET)
    return NOBODY


async def _reading_context_of(request: Request) -> AdminContext:
    context: AdminContext = request.app.state.context
    principal = acting_principal(request)
    require_right(request, principal)
    refuse_unknown_parameters(request)
    await see_changes(context.directory)
    return context.acting(principal, "")


async def _own_account(
    request: Request,
    account: Annotated[
        str, Query(description="Whose. Without it: your own; an operator's own are the server's.")
    ] = "",
) -> str:
    return account or acting_principal(request).account


async def _words_of(request: Request) -> Callable[[str], str]:
    return words_for(request.headers.get("user-agent", ""))


# Puts texts of answers into the words of the client: options and commands, or fields and routes.
ClientWords = Annotated[Callable[[str], str], Depends(_words_of)]
RequestContext = Annotated[AdminContext, Depends(_context_of)]
# Of a route that only reads: nothing of it is audited, so it takes no reason.
ReadingContext = Annotated[AdminContext, Depends(_reading_context_of)]
OwnAccount = Annotated[str, Depends(_own_account)]
ReasonParam = Annotated[str, Query(description="Why; kept in the audit trail.")]
