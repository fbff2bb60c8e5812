"""Expired mail: warn ahead, then delete, bounce or keep it by its domain's policy (S14).

Theory of operation. Once an hour each domain's held mail and its refused mail are checked apart.
Deletion goes in batches. Each is one transaction with its audit entry, so that no other user of the
store waits long.

The store marks the step of each warning (7, 3, 1 days ahead, or over). The mark follows the
domain's oldest mail. So mail that arrives daily is reported once, and again only after all of it
was further from its end. The mark is set when the notices are stored: a crash in between repeats
them and never omits them.

Bouncing goes message by message, while deleting goes by recipient. All of a message's recipients
with that status go when the first is due, so that its sender gets one report. Damaged mail stays,
because no report can be made for it.

A running drain keeps its domain's mail for a day longer: mail must not vanish during delivery.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from restante.background.clocks import Clocks
from restante.background.rounds import AFTER_FAILURE, Rounds
from restante.delivery.route import remote_name
from restante.dsn.bounce_maker import prepare_bounce
from restante.dsn.dsn_writer import DsnWriter
from restante.mail.message import message_name
from restante.mail.quantity import agreeing
from restante.queue.recipient_status import RecipientStatus
from restante.queue.retention_warnings import OVER, warning_due
from restante.retention.removal_record import change_event, removal_of
from restante.store.duty_store import keep_performing
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.queue_store import MessageBounce, QueuedMessage, QueueFilter
from restante.store.store_errors import Damaged, StoreError
from restante.telemetry.event_bus import Log
from restante.telemetry.events import MailExpired, RetentionAhead, RetentionOver, StoreFailed
from restante.telemetry.work_word import WorkWord
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import DAY, AtEnd, Retention
from restante.tenancy.principal import policy_rule

SWEEP_SECONDS: Final = 3600.0
_MOST_DOUBLINGS: Final = 10
BATCH: Final = 200  # messages in one transaction
MOST_REPORTED: Final = 10  # failures in one sweep that are logged
SWEEP: Final = policy_rule("retention")


class RetentionSweep:
    """Ends the retention of mail that was not delivered."""

    def __init__(
        self,
        *,
        store: Store,
        directory: LiveDirectory,
        is_draining: Callable[[int], bool],
        dsn_writer: DsnWriter,
        log: Log,
        clocks: Clocks,
        until_told: Callable[[], Awaitable[None]],
    ) -> None:
        """`until_told` waits until the log's notices are durable."""
        self._store = store
        self._directory = directory
        self._is_draining = is_draining
        self._dsn_writer = dsn_writer
        self._log = log
        self._clocks = clocks
        self._until_told = until_told
        self._rounds = Rounds(log, WorkWord.RETENTION, clocks.wait)
        self._failed_sweeps = 0  # in a row, in which the look at some domain failed

    async def run(self) -> None:
        """Sweep now and every hour, until cancelled."""
        await keep_performing(self._store.duties, "retention", self._sweep_hourly)

    async def _sweep_hourly(self) -> None:
        await self._rounds.run_rounds(self.sweep)

    async def sweep(self) -> float:
        """Look at every domain once; return the seconds to the next sweep.

        A failure ends only the look at its domain, unless the store as a whole is away. After one,
        the next sweep comes sooner. Raises StoreError.
        """
        failures = 0
        for status in (RecipientStatus.HELD, RecipientStatus.REFUSED):
            marks = await self._store.retention.marks(_kind(status))
            for domain in list(self._directory.now.domains.values()):
                if self._is_concerned(domain, status) or domain.id in marks:
                    try:
                        await self._look_at(domain, status, marks.get(domain.id))
                    except StoreError as error:
                        if self._store.upkeep.absence or self._store.upkeep.failure:
                            raise
                        failures += 1
                        if failures <= MOST_REPORTED:
                            self._report(domain, error)
        self._failed_sweeps = self._failed_sweeps + 1 if failures else 0
        return self._pause()

    def _pause(self) -> float:
        """Return the seconds to the next sweep: soon after a failure, and later each time."""
        if not self._failed_sweeps:
            return SWEEP_SECONDS
        doublings = min(self._failed_sweeps - 1, _MOST_DOUBLINGS)
        return min(SWEEP_SECONDS, AFTER_FAILURE * 2.0**doublings)

    def _report(self, domain: HostedDomain, error: StoreError) -> None:
        self._log.publish(StoreFailed(error=error, doing=WorkWord.RETENTION, domain=domain.name))

    def _is_concerned(self, domain: HostedDomain, status: RecipientStatus) -> bool:
        usage = self._store.figures.usage(domain.id)
        return _retention(domain, status).seconds is not None and usage.messages > 0

    async def _look_at(
        self, domain: HostedDomain, status: RecipientStatus, mark: float | None
    ) -> None:
        retention = _retention(domain, status)
        step: float | None = None
        if retention.seconds is not None:
            await self._end(domain, status, retention.seconds, retention.at_end)
            since = await self._store.retention.waiting_since(domain.id, status)
            now = self._clocks.age_now()
            step = None if since is None else warning_due(since, retention.seconds, now)
        if step is not None and (mark is None or step < mark):
            self._tell(domain, status, step, retention.at_end)
            await self._until_told()
        if step != mark:
            await self._store.retention.keep_mark(domain.id, _kind(status), step)

    async def _end(
        self, domain: HostedDomain, status: RecipientStatus, seconds: float, at_end: AtEnd
    ) -> None:
        """Apply the domain's policy to expired mail."""
        if at_end is AtEnd.DELETE:
            await self._delete(domain, status, seconds)
        elif at_end is AtEnd.BOUNCE:
            await self._bounce(domain, status, seconds)

    async def _end_slices(
        self,
        domain: HostedDomain,
        status: RecipientStatus,
        before: float,
        end: Callable[[list[int]], Awaitable[int]],
    ) -> int:
        """Apply `end` to expired mail in slices; return for how many messages it was done.

        Each slice is behind the last: some mail stays, such as damaged mail. A slice that is cut
        off can leave mail out. After one, another walk looks for that, until nothing more ends.
        """
        total = 0
        while True:
            ended = after = 0
            is_cut = False
            while numbers := await self._store.retention.expired(
                domain.id, status, before, BATCH, after
            ):
                ended += await end(numbers)
                after = numbers[-1]
                is_cut |= len(numbers) == BATCH
            total += ended
            if not (ended and is_cut):
                return total

    async def _bounce(self, domain: HostedDomain, status: RecipientStatus, seconds: float) -> None:
        end = partial(self._bounce_some, domain, status, seconds)
        bounced = await self._end_slices(domain, status, self._before(domain, seconds), end)
        if bounced:
            self._log.publish(
                MailExpired(
                    domain=domain.name,
                    account=domain.account,
                    status=str(status),
                    messages=bounced,
                    at_end=str(AtEnd.BOUNCE),
                )
            )

    async def _bounce_some(
        self, domain: HostedDomain, status: RecipientStatus, seconds: float, numbers: Sequence[int]
    ) -> int:
        found = await self._listed(numbers, status)
        bounces = [
            bounce
            for listed in found
            if (bounce := await self._prepare(domain, listed)) is not None
        ]
        if not bounces:
            return 0
        numbers = [bounce.number for bounce in bounces]
        listed = [one for one in found if one.number in numbers]
        entry = self._entry(AuditAction.MAIL_BOUNCED, domain, status, seconds, listed)
        done = set(await self._store.queue.bounce(bounces, entry))
        if done:
            self._log.publish(change_event(entry))
        self._dsn_writer.stored(
            [one.report for one in bounces if one.report is not None and one.number in done]
        )
        return len(done)

    async def _listed(
        self, numbers: Sequence[int], status: RecipientStatus
    ) -> Sequence[QueuedMessage]:
        """Return messages, with the recipients in this status."""
        return await self._store.queue.list_queue(
            QueueFilter(numbers=tuple(numbers), status=status, limit=len(numbers))
        )

    async def _prepare(self, domain: HostedDomain, listed: QueuedMessage) -> MessageBounce | None:
        try:
            return await prepare_bounce(
                self._store.queue, self._dsn_writer, listed, remote_name(domain.destination)
            )
        except Damaged as error:
            self._log.publish(
                StoreFailed(
                    error=error, doing=WorkWord.RETENTION, message=message_name(listed.number)
                )
            )
            return None

    def _before(self, domain: HostedDomain, seconds: float) -> float:
        return self._clocks.age_now() - seconds - (DAY if self._is_draining(domain.id) else 0.0)

    async def _delete(self, domain: HostedDomain, status: RecipientStatus, seconds: float) -> None:
        before = self._before(domain, seconds)

        async def delete(numbers: list[int]) -> int:
            listed = await self._listed(numbers, status)
            entry = self._entry(AuditAction.MAIL_EXPIRED, domain, status, seconds, listed)
            count = await self._store.retention.expire(domain.id, numbers, status, before, entry)
            if count:
                self._log.publish(change_event(entry))
            return count

        deleted = await self._end_slices(domain, status, before, delete)
        if deleted:
            self._log.publish(
                MailExpired(
                    domain=domain.name,
                    account=domain.account,
                    status=str(status),
                    messages=deleted,
                    at_end=str(AtEnd.DELETE),
                )
            )

    def _entry(
        self,
        action: AuditAction,
        domain: HostedDomain,
        status: RecipientStatus,
        seconds: float,
        mail: Sequence[QueuedMessage],
    ) -> AuditEntry:
        days = seconds / DAY
        return AuditEntry(
            at=self._clocks.now(),
            action=action,
            actor=SWEEP.name,
            subject=" ".join(message_name(one.number) for one in mail),
            account=domain.account,
            acted_from=SWEEP.acted_from,
            domain=domain.name,
            reason=(
                f"{status} for more than {days:g} {agreeing(days, 'day', 'days')},"
                f" by the policy of {domain.name}"
            ),
            changes=tuple(removal_of(mail)),
        )

    def _tell(
        self, domain: HostedDomain, status: RecipientStatus, step: float, at_end: AtEnd
    ) -> None:
        """Report the coming end; for mail that is only kept, report its end."""
        if step == OVER:
            self._log.publish(
                RetentionOver(
                    domain=domain.name,
                    account=domain.account,
                    status=str(status),
                    at_end=str(at_end),
                )
            )
        elif at_end is not AtEnd.KEEP:
            self._log.publish(
                RetentionAhead(
                    domain=domain.name,
                    account=domain.account,
                    status=str(status),
                    days=int(step / DAY),
                    at_end=str(at_end),
                )
            )


def _kind(status: RecipientStatus) -> str:
    return f"retention-{status}"


def _retention(domain: HostedDomain, status: RecipientStatus) -> Retention:
    return (
        domain.policy.retention
        if status is RecipientStatus.HELD
        else domain.policy.refused_retention
    )
