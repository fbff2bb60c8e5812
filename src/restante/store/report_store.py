"""The port of a store for reports to reverse-paths.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from restante.mail.delivery_report import NewReport, Report, ReportAction
from restante.mail.message import HeldMessage
from restante.queue.fair_order import DueReport
from restante.queue.report_lanes import NONE_OCCUPIED, OccupiedLanes
from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.tenancy.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class WaitingReport:
    """A report in a listing."""

    number: int
    about: int  # the number of the message reported
    domain_id: int
    action: ReportAction
    reverse_path: str
    made_at: float  # Unix time
    next_attempt_at: float
    failures: int
    reply: str
    size: int  # octets, of one that is sealed too: those that will be sent


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Which reports to list; None means any; so do no numbers."""

    domain_ids: tuple[int, ...] | None = None
    reverse_path: str | None = None  # pattern, as mail.address.path_matches reads it
    numbers: tuple[int, ...] = ()
    after: int = 0  # number: for paging
    limit: int = 1000


class ReportStore(Protocol):
    """Reports on their way to reverse-paths.

    They are nobody's usage, and outlive the domain that they are about.
    """

    async def due_reports(
        self, now: float, limit: int, max_octets: int, occupied: OccupiedLanes = NONE_OCCUPIED
    ) -> list[Report]:
        """Return the reports whose next attempt is due, in fair order (queue/fair_order.py).

        Only those for which a lane is free. At most `limit`, and no more once `max_octets` of
        content are in memory; at least one if there is one.
        """

    async def next_report_at(self) -> float | None:
        """Return when the next attempt on any report is due, None if there are no reports."""

    async def report_backlog(self) -> Backlog:
        """Return how many reports wait, and since when; it costs two seeks, whatever the number."""

    async def success_reports(self) -> list[DueReport]:
        """Return all waiting reports of success, due or not, by number."""

    async def settle_reports(self, outcomes: Sequence[SendingOutcome]) -> None:
        """Record the outcomes of these reports; one that is not there is skipped."""

    async def hasten_reports(self, at: float, beyond: float) -> None:
        """Have those tried at `at` whose next attempt is later than `beyond`; both Unix time."""

    async def list_reports(self, selection: ReportFilter) -> list[WaitingReport]:
        """Return the reports that match, by number."""

    async def report(self, number: int) -> Report | None:
        """Return a report, None if it does not wait. Raises Damaged, StoreError."""

    async def sealed_reports(self, after: int, limit: int) -> list[Report]:
        """Return the next sealed reports by number, sealed as they are stored."""

    async def plain_reports(self, after: int, limit: int) -> list[Report]:
        """Return the next reports by number that are not sealed."""

    async def replace_report_contents(self, again: Mapping[int, tuple[bytes, bytes]]) -> int:
        """Replace contents by the same ones, sealed or sealed again; return how many.

        Each is given as it was and as it will be. One that is not as given stays as it is. The
        others are sealed reports from then on.
        """

    async def drop_reports(self, numbers: Sequence[int], audit: AuditEntry) -> list[int]:
        """Remove reports; returns the numbers of those that were there."""

    async def late_messages(self, received_before: float, limit: int) -> list[HeldMessage]:
        """Return messages received before then whose sender is still owed a report of delay.

        Oldest first, each with the recipients that still wait. Damaged messages are left out.
        """

    async def tell_of_delay(self, numbers: Sequence[int], reports: Sequence[NewReport]) -> None:
        """Store the reports, and note that these messages' senders were told: never a second time.

        A report on a message that has left, or whose delay was already reported, is skipped.
        """
