"""Values that were used, in a store that forgets."""

from restante.store.memory.memory_state import MemoryState


class MemoryUsed:
    """A `UsedStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def use(self, digest: bytes, until: float) -> bool:
        """Note that a value was used; False if it was used before."""
        if digest in self._state.used:
            return False
        self._state.used[digest] = until
        return True

    async def was_used(self, digest: bytes) -> bool:
        """Return whether a value was used."""
        return digest in self._state.used

    async def trim_used(self, before: float, limit: int) -> int:
        """Forget values that were over before a time."""
        old = [digest for digest, until in self._state.used.items() if until < before][:limit]
        for digest in old:
            del self._state.used[digest]
        return len(old)
