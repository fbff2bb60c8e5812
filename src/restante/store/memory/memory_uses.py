"""The uses port of the store in memory."""

from collections.abc import Sequence

from restante.queue.monthly_use import AccountUse, MonthlyUse, UseMonth, added_use
from restante.store.memory.memory_state import MemoryState
from restante.store.use_store import UseBatch


class MemoryUses:
    """A `UseStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def add_uses(self, uses: Sequence[MonthlyUse], batch: UseBatch | None = None) -> None:
        """Add uses to those of their months, unless this batch was added before."""
        if batch is not None:
            if batch.key in self._state.used:
                return
            self._state.used[batch.key] = batch.until
        for of, use in uses:
            self._state.uses[of] = added_use(self._state.uses.get(of, AccountUse()), use)

    async def uses(
        self, account: str | None, months: tuple[int, int], after: UseMonth | None, limit: int
    ) -> list[MonthlyUse]:
        """Return the uses of an account or of all in some months."""
        found = [
            MonthlyUse(of, use)
            for of, use in sorted(self._state.uses.items())
            if account in (None, of.account)
            and months[0] <= of.month <= months[1]
            and (after is None or of > after)
        ]
        return found[:limit]

    async def trim_uses(self, before: int, limit: int) -> int:
        """Remove old uses."""
        old = [of for of in self._state.uses if of.month < before][:limit]
        for of in old:
            del self._state.uses[of]
        return len(old)
