"""Sends reports: takes due ones from the store, at a limited rate, and records each result.

Theory of operation. There is one task. It sends due reports, domain by domain and some domains at a
time (mx_delivery.py). It looks for mail whose sender asked for a delay report. Then it waits: for
the next due report, for room in the minute, or for new reports. Each attempt is settled at once:

    a host took it                          removed
    5xx, null MX, no such domain            removed, with a line in the log
    anything else                           tried again later; removed after its lifetime, with a
                                            line in the log

A report never causes a report: it leaves from the null reverse-path. A crash between a host's 250
and the settling sends it twice, as with any mail. Nothing more is sent while the store cannot
record results. Held mail does not come here and does not wait for this.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from typing import Final

from restante.background.rounds import Rounds
from restante.delivery.delivery_context import DeliveryContext
from restante.mail.address import canonical_domain, split_mailbox
from restante.mail.envelope import Envelope
from restante.mail.message import HeldMessage, message_name
from restante.mail.report import Action, Fate, Report, ReportFacts
from restante.network.resolver import MailExchangers
from restante.queue.fair_order import over_limit
from restante.queue.recipient_status import Move, RecipientOutcome
from restante.queue.reporting import recipients_to_tell_of
from restante.queue.schedule import Schedule, next_attempt
from restante.queue.sending_outcome import SendingOutcome
from restante.reports.mx_delivery import MxDelivery
from restante.reports.report_settings import ReportSettings
from restante.store.duty_store import DutyStore, keep_performing
from restante.store.mail_queue import QueueFilter, QueueStore
from restante.store.mail_reports import ReportStore
from restante.store.store_errors import StoreError
from restante.telemetry.events import (
    InternalError,
    ReportDeferred,
    ReportDropped,
    ReportSent,
    SuccessReportsDropped,
)

_ReportEvent = type[ReportSent | ReportDeferred | ReportDropped]
BATCH: Final = 50  # reports read at once
BATCH_OCTETS: Final = 4 * 1024 * 1024
DOMAINS_AT_ONCE: Final = 10
LATE_BATCH: Final = 100  # messages
LONGEST_PAUSE: Final = 300.0  # seconds between two looks for mail that is late
LESSER_AT_ONCE: Final = 10
DROPPED_AT_ONCE: Final = 1000  # in one transaction
_ERRAND_SECONDS: Final = {
    Action.FAILED: 300.0,
    Action.DELAYED: 300.0,
    Action.RELAYED: 60.0,
}  # then it is tried again
_SHARE_PAUSE: Final = 1.0
_MINUTE: Final = 60.0
_CLOCK_SLACK: Final = 5.0  # seconds by which the wall clock may be corrected without notice
_TOO_SLOW: Final = RecipientOutcome("", Move.DEFERRED, "its mail host took too long")
_UNKNOWN: Final = RecipientOutcome("", Move.DEFERRED, "internal error")


class Reports:
    """All reports of this process."""

    def __init__(
        self,
        store: ReportStore,
        queue: QueueStore,
        context: DeliveryContext,
        exchangers: MailExchangers,
        settings: Callable[[], ReportSettings],
        *,
        duties: DutyStore,
    ) -> None:
        self._store = store
        self._queue = queue
        self._duties = duties
        self._context = context
        self._exchangers = exchangers
        self._settings = settings
        self._tried_at: deque[tuple[float, bool]] = (
            deque()
        )  # attempts of the last minute: monotonic time; whether it is not a failure report
        self._unsettled: list[SendingOutcome] = []
        self._settling = asyncio.Lock()
        self._rounds = Rounds(context.log, "report", context.wait)
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
        await self._rounds.run_rounds(self._take_round)

    async def _take_round(self) -> float:
        """Send those that are due; return the seconds until the next is."""
        await self._meet_clock()
        await self._look_for_late_mail()
        await self._drop_surplus()
        await self._send_due()
        return await self._pause()

    async def _meet_clock(self) -> None:
        """Hasten reports with a wrong due time, after a start or when the clock was set back."""
        now, moment = self._context.now(), self._context.monotonic()
        before, self._clocks_before = self._clocks_before, (now, moment)
        if before is None:
            await self._store.hasten_reports(now, beyond=now + self._schedule().longest_pause)
        elif now - before[0] < moment - before[1] - _CLOCK_SLACK:
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
            self._context.log.publish(SuccessReportsDropped(count=len(some), limit=limit))

    # Sending

    async def _send_due(self) -> None:
        await self._settle()
        while not self._rounds.is_closing and not self._unsettled and (room := self._room()):
            due = await self._store.due_reports(self._context.now(), min(room, BATCH), BATCH_OCTETS)
            some = self._next_batch(due)
            if not some:
                return
            await self._send(some)

    def _next_batch(self, due: Sequence[Report]) -> Sequence[Report]:
        """Return the reports that leave together: all failures, or a few others.

        Failures leave by themselves, because a slow host keeps its batch. Other reports get at most
        half of the minute, so that a failure always finds room.
        """
        if not due or due[0].action is Action.FAILED:
            return [report for report in due if report.action is Action.FAILED]
        share = max(self._settings().per_minute // 2, 1) - sum(
            is_lesser for _, is_lesser in self._tried_at
        )
        return due[: max(min(share, LESSER_AT_ONCE), 0)]

    async def _send(self, reports: Sequence[Report]) -> None:
        now = self._context.monotonic()
        self._tried_at.extend((now, report.action is not Action.FAILED) for report in reports)
        by_domain: defaultdict[str, list[Report]] = defaultdict(list)
        for report in reports:
            by_domain[_domain(report)].append(report)
        turns = asyncio.Semaphore(DOMAINS_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            for domain, some in by_domain.items():
                tasks.create_task(self._send_to(domain, some, turns))

    async def _send_to(
        self, domain: str, reports: Sequence[Report], turns: asyncio.Semaphore
    ) -> None:
        async with turns:
            settings = self._settings()
            messages = [_as_message(report) for report in reports]
            errand = MxDelivery(
                domain,
                messages,
                self._context,
                exchangers=self._exchangers,
                port=settings.port,
                private_addresses=settings.private_addresses,
            )
            try:
                async with asyncio.timeout(_ERRAND_SECONDS[reports[0].action]):
                    await errand.run()
            except TimeoutError:
                late = {
                    one.number: _TOO_SLOW for one in reports if one.number not in errand.outcomes
                }
                errand.outcomes.update(late)
            except Exception as error:  # noqa: BLE001  the boundary: one domain's defect is no other's
                self._context.log.publish(InternalError(error=error, doing="report", domain=domain))
            for report in reports:
                self._conclude(domain, report, errand.outcomes.get(report.number, _UNKNOWN))
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
        self._context.log.publish(
            event(
                message=message_name(report.about),
                action=str(report.action),
                domain=domain,
                failures=report.failures + (event is not ReportSent),
                reply=outcome.reply,
            )
        )

    def _judge(
        self, report: Report, recipient: RecipientOutcome
    ) -> tuple[SendingOutcome, _ReportEvent]:
        """Return the outcome of a report and the event for it."""
        if recipient.move is Move.DELIVERED:
            return SendingOutcome(report.number, None, recipient.reply), ReportSent
        at = self._next_attempt(report) if recipient.move is Move.DEFERRED else None
        event: _ReportEvent = ReportDropped if at is None else ReportDeferred
        return SendingOutcome(report.number, at, recipient.reply), event

    def _next_attempt(self, report: Report) -> float | None:
        deadline = report.made_at + self._settings().lifetime
        return next_attempt(
            self._schedule(),
            report.failures + 1,
            self._context.now(),
            deadline,
            self._context.jitter(),
        )

    def _schedule(self) -> Schedule:
        return Schedule(self._settings().first_retry, self._settings().longest_retry)

    def _room(self) -> int:
        """Return how many attempts the minute has left."""
        now = self._context.monotonic()
        while self._tried_at and self._tried_at[0][0] <= now - _MINUTE:
            self._tried_at.popleft()
        return max(self._settings().per_minute - len(self._tried_at), 0)

    async def _pause(self) -> float:
        await self._meet_clock()
        due_at = await self._store.next_report_at()
        if due_at is None:
            return LONGEST_PAUSE
        pause = due_at - self._context.now()
        if not self._room():
            pause = max(pause, self._tried_at[0][0] + _MINUTE - self._context.monotonic())
        if pause <= 0 and any(
            is_lesser for _, is_lesser in self._tried_at
        ):  # the due reports have used up their share
            pause = _SHARE_PAUSE
        return min(max(pause, 0.0), LONGEST_PAUSE)

    # Delay

    async def _look_for_late_mail(self) -> None:
        moment = self._context.monotonic()
        if not self._settings().delay_after or moment < self._looked_for_late_at + LONGEST_PAUSE:
            return
        self._looked_for_late_at, now = moment, self._context.now()
        while late := await self._store.late_messages(
            now - self._settings().delay_after, LATE_BATCH
        ):
            news = [
                (message, one)
                for message in late
                if (one := await self._news_of_delay(message)) is not None
            ]
            reports = await self._context.dsn_writer.make_all(news)
            await self._store.tell_of_delay([message.number for message in late], reports)
            self._context.dsn_writer.stored(reports)

    async def _news_of_delay(self, message: HeldMessage) -> ReportFacts | None:
        envelope = message.envelope
        told = recipients_to_tell_of(Action.DELAYED, envelope, envelope.forward_paths)
        if not told:
            return None
        words = await self._words(message.number)
        return ReportFacts(Action.DELAYED, tuple(Fate(path, words.get(path, "")) for path in told))

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
