"""Keeps in the store where turnarounds go on (turnaround_order.py), as marks of domains.

So the next turnaround of an account goes on there on any server, and after a restart. A mark that
could not be written costs little: the next turnaround begins with older mail.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from restante.delivery.turnaround_order import TriedMail, TurnPlaces, places_after
from restante.store.retention_store import RetentionStore
from restante.store.store_errors import Conflict, StoreError
from restante.telemetry.event_bus import Log
from restante.telemetry.events import StoreFailed
from restante.telemetry.work_word import WorkWord

_TURN: Final = "turned"  # the place of a domain among those of its account
_MESSAGE: Final = "turned-message"
_AT_ONCE: Final = 25  # domains: they share a sync


class KeptPlaces:
    """The places of all domains, in the marks of the store."""

    def __init__(self, marks: RetentionStore, log: Log) -> None:
        self._marks = marks
        self._log = log

    async def read(self, domain_ids: Sequence[int]) -> TurnPlaces:
        """Return the places of these domains. Raises StoreError."""
        turns, messages = await asyncio.gather(
            self._marks.marks(_TURN, domain_ids), self._marks.marks(_MESSAGE, domain_ids)
        )
        return TurnPlaces(turns, messages)

    async def keep(self, before: TurnPlaces, tried: TriedMail) -> None:
        """Keep the places after a turnaround that began with those `before`."""
        after = places_after(before, tried)
        changed = [
            domain_id
            for domain_id in {**before.turns, **before.messages, **after.turns, **after.messages}
            if before.of(domain_id) != after.of(domain_id)
        ]
        for first in range(0, len(changed), _AT_ONCE):
            writes: list[Coroutine[Any, Any, None]] = []
            for domain_id in changed[first : first + _AT_ONCE]:
                turn, message = after.of(domain_id)
                writes.append(self._marks.keep_mark(domain_id, _TURN, turn))
                writes.append(self._marks.keep_mark(domain_id, _MESSAGE, message))
            for outcome in await asyncio.gather(*writes, return_exceptions=True):
                if isinstance(outcome, Conflict):  # the domain was removed, and its place with it
                    continue
                if isinstance(outcome, StoreError):
                    self._log.publish(StoreFailed(error=outcome, doing=WorkWord.KEEP_PLACES))
                    return
                if isinstance(outcome, BaseException):
                    raise outcome
