"""Keys of sealed content, in a store that forgets."""

from collections.abc import Collection, Mapping

from restante.store.key_store import SealedKeys
from restante.store.memory.memory_state import MemoryState


class MemoryKeys:
    """A `KeyStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def data_keys(self, domain_ids: Collection[int]) -> SealedKeys:
        """Return the keys of these domains, of those that have one."""
        kept = self._state.data_keys
        return {one: (kept[one],) for one in domain_ids if one in kept}

    async def data_keys_after(self, domain_id: int, limit: int) -> SealedKeys:
        """Return the keys of the next domains, in the order of their ids."""
        kept = self._state.data_keys
        return {one: (kept[one],) for one in sorted(one for one in kept if one > domain_id)[:limit]}

    async def keep_data_keys(self, new: Mapping[int, bytes]) -> None:
        """Keep new keys for domains that have none."""
        for domain_id, sealed in new.items():
            if self._state.directory.domain_by_id(domain_id) is not None:
                self._state.data_keys.setdefault(domain_id, sealed)

    async def replace_data_keys(self, again: Mapping[int, tuple[bytes, bytes]]) -> int:
        """Replace keys by the same ones, sealed again; return how many."""
        kept = self._state.data_keys
        due = {one: new for one, (old, new) in again.items() if kept.get(one) == old}
        kept.update(due)
        return len(due)

    async def begin_sealing(self) -> None:
        """Nobody else has this store."""
