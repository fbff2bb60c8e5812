"""A store whose held content is sealed: the one place between intake and drains, and any store.

    intake ── hold, spool ──► seal ──► store ──► open ──► drain, export, report, portal
    reports ── settle, bounce ──┘
                                         │
                          scrub, salvage, backup, move: sealed content as it is

The store below sees octets, proves them by their checksums, and never has a key that opens them.
Mail that was held before stays as it is: each message says whether it is sealed.

Sealing is done on the event loop. A piece of content is a block at most, and sealing one takes less
time than its checksum.
"""

from typing import Final

from restante.phrases import MAIL_OF_ANOTHER_KEY
from restante.store.interface import Store
from restante.store.reception_store import ReceptionStore
from restante.store.report_store import ReportStore
from restante.store.sealing.key_ring import KeyRing
from restante.store.sealing.report_seals import ReportSeals
from restante.store.sealing.sealed_parts import (
    MessageOpener,
    SealedContent,
    SealedHandover,
    SealedQueue,
    SealedReception,
    SealedReports,
)
from restante.store.sealing.sealed_persons import SealedPersons
from restante.store.store_errors import StoreMismatched
from restante.tenancy.sealed_secrets import Vault

_TRIED: Final = 10  # reports at the start


async def seal_store(store: Store, vault: Vault, *, key_file: str, seals: bool) -> "SealedStore":
    """Return a store that opens sealed content, and seals new content if `seals`.

    `key_file` is for errors. Raises StoreMismatched where the store's mail is sealed under another
    key, or must not be sealed yet.
    """
    ring, report_seals = KeyRing(store.keys, vault), ReportSeals(vault)
    try:
        if not await ring.check():
            await _check_reports(store.reports, report_seals)
    except StoreMismatched as error:
        raise StoreMismatched(f"{key_file}: {error}") from None
    if seals:
        await store.keys.begin_sealing()
    return SealedStore(store, ring, report_seals, seals=seals)


async def _check_reports(reports: ReportStore, report_seals: ReportSeals) -> None:
    """Raise StoreMismatched where the key file opens none of the first sealed reports.

    Where a data key was opened, the key file is the right one. So a damaged report keeps no server
    from its start.
    """
    first = await reports.sealed_reports(0, _TRIED)
    if first and not any(map(report_seals.has_key_of, first)):
        raise StoreMismatched(MAIL_OF_ANOTHER_KEY)


class SealedStore:
    """A `Store` in front of another one."""

    def __init__(
        self, below: Store, ring: KeyRing, report_seals: ReportSeals, *, seals: bool
    ) -> None:
        self._below = below
        self._ring = ring
        self._report_seals = report_seals
        self._seals = seals
        new_seals = report_seals if seals else None
        opener = MessageOpener(below.content, ring)
        self.reception: ReceptionStore = (
            SealedReception(below.reception, ring) if seals else below.reception
        )
        self.content = SealedContent(below.content)
        self.keys = below.keys
        self.handover = SealedHandover(below.handover, opener, new_seals)
        self.queue = SealedQueue(below.queue, opener, new_seals)
        self.figures = below.figures
        self.history = below.history
        self.releases = below.releases
        self.presence = below.presence
        self.peaks = below.peaks
        self.uses = below.uses
        self.persons = SealedPersons(below.persons, below.reports, report_seals)
        self.retention = below.retention
        self.reports = SealedReports(below.reports, opener, report_seals, is_sealing=seals)
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
        return SealedStore(self._below.apart(), self._ring, self._report_seals, seals=self._seals)

    async def close(self) -> None:
        """Finish what was begun and let go of the data."""
        await self._below.close()
