"""The presence port of the store in memory."""

from collections.abc import Sequence

from restante.queue.presence import DestinationState, PresenceChange
from restante.store.memory.memory_state import MemoryState


class MemoryPresence:
    """A `PresenceStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def record_presence(self, changes: Sequence[PresenceChange]) -> None:
        """Append changes."""
        for change in changes:
            self._state.last_presence_id += 1
            self._state.presence[self._state.last_presence_id] = change

    async def latest_presence(self) -> list[PresenceChange]:
        """Return the newest change of each account's destinations."""
        return [self._state.presence[number] for number in self._newest()]

    async def presence_changes(
        self, account: str, destination: str, *, before: int | None, limit: int
    ) -> list[tuple[int, PresenceChange]]:
        """Return the newest changes with their numbers, newest first."""
        found = [
            (number, change)
            for number, change in self._state.presence.items()
            if (change.account, change.destination) == (account, destination)
            and (before is None or number < before)
        ]
        return found[::-1][:limit]

    async def trim_presence(self, before: float, limit: int) -> int:
        """Remove changes that are too old, except the newest known state of each."""
        newest = self._newest()
        return self._remove(
            [
                number
                for number, change in self._state.presence.items()
                if change.at < before
                and (number not in newest or change.seen is DestinationState.UNKNOWN)
            ],
            limit,
        )

    async def forget_presence(self, accounts: Sequence[str], limit: int) -> int:
        """Remove the changes of other accounts."""
        changes = self._state.presence.items()
        return self._remove(
            [one for one, change in changes if change.account not in accounts], limit
        )

    def _newest(self) -> set[int]:
        by_destination = {
            (change.account, change.destination): number
            for number, change in self._state.presence.items()
        }
        return set(by_destination.values())

    def _remove(self, numbers: Sequence[int], limit: int) -> int:
        for number in numbers[:limit]:
            del self._state.presence[number]
        return len(numbers[:limit])
