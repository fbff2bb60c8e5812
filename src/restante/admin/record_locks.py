"""Locks for records that clients change by a tag: one for all ways to administration.

So of two clients with one tag only one succeeds, also if one comes by the control socket. Changes
without a tag take no lock: the store refuses those that were made from an old record.
"""

import asyncio
from weakref import WeakValueDictionary

from restante.mail.address import canonical_domain


class RecordLocks:
    """A lock for each record that is being changed. Belongs to the event loop."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, path: str) -> asyncio.Lock:
        """Return the lock of the record with this path, however its name is spelled."""
        return self._locks.setdefault("/".join(map(_one_spelling, path.split("/"))), asyncio.Lock())


def _one_spelling(segment: str) -> str:
    """Return a name as it is known here, if it is a domain's; others in lower case."""
    try:
        return canonical_domain(segment)
    except ValueError:
        return segment.lower()
