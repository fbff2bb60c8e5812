"""The contract of a store.

These docstrings are the contract; tests/contract runs on every implementation.

Each method is one transaction: durable when it returns, and StoreError means nothing changed
(store_errors.py says what a failed sync leaves open). It is made even if its caller is cancelled
meanwhile. All methods are called on the event loop; an implementation does its waiting elsewhere.

A store is made of parts, each behind a port with a file of its own. A caller is given the ports
that it needs. All parts share one implementation, so that one transaction can span them: settling a
drain's outcomes also stores the reports on them.
"""

from typing import Protocol

from restante.store.answer_store import AnswerStore
from restante.store.audit_trail import AuditStore
from restante.store.duty_store import DutyStore
from restante.store.mail_content import ContentStore
from restante.store.mail_figures import FigureStore
from restante.store.mail_handover import HandoverStore
from restante.store.mail_history import HistoryStore
from restante.store.mail_queue import QueueStore
from restante.store.mail_reception import ReceptionStore
from restante.store.mail_reports import ReportStore
from restante.store.mail_retention import RetentionStore
from restante.store.notice_store import NoticeStore
from restante.store.peak_store import PeakStore
from restante.store.person_store import PersonStore
from restante.store.presence_store import PresenceStore
from restante.store.recipient_store import RecipientStore
from restante.store.record_store import TenancyStore
from restante.store.release_store import ReleaseStore
from restante.store.schedule_store import ScheduleStore
from restante.store.session_store import SessionStore
from restante.store.store_upkeep import UpkeepStore
from restante.store.use_store import UseStore


class Store(Protocol):
    """All parts of one store."""

    @property
    def reception(self) -> ReceptionStore:
        """Mail on its way in."""

    @property
    def content(self) -> ContentStore:
        """Content files of held mail."""

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
    def records(self) -> TenancyStore:
        """Accounts, logins, domains, channels."""

    @property
    def sessions(self) -> SessionStore:
        """Portal users that are signed in."""

    @property
    def scheduled(self) -> ScheduleStore:
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
    def duties(self) -> DutyStore:
        """Work that one process does for all."""

    @property
    def trail(self) -> AuditStore:
        """The audit trail."""

    @property
    def care(self) -> UpkeepStore:
        """The store as a whole."""

    def apart(self) -> "Store":
        """Return the same store for people's requests: its reads wait in lines of their own.

        However long those take, reads of mail wait for none of them. Closing this store closes it.
        """

    async def close(self) -> None:
        """Finish what was begun and let go of the data. No call may follow."""
