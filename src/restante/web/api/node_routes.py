"""Routes of the servers that share a store."""

from fastapi import APIRouter

from restante.admin import nodes
from restante.admin.nodes import NodeOrder, NodeView
from restante.web.api.idempotency_keys import REPEATABLE, ActingRoute
from restante.web.api.request_context import ReadingContext, RequestContext

router = APIRouter(route_class=ActingRoute, prefix="/nodes", tags=["operations"])


@router.get("")
async def list_nodes(context: ReadingContext) -> list[NodeView]:
    """List the servers that share the store; none if the store is of one server."""
    return await nodes.list_nodes(context)


@router.post("/{name}/retire", dependencies=[REPEATABLE])
async def retire_node(context: RequestContext, name: str, order: NodeOrder) -> NodeView:
    """Ask a server to stop; others take over its drains and duties at once."""
    return await nodes.retire_node(context, name, order)


@router.post("/{name}/remove", dependencies=[REPEATABLE])
async def remove_node(context: RequestContext, name: str, order: NodeOrder) -> NodeView:
    """Forget a server that does not answer any more."""
    return await nodes.remove_node(context, name, order)
