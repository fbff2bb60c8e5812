"""How a route gets its admin context."""

from typing import Annotated

from fastapi import Depends, Query, Request

from restante.admin.admin_context import AdminContext, operator
from restante.web.serving import PEER_PREFIX


async def _context_of(
    request: Request,
    reason: Annotated[str, Query(description="Why; kept in the audit trail.")] = "",
) -> AdminContext:
    context: AdminContext = request.app.state.context
    return context.acting(_actor(request, context), reason)


def _actor(request: Request, context: AdminContext) -> str:
    """Name the client: the user at the other end of the control socket, or the local user."""
    peer = request.client.host if request.client else ""
    return (
        operator(int(peer.removeprefix(PEER_PREFIX)))
        if peer.startswith(PEER_PREFIX)
        else context.actor
    )


RequestContext = Annotated[AdminContext, Depends(_context_of)]
Reason = Annotated[str, Query(description="Why; kept in the audit trail.")]
