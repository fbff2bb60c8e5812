"""A store whose held content is sealed: the one place between intake and drains, and any store.

    intake ── hold, spool ──► seal ──► store ──► open ──► drain, export, report, portal
                                         │
                          scrub, salvage, backup, move: sealed content as it is

The store below sees octets, proves them by their checksums, and never has a key that opens them.
Mail that was held before stays as it is: each message says whether it is sealed.

Sealing is done on the event loop. A piece of content is a block at most, and sealing one takes less
time than its checksum.
"""

from restante.store.interface import Store
from restante.store.reception_store import ReceptionStore
from restante.store.sealing.key_ring import KeyRing
from restante.store.sealing.sealed_parts import (
    MessageOpener,
    SealedContent,
    SealedHandover,
    SealedQueue,
    SealedReception,
    SealedReports,
)
from restante.store.store_errors import StoreMismatched
from restante.tenancy.sealed_secrets import Vault


async def seal_store(store: Store, vault: Vault, *, key_file: str, seals: bool) -> "SealedStore":
    """Return a store that opens sealed content, and seals new content if `seals`.

    `key_file` is for errors. Raises StoreMismatched where the store's mail is sealed under another
    key, or must not be sealed yet.
    """
    ring = KeyRing(store.keys, vault)
    try:
        await ring.check()
    except StoreMismatched as error:
        raise StoreMismatched(f"{key_file}: {error}") from None
    if seals:
        await store.keys.begin_sealing()
    return SealedStore(store, ring, seals=seals)


class SealedStore:
    """A `Store` in front of another one."""

    def __init__(self, below: Store, ring: KeyRing, *, seals: bool) -> None:
        self._below = below
        self._ring = ring
        self._seals = seals
        opener = MessageOpener(below.content, ring)
        self.reception: ReceptionStore = (
            SealedReception(below.reception, ring) if seals else below.reception
        )
        self.content = SealedContent(below.content)
        self.keys = below.keys
        self.handover = SealedHandover(below.handover, opener)
        self.queue = SealedQueue(below.queue, opener)
        self.figures = below.figures
        self.history = below.history
        self.releases = below.releases
        self.presence = below.presence
        self.peaks = below.peaks
        self.uses = below.uses
        self.persons = below.persons
        self.retention = below.retention
        self.reports = SealedReports(below.reports, opener)
        self.records = below.records
        self.sessions = below.sessions
        self.schedule = below.schedule
        self.recipients = below.recipients
        self.notices = below.notices
        self.answers = below.answers
        self.used = below.used
        self.duties = below.duties
        self.nodes = below.nodes
        self.failures = below.failures
        self.audit = below.audit
        self.upkeep = below.upkeep

    def apart(self) -> "SealedStore":
        """Return the same store, whose reads have lines of their own."""
        return SealedStore(self._below.apart(), self._ring, seals=self._seals)

    async def close(self) -> None:
        """Finish what was begun and let go of the data."""
        await self._below.close()
