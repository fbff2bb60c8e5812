"""The nodes of a store that one process has for itself: none."""

from restante.store.node_store import Node


class SingleNode:
    """A `NodeStore`."""

    is_retiring = False
    risk = ""
    clock_offset: float | None = None
    servers = 1

    async def nodes(self) -> list[Node]:
        """Return none."""
        return []

    async def retire(self, name: str) -> bool:  # noqa: ARG002
        """Return False: nobody has a name."""
        return False

    async def remove(self, name: str) -> bool:  # noqa: ARG002
        """Return False: nobody has a name."""
        return False
