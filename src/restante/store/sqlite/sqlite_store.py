"""The store of one process: SQLite for mail and records, files for large content, one directory.

    event loop ── change ────► StoreWriter (one thread, one connection: transactions, checkpoints)
        │  ▲                     │
        │  └── answers, usage ───┘ one wake-up a commit
        ├───── question ──► Readers (two threads, on connections that cannot write)
        └───── content ───► ContentFiles (four threads)

The store that `apart` returns has the same writer. Its questions go to two other readers, and it
reads content on a thread of its own.

Promise: a change survives any crash, of the process, the system or the power, once its method has
returned. The disk must do as it is told.

Limitations: a lost disk is lost mail, because nothing is replicated here. The database file never
shrinks, though the space of removed mail is used again. One transaction over very many messages
(delete, release_refused) makes everybody wait for it.
"""

import asyncio
from pathlib import Path

from restante.store.content_store import OnDamage
from restante.store.duty_locks import DutyLocks
from restante.store.failure_store import NoFailuresElsewhere
from restante.store.single_node import SingleNode
from restante.store.sqlite import start_check
from restante.store.sqlite.opening import open_parts
from restante.store.sqlite.sqlite_answers import SqliteAnswers
from restante.store.sqlite.sqlite_audit import SqliteAudit
from restante.store.sqlite.sqlite_content import SqliteContent
from restante.store.sqlite.sqlite_figures import SqliteFigures
from restante.store.sqlite.sqlite_handover import SqliteHandover
from restante.store.sqlite.sqlite_history import SqliteHistory
from restante.store.sqlite.sqlite_keys import SqliteKeys
from restante.store.sqlite.sqlite_notices import SqliteNotices
from restante.store.sqlite.sqlite_peaks import SqlitePeaks
from restante.store.sqlite.sqlite_persons import SqlitePersons
from restante.store.sqlite.sqlite_presence import SqlitePresence
from restante.store.sqlite.sqlite_queue import SqliteQueue
from restante.store.sqlite.sqlite_reception import SqliteReception
from restante.store.sqlite.sqlite_recipients import SqliteRecipients
from restante.store.sqlite.sqlite_records import SqliteRecords
from restante.store.sqlite.sqlite_releases import SqliteReleases
from restante.store.sqlite.sqlite_reports import SqliteReports
from restante.store.sqlite.sqlite_retention import SqliteRetention
from restante.store.sqlite.sqlite_schedule import SqliteSchedule
from restante.store.sqlite.sqlite_sessions import SqliteSessions
from restante.store.sqlite.sqlite_upkeep import SqliteUpkeep
from restante.store.sqlite.sqlite_used import SqliteUsed
from restante.store.sqlite.sqlite_uses import SqliteUses
from restante.store.sqlite.store_core import StoreCore


async def open_sqlite(
    directory: Path,
    *,
    on_damage: OnDamage | None = None,
    vfs: str | None = None,
    ballast: int = 0,
    proof_seconds: float = start_check.SECONDS,
    control: Path | None = None,
) -> "SqliteStore":
    """Open the store in a directory, making both where they are not there.

    `vfs` is SQLite's; tests put theirs in.

    `ballast` is the room, in octets, that is kept so that a full disk can be emptied.
    `proof_seconds` is half the time that the proof of the database may take. `control` is the
    socket of the server that opens it. Raises StoreUnusable, which says why and what to do.
    """
    parts = await asyncio.to_thread(open_parts, directory, vfs, ballast, proof_seconds)
    if control is not None:
        parts.place.lock.tell_socket(control)
    store = SqliteStore(StoreCore(parts, on_damage or _unheard))
    await store.core.park(parts.damaged)
    return store


def _unheard(_number: int, _text: str, _domain_id: int) -> None:
    """Where nobody listens for damage."""


class SqliteStore:
    """A `Store` on SQLite, made of parts that share one core."""

    def __init__(self, core: StoreCore) -> None:
        self.core = core
        self.reception = SqliteReception(core)
        self.content = SqliteContent(core)
        self.keys = SqliteKeys(core)
        self.handover = SqliteHandover(core)
        self.queue = SqliteQueue(core)
        self.figures = SqliteFigures(core)
        self.history = SqliteHistory(core)
        self.releases = SqliteReleases(core)
        self.presence = SqlitePresence(core)
        self.peaks = SqlitePeaks(core)
        self.uses = SqliteUses(core)
        self.persons = SqlitePersons(core)
        self.retention = SqliteRetention(core)
        self.reports = SqliteReports(core)
        self.records = SqliteRecords(core)
        self.sessions = SqliteSessions(core)
        self.schedule = SqliteSchedule(core)
        self.recipients = SqliteRecipients(core)
        self.notices = SqliteNotices(core)
        self.answers = SqliteAnswers(core)
        self.used = SqliteUsed(core)
        self.duties = DutyLocks()
        self.nodes = SingleNode()
        self.failures = NoFailuresElsewhere()
        self.audit = SqliteAudit(core)
        self.upkeep = SqliteUpkeep(core)

    def apart(self) -> "SqliteStore":
        """Return the same store, whose reads have threads and connections of their own."""
        other = SqliteStore(self.core.apart())
        other.duties, other.upkeep = self.duties, self.upkeep
        return other

    async def close(self) -> None:
        """Finish what was begun and let go of the data."""
        await self.core.close()
