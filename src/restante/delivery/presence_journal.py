"""Keeps in the store when destinations came up and went away, for each account concerned.

The last change of each is in memory too, so a state that lasts over a restart is one state. A store
that fails loses no change: it is written with the next ones.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Final

from restante.queue.presence import DestinationState, PresenceChange
from restante.store.presence_store import PresenceStore
from restante.store.store_errors import StoreError
from restante.telemetry.event_bus import Log
from restante.telemetry.events import StoreFailed
from restante.telemetry.work_word import WorkWord

UNWRITTEN_LIMIT: Final = 10_000  # changes that wait for a store that fails; then the oldest go
NOT_PROBED: Final = "not probed any more"


class PresenceJournal:
    """The states that the store knows, and the changes on their way to it."""

    def __init__(
        self,
        store: PresenceStore,
        log: Log,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        self._store = store
        self._log = log
        self._spawn = spawn
        self._known: dict[str, dict[str, PresenceChange]] = {}  # by destination, then by account
        self._unwritten: list[PresenceChange] = []
        self._is_writing = False

    async def load(self) -> None:
        """Read the last states. Raises StoreError."""
        for change in await self._store.latest_presence():
            self._known.setdefault(change.destination, {}).setdefault(change.account, change)

    def last(self, destination: str) -> PresenceChange | None:
        """Return the last known change of a destination, of any account."""
        known = self._known.get(destination)
        return max(known.values(), key=lambda one: one.at) if known else None

    def note(
        self,
        destination: str,
        accounts: Collection[str],
        seen: DestinationState,
        at: float,
        reason: str = "",
    ) -> None:
        """Note the present state of a destination: a change for those that know another state."""
        known = self._known.setdefault(destination, {})
        for account in accounts:
            before = known.get(account)
            if (before.seen if before is not None else DestinationState.UNKNOWN) is not seen:
                change = PresenceChange(account, destination, at, seen, reason)
                known[account] = change
                self._unwritten.append(change)
        self.write()

    def end_others(self, watched: dict[str, Collection[str]], at: float) -> None:
        """Note that nobody probes any longer for all others than these accounts, by destination."""
        for destination, known in list(self._known.items()):
            accounts = watched.get(destination, ())
            gone = [one for one in known if one not in accounts]
            if gone:
                self.note(destination, gone, DestinationState.UNKNOWN, at, NOT_PROBED)
                for account in gone:
                    del known[account]
            if not known:
                del self._known[destination]

    def write(self) -> None:
        """Write the changes that wait, if there are any, in a task."""
        if self._unwritten and not self._is_writing:
            self._is_writing = True
            self._spawn(self._write())

    async def _write(self) -> None:
        try:
            while self._unwritten:
                changes, self._unwritten = self._unwritten, []
                try:
                    await self._store.record_presence(changes)
                except StoreError as error:
                    self._unwritten = (changes + self._unwritten)[-UNWRITTEN_LIMIT:]
                    self._log.publish(StoreFailed(error=error, doing=WorkWord.PRESENCE))
                    return
        finally:
            self._is_writing = False
