"""The store that several processes share, on PostgreSQL.

    event loop ── change ───► lanes: sessions for holding, settling, drains, other work
        │  ▲                    │
        │  └── figures ─────────┘ after each commit (`figure_mirror`)
        ├───── question ──► lanes: sessions for reading, and others for people
        └───── each second ► heartbeat of this process (`cluster_node`)

Promise: a change survives the end of this process and of the database, once its method has
returned. With synchronous standbys it survives the loss of the primary's machine.

A COMMIT is never cancelled (`database_session`). A change goes on if its caller is cancelled.
"""

from typing import Final

from restante.store.content_store import OnDamage
from restante.store.database_access import DatabaseAccess
from restante.store.postgres.postgres_answers import PostgresAnswers
from restante.store.postgres.postgres_audit import PostgresAudit
from restante.store.postgres.postgres_content import PostgresContent
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_duties import PostgresDuties
from restante.store.postgres.postgres_failures import PostgresFailures
from restante.store.postgres.postgres_figures import PostgresFigures
from restante.store.postgres.postgres_handover import PostgresHandover
from restante.store.postgres.postgres_history import PostgresHistory
from restante.store.postgres.postgres_keys import PostgresKeys
from restante.store.postgres.postgres_nodes import PostgresNodes
from restante.store.postgres.postgres_notices import PostgresNotices
from restante.store.postgres.postgres_opening import open_core
from restante.store.postgres.postgres_peaks import PostgresPeaks
from restante.store.postgres.postgres_persons import PostgresPersons
from restante.store.postgres.postgres_presence import PostgresPresence
from restante.store.postgres.postgres_queue import PostgresQueue
from restante.store.postgres.postgres_reception import PostgresReception
from restante.store.postgres.postgres_recipients import PostgresRecipients
from restante.store.postgres.postgres_records import PostgresRecords
from restante.store.postgres.postgres_releases import PostgresReleases
from restante.store.postgres.postgres_reports import PostgresReports
from restante.store.postgres.postgres_retention import PostgresRetention
from restante.store.postgres.postgres_schedule import PostgresSchedule
from restante.store.postgres.postgres_sessions import PostgresSessions
from restante.store.postgres.postgres_upkeep import PostgresUpkeep
from restante.store.postgres.postgres_used import PostgresUsed
from restante.store.postgres.postgres_uses import PostgresUses

_STRICT: Final = DatabaseAccess()


async def open_postgres(
    url: str,
    access: DatabaseAccess = _STRICT,
    *,
    on_damage: OnDamage | None = None,
    is_server: bool = False,
) -> "PostgresStore":
    """Open the store in a database. Raises StoreUnusable."""
    return PostgresStore(await open_core(url, access, on_damage or _unheard, is_server=is_server))


def _unheard(_number: int, _text: str, _domain_id: int) -> None:
    """Where nobody listens for damage."""


class PostgresStore:
    """A `Store` on PostgreSQL, made of parts that share one core."""

    def __init__(self, core: PostgresCore) -> None:
        self.core = core
        self.reception = PostgresReception(core)
        self.content = PostgresContent(core)
        self.keys = PostgresKeys(core)
        self.handover = PostgresHandover(core)
        self.queue = PostgresQueue(core)
        self.figures = PostgresFigures(core)
        self.history = PostgresHistory(core)
        self.releases = PostgresReleases(core)
        self.presence = PostgresPresence(core)
        self.peaks = PostgresPeaks(core)
        self.uses = PostgresUses(core)
        self.persons = PostgresPersons(core)
        self.retention = PostgresRetention(core)
        self.reports = PostgresReports(core)
        self.records = PostgresRecords(core)
        self.sessions = PostgresSessions(core)
        self.schedule = PostgresSchedule(core)
        self.recipients = PostgresRecipients(core)
        self.notices = PostgresNotices(core)
        self.answers = PostgresAnswers(core)
        self.used = PostgresUsed(core)
        self.duties = PostgresDuties(core)
        self.nodes = PostgresNodes(core)
        self.failures = PostgresFailures(core)
        self.audit = PostgresAudit(core)
        self.upkeep = PostgresUpkeep(core, self.content)

    def apart(self) -> "PostgresStore":
        """Return the same store, whose reads have sessions of their own."""
        other = PostgresStore(self.core.apart())
        other.duties, other.upkeep = self.duties, self.upkeep
        return other

    async def close(self) -> None:
        """Finish what was begun and let go of the database."""
        await self.core.close()
