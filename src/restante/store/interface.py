"""The contract of a store.

These docstrings are the contract; tests/contract runs on every implementation.

Each method is one transaction: durable when it returns, and StoreError means nothing changed
(store_errors.py says what a failed sync leaves open). It is made even if its caller is cancelled
meanwhile. All methods are called on the event loop; an implementation does its waiting elsewhere.

A store is made of parts, each behind a port. A caller is given the ports that it needs. All parts
share one implementation, so that one transaction can span them: settling a drain's outcomes also
stores the reports on them.

The names of a part follow from its attribute. The part `releases` has the port `ReleaseStore` in
release_store.py, in the singular. `MemoryReleases` in memory/memory_releases.py implements it, so
does `SqliteReleases`, and tests/contract/test_releases.py tests both.
"""

from typing import Protocol

from restante.store.answer_store import AnswerStore
from restante.store.audit_store import AuditStore
from restante.store.content_store import ContentStore
from restante.store.duty_store import DutyStore
from restante.store.failure_store import FailureStore
from restante.store.figure_store import FigureStore
from restante.store.handover_store import HandoverStore
from restante.store.history_store import HistoryStore
from restante.store.key_store import KeyStore
from restante.store.node_store import NodeStore
from restante.store.notice_store import NoticeStore
from restante.store.peak_store import PeakStore
from restante.store.person_store import PersonStore
from restante.store.presence_store import PresenceStore
from restante.store.queue_store import QueueStore
from restante.store.reception_store import ReceptionStore
from restante.store.recipient_store import RecipientStore
from restante.store.record_store import RecordStore
from restante.store.release_store import ReleaseStore
from restante.store.report_store import ReportStore
from restante.store.retention_store import RetentionStore
from restante.store.schedule_store import ScheduleStore
from restante.store.session_store import SessionStore
from restante.store.upkeep_store import UpkeepStore
from restante.store.use_store import UseStore
from restante.store.used_store import UsedStore


class Store(Protocol):
    """All parts of one store."""

    @property
    def reception(self) -> ReceptionStore:
        """Mail on its way in."""

    @property
    def content(self) -> ContentStore:
        """Content files of held mail."""

    @property
    def keys(self) -> KeyStore:
        """Keys of sealed content."""

    @property
    def handover(self) -> HandoverStore:
        """Drains, and the mail that they move."""

    @property
    def queue(self) -> QueueStore:
        """Single messages, listed and changed."""

    @property
    def figures(self) -> FigureStore:
        """How much is held."""

    @property
    def history(self) -> HistoryStore:
        """Mail that left."""

    @property
    def releases(self) -> ReleaseStore:
        """Requests to release mail."""

    @property
    def presence(self) -> PresenceStore:
        """When destinations came up and went away."""

    @property
    def peaks(self) -> PeakStore:
        """The most that domains held over time."""

    @property
    def uses(self) -> UseStore:
        """How much each account used the server."""

    @property
    def persons(self) -> PersonStore:
        """The data of one person."""

    @property
    def retention(self) -> RetentionStore:
        """Mail that is too old."""

    @property
    def reports(self) -> ReportStore:
        """Reports to reverse-paths."""

    @property
    def records(self) -> RecordStore:
        """Accounts, logins, domains, channels."""

    @property
    def sessions(self) -> SessionStore:
        """Portal users that are signed in."""

    @property
    def schedule(self) -> ScheduleStore:
        """Changes of domains that wait for their time."""

    @property
    def recipients(self) -> RecipientStore:
        """Known mailboxes."""

    @property
    def notices(self) -> NoticeStore:
        """Notices to be sent."""

    @property
    def answers(self) -> AnswerStore:
        """Answers to requests that may be repeated."""

    @property
    def used(self) -> UsedStore:
        """Values that are good once, and were used."""

    @property
    def duties(self) -> DutyStore:
        """Work that one process does for all."""

    @property
    def nodes(self) -> NodeStore:
        """Servers that share the store."""

    @property
    def failures(self) -> FailureStore:
        """Failed logins of all servers."""

    @property
    def audit(self) -> AuditStore:
        """The audit trail."""

    @property
    def upkeep(self) -> UpkeepStore:
        """The store as a whole."""

    def apart(self) -> "Store":
        """Return the same store for people's requests: its reads wait in lines of their own.

        However long those take, reads of mail wait for none of them. Closing this store closes it.
        """

    async def close(self) -> None:
        """Finish what was begun and let go of the data. No call may follow."""
