"""The nodes of a shared store as an operator sees, retires and removes them."""

from pydantic import BaseModel, ConfigDict

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import announce, entry
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import LineText
from restante.store.node_store import Node, NodeState
from restante.tenancy.audit import AuditAction


class NodeView(BaseModel):
    """One server of a shared store."""

    name: str  # HOST:PROCESS
    version: str
    state: NodeState  # "silent": others take over its drains and duties
    beat_seconds: float  # since its last heartbeat
    lease_seconds: float  # until others may take over its drains
    drains: int  # that it runs
    duties: list[str]  # works that it does for all
    is_own: bool  # it answers this request


class NodeOrder(BaseModel):
    """Why a node must stop, or is removed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: LineText = ""


async def list_nodes(context: AdminContext) -> list[NodeView]:
    """Return the servers that share the store, by name; none if it is of one server.

    Raises AdminError, StoreError.
    """
    permit(context.principal, AdminAction.NODE_LIST)
    return await node_views(context)


async def node_views(context: AdminContext) -> list[NodeView]:
    """Return the same for a principal that may see them. Raises StoreError."""
    return [_view(node) for node in await context.store.nodes.nodes()]


async def retire_node(context: AdminContext, name: str, order: NodeOrder) -> NodeView:
    """Ask a node to stop as by SIGTERM. Returns it as it was.

    Raises AdminError, StoreError.
    """
    permit(context.principal, AdminAction.NODE_RETIRE)
    node = await _find(context, name)
    if not await context.store.nodes.retire(name):
        remedy = f"its drains are taken over; to forget it, run `restante node remove {name}`"
        raise AdminError(ErrorKind.CONFLICT, f"node {name}: does not answer", remedy)
    await _record(context, AuditAction.NODE_RETIRED, name, order)
    return node


async def remove_node(context: AdminContext, name: str, order: NodeOrder) -> NodeView:
    """Forget a node that does not answer any more. Returns it as it was.

    Raises AdminError, StoreError.
    """
    permit(context.principal, AdminAction.NODE_REMOVE)
    node = await _find(context, name)
    if not await context.store.nodes.remove(name):
        remedy = f"stop it first: `restante node retire {name}`"
        raise AdminError(ErrorKind.CONFLICT, f"node {name}: is alive", remedy)
    await _record(context, AuditAction.NODE_REMOVED, name, order)
    return node


async def _find(context: AdminContext, name: str) -> NodeView:
    found = next((node for node in await node_views(context) if node.name == name), None)
    if found is None:
        remedy = "`restante node list` shows the servers that share the store"
        raise AdminError(ErrorKind.NOT_FOUND, f"node {name}: is not known", remedy)
    return found


async def _record(context: AdminContext, action: AuditAction, name: str, order: NodeOrder) -> None:
    recorded = entry(context, action, name, "", order.reason)
    await context.store.audit.record([recorded])
    announce(context, recorded)


def _view(node: Node) -> NodeView:
    return NodeView(
        name=node.name,
        version=node.version,
        state=node.state,
        beat_seconds=round(node.beat_age, 3),
        lease_seconds=round(node.lease_left, 3),
        drains=node.drains,
        duties=list(node.duties),
        is_own=node.is_own,
    )
