"""Sends reports: takes due ones from the store, at a limited rate, and records each result.

Theory of operation. One task takes rounds. It looks for mail whose sender asked for a delay report,
and begins deliveries for due reports, each to one target domain (mx_delivery.py). Deliveries have
lanes (queue/report_lanes.py), so that a host that says nothing delays few others. Then the task
waits: for the end of a delivery, the next due report, room in the minute, or new reports. Each
attempt is settled at once:

    a host took it                          removed
    5xx, null MX, no such domain            removed, with a line in the log
    anything else                           tried again later; removed after its lifetime, with a
                                            line in the log

A report never causes a report: it leaves from the null reverse-path. A crash between a host's 250
and the settling sends it twice, as with any mail. Nothing more is sent while the store cannot
record results. Held mail does not come here and does not wait for this.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Final

from restante.background.clocks import CLOCK_SLACK, Clocks
from restante.background.rounds import Rounds
from restante.dsn.dsn_writer import DsnWriter
from restante.mail.address import canonical_domain, split_mailbox
from restante.mail.delivery_report import Report, ReportAction, ReportedRecipient, ReportFacts
from restante.mail.envelope import Envelope
from restante.mail.message import HeldMessage, message_name
from restante.queue.fair_order import over_limit, target_of
from restante.queue.recipient_status import RecipientMove, RecipientOutcome
from restante.queue.report_lanes import LaneUse, ReportLanes, lane_kind
from restante.queue.reporting import recipients_to_tell_of
from restante.queue.retry_schedule import Schedule, next_attempt
from restante.queue.sending_outcome import SendingOutcome
from restante.reports.mx_delivery import MxAccess, MxDelivery
from restante.store.duty_store import DutyStore, keep_performing
from restante.store.live_directory import LiveDirectory
from restante.store.queue_store import QueueFilter, QueueStore
from restante.store.report_store import ReportStore
from restante.store.store_errors import StoreError
from restante.telemetry.event_bus import Log
from restante.telemetry.events import (
    InternalError,
    ReportDeferred,
    ReportDropped,
    ReportSent,
    SuccessReportsDropped,
)
from restante.telemetry.work_word import WorkWord

_ReportEvent = type[ReportSent | ReportDeferred | ReportDropped]
BATCH: Final = 50  # reports read at once
BATCH_OCTETS: Final = 4 * 1024 * 1024
LATE_BATCH: Final = 100  # messages
LONGEST_PAUSE: Final = 300.0  # seconds between two looks for mail that is late
LESSER_AT_ONCE: Final = 10  # delays and successes in one delivery
LOOK_AGAIN: Final = 5.0  # seconds; while deliveries are under way
DROPPED_AT_ONCE: Final = 1000  # in one transaction
_FIRST_SECONDS: Final = 60.0  # of a delivery; then its reports are tried again later
_REPEATED_SECONDS: Final = 300.0  # by which a slow host gets the time that SMTP allows it
_SHARE_PAUSE: Final = 1.0
_MINUTE: Final = 60.0
_TOO_SLOW: Final = RecipientOutcome("", RecipientMove.DEFERRED, "its mail host took too long")
_UNKNOWN: Final = RecipientOutcome("", RecipientMove.DEFERRED, "internal error")


@dataclass(frozen=True, slots=True)
class ReportPorts:
    """The ports of the store that reports need."""

    reports: ReportStore
    queue: QueueStore
    duties: DutyStore


class ReportSender:
    """All reports of this process."""

    def __init__(
        self,
        ports: ReportPorts,
        directory: LiveDirectory,
        dsn_writer: DsnWriter,
        access: MxAccess,
        *,
        log: Log,
        clocks: Clocks,
    ) -> None:
        self._store = ports.reports
        self._queue = ports.queue
        self._duties = ports.duties
        self._directory = directory
        self._dsn_writer = dsn_writer
        self._access = access
        self._settings = access.settings
        self._log = log
        self._clocks = clocks
        self._tried_at: deque[tuple[float, LaneUse]] = (
            deque()
        )  # attempts of the last minute, one for each report; monotonic time
        self._lanes = ReportLanes()
        self._deliveries: dict[asyncio.Task[None], LaneUse] = {}
        self._unsettled: list[SendingOutcome] = []
        self._settling = asyncio.Lock()
        self._rounds = Rounds(log, WorkWord.REPORT, clocks.wait)
        self._looked_for_late_at = -inf  # monotonic
        self._clocks_before: tuple[float, float] | None = None  # Unix time, monotonic

    def wake(self) -> None:
        """Check for reports now: some were stored."""
        self._rounds.wake()

    def close(self) -> None:
        """Let `run` return after its present attempts."""
        self._rounds.close()

    async def run(self) -> None:
        """Send reports until `close`."""
        await keep_performing(self._duties, "reports", self._run_rounds)

    async def _run_rounds(self) -> None:
        self._clocks_before = None  # as after a start
        async with asyncio.TaskGroup() as tasks:
            await self._rounds.run_rounds(partial(self._take_round, tasks))

    async def _take_round(self, tasks: asyncio.TaskGroup) -> float:
        """Begin to send those that are due; return the seconds until the next is."""
        await self._meet_clock()
        await self._look_for_late_mail()
        await self._drop_surplus()
        await self._begin_deliveries(tasks)
        if not self._deliveries:
            return await self._pause()
        woken = tasks.create_task(self._rounds.woken())
        await asyncio.wait(
            (*self._deliveries, woken), timeout=LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED
        )
        woken.cancel()
        return 0.0

    async def _meet_clock(self) -> None:
        """Hasten reports with a wrong due time, after a start or when the clock was set back."""
        now, moment = self._clocks.now(), self._clocks.monotonic()
        before, self._clocks_before = self._clocks_before, (now, moment)
        if before is None:
            await self._store.hasten_reports(now, beyond=now + self._schedule().longest_pause)
        elif now - before[0] < moment - before[1] - CLOCK_SLACK:
            await self._store.hasten_reports(now, beyond=now)

    async def _drop_surplus(self) -> None:
        """Drop reports of success above their limit: strangers can ask for any number of them."""
        limit = self._settings().successes_limit
        if (await self._store.report_backlog()).count <= limit:
            return
        surplus = over_limit(await self._store.success_reports(), limit)
        for start in range(0, len(surplus), DROPPED_AT_ONCE):
            some = surplus[start : start + DROPPED_AT_ONCE]
            await self._store.settle_reports([SendingOutcome(number) for number in some])
            self._log.publish(SuccessReportsDropped(count=len(some), limit=limit))

    # Sending

    async def _begin_deliveries(self, tasks: asyncio.TaskGroup) -> None:
        """Begin as many deliveries as there are due reports with a free lane, and room for them."""
        await self._settle()
        while not self._rounds.is_closing and not self._unsettled and (room := self._room()):
            due = await self._store.due_reports(
                self._clocks.now(),
                min(room, BATCH),
                BATCH_OCTETS,
                self._lanes.occupied(use for _, use in self._tried_at),
            )
            deliveries = self._deliveries_for(self._within_share(due))
            begun = [use for use in deliveries if self._lanes.take(use)]
            for use in begun:
                self._begin(tasks, use, deliveries[use])
            if not begun:
                return

    def _within_share(self, due: Sequence[Report]) -> Sequence[Report]:
        """Return those that may leave in this minute.

        Delays and successes get at most half of the minute, so that a failure always finds room.
        """
        lesser = [report for report in due if report.action is not ReportAction.FAILED]
        share = max(self._settings().per_minute // 2, 1) - sum(
            use.kind.action is not ReportAction.FAILED for _, use in self._tried_at
        )
        put_off = {report.number for report in lesser[max(share, 0) :]}
        return [report for report in due if report.number not in put_off]

    def _deliveries_for(self, reports: Sequence[Report]) -> dict[LaneUse, list[Report]]:
        """Group reports by lane, in the order in which they come."""
        deliveries: dict[LaneUse, list[Report]] = {}
        for report in reports:
            use = self._use(report)
            some = deliveries.setdefault(use, [])
            if use.kind.action is ReportAction.FAILED or len(some) < LESSER_AT_ONCE:
                some.append(report)
        return deliveries

    def _use(self, report: Report) -> LaneUse:
        hosted = self._directory.now.domain_by_id(report.domain_id)
        return LaneUse(
            lane_kind(report.action, report.failures),
            hosted.account if hosted is not None else "",
            target_of(report.reverse_path),
        )

    def _begin(self, tasks: asyncio.TaskGroup, use: LaneUse, reports: Sequence[Report]) -> None:
        now = self._clocks.monotonic()
        self._tried_at.extend((now, use) for _ in reports)
        delivery = tasks.create_task(self._send(reports))
        self._deliveries[delivery] = use
        delivery.add_done_callback(self._end)

    def _end(self, delivery: asyncio.Task[None]) -> None:
        self._lanes.leave(self._deliveries.pop(delivery))

    async def _send(self, reports: Sequence[Report]) -> None:
        """Send reports of one kind to their target domain, and record the results."""
        domain = _domain(reports[0])
        delivery = MxDelivery(domain, [_as_message(report) for report in reports], self._access)
        try:
            async with asyncio.timeout(
                _REPEATED_SECONDS if reports[0].failures else _FIRST_SECONDS
            ):
                await delivery.run()
        except TimeoutError:
            late = {one.number: _TOO_SLOW for one in reports if one.number not in delivery.outcomes}
            delivery.outcomes.update(late)
        except Exception as error:  # noqa: BLE001  the boundary: one domain's defect is no other's
            self._log.publish(InternalError(error=error, doing=WorkWord.REPORT, domain=domain))
        for report in reports:
            self._conclude(domain, report, delivery.outcomes.get(report.number, _UNKNOWN))
        with suppress(StoreError):  # it is logged, and tried again before anything more is sent
            await self._settle()

    async def _settle(self) -> None:
        async with self._settling:
            outcomes = tuple(self._unsettled)
            if outcomes:
                await self._store.settle_reports(outcomes)
                del self._unsettled[: len(outcomes)]

    def _conclude(self, domain: str, report: Report, recipient: RecipientOutcome) -> None:
        """Record the result of a report and log it."""
        outcome, event = self._judge(report, recipient)
        self._unsettled.append(outcome)
        hosted = self._directory.now.domain_by_id(report.domain_id)
        self._log.publish(
            event(
                message=message_name(report.about),
                action=str(report.action),
                account="" if hosted is None else hosted.account,
                domain=domain,
                failures=report.failures + (event is not ReportSent),
                reply=outcome.reply,
            )
        )

    def _judge(
        self, report: Report, recipient: RecipientOutcome
    ) -> tuple[SendingOutcome, _ReportEvent]:
        """Return the outcome of a report and the event for it."""
        if recipient.move is RecipientMove.DELIVERED:
            return SendingOutcome(report.number, None, recipient.reply), ReportSent
        at = self._next_attempt(report) if recipient.move is RecipientMove.DEFERRED else None
        event: _ReportEvent = ReportDropped if at is None else ReportDeferred
        return SendingOutcome(report.number, at, recipient.reply), event

    def _next_attempt(self, report: Report) -> float | None:
        left = report.made_at + self._settings().lifetime - self._clocks.age_now()
        now = self._clocks.now()
        return next_attempt(
            self._schedule(),
            report.failures + 1,
            now,
            now + left,
            self._clocks.jitter(),
        )

    def _schedule(self) -> Schedule:
        return Schedule(self._settings().first_retry, self._settings().longest_retry)

    def _room(self) -> int:
        """Return how many attempts the minute has left."""
        now = self._clocks.monotonic()
        while self._tried_at and self._tried_at[0][0] <= now - _MINUTE:
            self._tried_at.popleft()
        return max(self._settings().per_minute - len(self._tried_at), 0)

    async def _pause(self) -> float:
        await self._meet_clock()
        due_at = await self._store.next_report_at()
        if due_at is None:
            return LONGEST_PAUSE
        pause = due_at - self._clocks.now()
        if not self._room():
            pause = max(pause, self._tried_at[0][0] + _MINUTE - self._clocks.monotonic())
        if pause <= 0 and any(
            use.kind.action is not ReportAction.FAILED for _, use in self._tried_at
        ):  # the due reports have used up their share
            pause = _SHARE_PAUSE
        return min(max(pause, 0.0), LONGEST_PAUSE)

    # Delay

    async def _look_for_late_mail(self) -> None:
        moment = self._clocks.monotonic()
        if not self._settings().delay_after or moment < self._looked_for_late_at + LONGEST_PAUSE:
            return
        self._looked_for_late_at, now = moment, self._clocks.now()
        while late := await self._store.late_messages(
            now - self._settings().delay_after, LATE_BATCH
        ):
            facts = [
                (message, one)
                for message in late
                if (one := await self._facts_of_delay(message)) is not None
            ]
            reports = await self._dsn_writer.make_all(facts)
            await self._store.tell_of_delay([message.number for message in late], reports)
            self._dsn_writer.stored(reports)

    async def _facts_of_delay(self, message: HeldMessage) -> ReportFacts | None:
        envelope = message.envelope
        told = recipients_to_tell_of(ReportAction.DELAYED, envelope, envelope.forward_paths)
        if not told:
            return None
        hosted = self._directory.now.domain_by_id(message.domain_id)
        has_details = hosted is not None and self._directory.has_report_details(hosted)
        words = await self._words(message.number) if has_details else {}
        return ReportFacts(
            ReportAction.DELAYED,
            tuple(ReportedRecipient(path, words.get(path, "")) for path in told),
        )

    async def _words(self, number: int) -> dict[str, str]:
        """Return the destination's last reply for each recipient."""
        listed = await self._queue.list_queue(QueueFilter(numbers=(number,)))
        return {one.forward_path: one.reply for message in listed for one in message.recipients}


def _domain(report: Report) -> str:
    """Return the domain a report goes to. It is a domain name: that was checked earlier."""
    try:
        return canonical_domain(split_mailbox(report.reverse_path).domain)
    except ValueError:
        return "invalid"  # RFC 6761 §6.4: this domain does not exist, so the report is dropped


def _as_message(report: Report) -> HeldMessage:
    """Return a report as a message to send, from the null reverse-path (RFC 3461 §6.1)."""
    envelope = Envelope("", (report.reverse_path,), report.is_8bit, report.needs_smtputf8)
    return HeldMessage(report.number, report.domain_id, envelope, report.made_at, report.content)
