"""The servers that share the store on PostgreSQL."""

from restante.store.node_store import Node, NodeState
from restante.store.postgres import node_queries
from restante.store.postgres.lane_set import SessionKind
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction


class PostgresNodes:
    """A `NodeStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    @property
    def is_retiring(self) -> bool:
        """Whether this process was asked to stop."""
        return self._core.node.is_retiring

    @property
    def risk(self) -> str:
        """Why acknowledged mail could be lost."""
        return self._core.node.risk

    @property
    def clock_offset(self) -> float | None:
        """How far this machine's clock is ahead."""
        return self._core.node.clock_offset

    @property
    def servers(self) -> int:
        """How many processes have the store open, by the last look."""
        return self._core.node.others + 1

    async def nodes(self) -> list[Node]:
        """Return the nodes by name."""
        own = self._core.node.key.id
        return [
            Node(
                name=name,
                version=version,
                state=_state(lease_left, is_retiring=is_retiring),
                beat_age=beat_age,
                lease_left=lease_left,
                drains=drains,
                duties=tuple(duties),
                is_own=slot == own,
            )
            for slot, name, version, beat_age, lease_left, is_retiring, drains, duties in (
                await self._core.fetch(node_queries.NODES)
            )
        ]

    async def retire(self, name: str) -> bool:
        """Ask a node to stop."""
        return await self._changed(node_queries.ASK_TO_RETIRE, name)

    async def remove(self, name: str) -> bool:
        """Forget a silent node."""
        return await self._changed(node_queries.REMOVE, name)

    async def _changed(self, statement: str, name: str) -> bool:
        async def change(transaction: PostgresTransaction) -> bool:
            return bool(await transaction.fetch(statement, name))

        return await self._core.write(change, SessionKind.DRAINS)


def _state(lease_left: float, *, is_retiring: bool) -> NodeState:
    if lease_left <= 0:
        return NodeState.SILENT
    return NodeState.RETIRING if is_retiring else NodeState.SERVING
