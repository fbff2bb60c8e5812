"""A store in memory only: the shortest implementation of the contract, for tests and as a model.

Everything is recounted on each call, so that no figure can drift. Related parts are in files beside
this one: content files, records, notices, reports. Nothing suspends: each method has done its work
when it is first awaited.
"""

from restante.store.duty_locks import DutyLocks
from restante.store.failure_store import NoFailuresElsewhere
from restante.store.memory.memory_answers import MemoryAnswers
from restante.store.memory.memory_audit import MemoryAudit
from restante.store.memory.memory_content import MemoryContent
from restante.store.memory.memory_figures import MemoryFigures
from restante.store.memory.memory_handover import MemoryHandover
from restante.store.memory.memory_history import MemoryHistory
from restante.store.memory.memory_keys import MemoryKeys
from restante.store.memory.memory_notices import MemoryNotices
from restante.store.memory.memory_peaks import MemoryPeaks
from restante.store.memory.memory_persons import MemoryPersons
from restante.store.memory.memory_presence import MemoryPresence
from restante.store.memory.memory_queue import MemoryQueue
from restante.store.memory.memory_reception import MemoryReception
from restante.store.memory.memory_recipients import MemoryRecipients
from restante.store.memory.memory_records import MemoryRecords
from restante.store.memory.memory_releases import MemoryReleases
from restante.store.memory.memory_reports import MemoryReports
from restante.store.memory.memory_retention import MemoryRetention
from restante.store.memory.memory_schedule import MemorySchedule
from restante.store.memory.memory_sessions import MemorySessions
from restante.store.memory.memory_state import MemoryState
from restante.store.memory.memory_upkeep import MemoryUpkeep
from restante.store.memory.memory_used import MemoryUsed
from restante.store.memory.memory_uses import MemoryUses
from restante.store.single_node import SingleNode


class MemoryStore:
    """A `Store` in memory, made of parts that share one state."""

    def __init__(self, state: MemoryState | None = None) -> None:
        """`state` is that of another one, to share it as processes share a database."""
        self.state = state = state or MemoryState()
        self.reception = MemoryReception(state)
        self.content = MemoryContent(state)
        self.keys = MemoryKeys(state)
        self.handover = MemoryHandover(state)
        self.queue = MemoryQueue(state)
        self.figures = MemoryFigures(state)
        self.history = MemoryHistory(state)
        self.releases = MemoryReleases(state)
        self.presence = MemoryPresence(state)
        self.peaks = MemoryPeaks(state)
        self.uses = MemoryUses(state)
        self.persons = MemoryPersons(state)
        self.retention = MemoryRetention(state)
        self.reports = MemoryReports(state)
        self.records = MemoryRecords(state)
        self.sessions = MemorySessions(state)
        self.schedule = MemorySchedule(state, self.records)
        self.recipients = MemoryRecipients(state)
        self.notices = MemoryNotices(state)
        self.answers = MemoryAnswers(state)
        self.used = MemoryUsed(state)
        self.duties = DutyLocks()
        self.nodes = SingleNode()
        self.failures = NoFailuresElsewhere()
        self.audit = MemoryAudit(state)
        self.upkeep = MemoryUpkeep(state, self.content)

    def apart(self) -> "MemoryStore":
        """Return itself: no read here waits."""
        return self

    async def close(self) -> None:
        """Nothing is open."""
