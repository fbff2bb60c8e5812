"""One domain's part of a turnaround: its lease, its mail, and the outcomes (RFC 2645).

A part is a drain on record like any other. So status, retention and the watcher see it, and nobody
else delivers the domain's mail meanwhile. It makes no connection and no second attempt. Mail that
is left at its end is held.

It is never resumed: after a crash its record is closed (delivery/dispatcher.py). The next
turnaround repeats messages that were not settled. A release to the destination may be asked for
meanwhile. If mail is left then, the record of a drain takes the place of the part's own.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.domain_drain import DrainStopCause
from restante.delivery.drain_log import DrainLog
from restante.delivery.drain_state import DrainSnapshot
from restante.delivery.drain_summary import DrainSummary
from restante.delivery.link_plan import ConnectionEnd, LinkPlan
from restante.delivery.mail_supply import MailSupply
from restante.delivery.recipient_learning import RecipientLearning
from restante.delivery.reply_outcome import deferred_for, uncertain_for
from restante.delivery.settlement import Settlement
from restante.mail.message import HeldMessage
from restante.mail.policy_deferrals import drain_mark
from restante.queue.deferred_by_policy import counted_outcome
from restante.queue.drain_word import DrainEnd, DrainState, DrainWay
from restante.queue.recipient_status import MessageOutcome, RecipientMove
from restante.queue.reporting import in_keeping, report_facts_of
from restante.store.handover_store import Drain, PastDrain, WantedDrain
from restante.store.store_errors import LeaseLost, StoreError
from restante.telemetry.events import StoreFailed
from restante.telemetry.work_word import WorkWord
from restante.tenancy.model import AuthorizedHosts, HostedDomain
from restante.tenancy.policy import OnRefusal, RecipientPolicy, TurnaroundPolicy

_CAME_LATE: Final = "mail came at the end, and waits for the next request"


def _nothing() -> None:
    """Do nothing."""


class TurnaroundPart:
    """One domain, from the lease to its end."""

    def __init__(
        self, lease: Drain, domain: HostedDomain, context: DeliveryContext, name: str
    ) -> None:
        """`name` stands for the destination, in logs and listings."""
        self._lease = lease
        self.domain = domain
        self._context = context
        self.times_asked = 0  # requests on record that joined it
        self.release_after: tuple[str, int] | None = None  # of the request that joined it
        self.replaced: tuple[str, int] | None = None  # of the drain that was ended for it
        self.following: Drain | None = None  # the drain that follows it, on record
        self._has_wire = False
        self._log = DrainLog(context.log, domain.name, name, context.clocks)
        self._summary = DrainSummary(lease, domain, self._log, context)
        self._supply = MailSupply(
            context.store.handover,
            context.store.content,
            lease.domain_id,
            context.dialer.hostname,
            lambda: context.settings.hops_limit,
            mark=drain_mark(lease.requested_at),
        )
        self._on_change: Callable[[], None] = _nothing
        self._on_stop: Callable[[str, float], None] | None = None
        self._settlement = Settlement(
            context.store.handover,
            lease,
            context.clocks.wait,
            context.log,
            dsn_writer=context.dsn_writer,
            on_change=self._changed,
            now=context.clocks.now,
        )
        learns = domain.policy.recipients is RecipientPolicy.LEARNED
        self._learning = RecipientLearning() if learns else None
        self._is_refused_bounced = domain.policy.on_refusal is OnRefusal.BOUNCE
        self._released = asyncio.Event()  # nothing more is reported
        self._stop: DrainStopCause | None = None
        self._is_closing = False
        self.in_hand = 0  # messages in the connection, and without an outcome
        self.last_tried = 0  # number of the message that was last tried
        self._has_begun = False  # the connection has tried mail of it
        self._outcome, self._reason = DrainEnd.GIVEN_UP, "internal error"

    # Called by the turnaround

    def begin_behind(self, number: int) -> None:
        """Take the mail up to this message last. Only before the first read."""
        self._supply.begin_behind(number)

    def follow(self, on_change: Callable[[], None], on_stop: Callable[[str, float], None]) -> None:
        """Tell about settled outcomes, and when no more of its mail may be begun."""
        self._on_change, self._on_stop = on_change, on_stop
        self._has_wire = True

    @property
    def wanted(self) -> tuple[str, int] | None:
        """The requester and the release of the drain that is wanted after it; None for none."""
        if self.release_after is None and self.replaced is not None and not self._has_wire:
            return self.replaced
        return self.release_after

    @property
    def gives_mail(self) -> bool:
        """Whether its messages may be begun."""
        return self._stop is None and not self._settlement.failure and not self._is_closing

    @property
    def failure(self) -> str:
        """Why its outcomes cannot be recorded; "" while they can."""
        return self._settlement.failure

    @property
    def has_lost_lease(self) -> bool:
        """Whether another drain owns the domain."""
        return self._settlement.is_lease_lost

    @property
    def unsettled(self) -> int:
        """How many messages are in delivery, or not recorded: a crash can double them."""
        return self._settlement.unsettled + self.in_hand

    @property
    def has_tried_all(self) -> bool:
        """Whether nothing is left to begin, as far as it was read."""
        return self._supply.is_exhausted and self._supply.is_empty

    @property
    def needs_mail(self) -> bool:
        """Whether it is time to read on."""
        return not self.has_tried_all and (self._supply.is_low or self._supply.is_empty)

    @property
    def is_read_to_its_end(self) -> bool:
        """Whether the last read found no more."""
        return self._supply.is_exhausted

    @property
    def left_behind(self) -> int:
        """How many messages were tried and are still held."""
        return self._supply.left_behind

    async def read(self) -> bool:
        """Read mail, even past an earlier end; return whether there was some. Raises StoreError."""
        has_more = await self._supply.read()
        self._defer_unreachable()
        return has_more

    def take(self) -> HeldMessage | None:
        """Return the next message."""
        message = self._supply.take()
        self.in_hand += message is not None
        self._has_begun |= message is not None
        return message

    def report(
        self, message: HeldMessage, outcome: MessageOutcome, reply: str, remote: str
    ) -> RecipientMove:
        """Record the outcome of a message. `remote` names the client in a report."""
        if self._learning is not None:
            self._learning.take(outcome)
        if self._is_refused_bounced or message.envelope.dsn is not None:
            outcome = self._tell(message, outcome, reply, remote)
        limit = self.domain.policy.after_drains
        outcome = counted_outcome(outcome, message.deferrals, self._supply.mark, limit)
        moves = [recipient.move for recipient in outcome.recipients]
        self._supply.left_behind += RecipientMove.DEFERRED in moves
        return self._record(message, outcome, reply)

    def take_back(self, message: HeldMessage, end: ConnectionEnd) -> MessageOutcome:
        """Record a message whose outcome the connection did not learn. It stays held.

        If it was sent whole, it can come a second time. The third time it is set apart.
        """
        is_counted = message is end.in_doubt and (end.garbled or self._log.totals.delivered)
        outcome = (
            uncertain_for(message, end.garbled or end.reason)
            if is_counted
            else deferred_for(message, end.reason)
        )
        self._supply.left_behind += 1
        self._record(message, outcome, "")
        return outcome

    def connection_ended(self, plan: LinkPlan, end: ConnectionEnd, seconds: float) -> None:
        """Log the end of the connection, if it has tried mail of this domain."""
        own = tuple(one for one in end.outstanding if one.domain_id == self._lease.domain_id)
        if self._has_begun or own:
            self._log.attempted(plan, replace(end, outstanding=own), self._log.totals, seconds)
        self._has_begun = False

    def close(self, outcome: DrainEnd, reason: str) -> None:
        """End: nothing more is reported."""
        if self._stop is None:
            self._outcome, self._reason = outcome, reason
        self._on_change, self._on_stop = _nothing, None
        self._is_closing = True
        self._released.set()

    def close_if_stopped(self) -> None:
        """End if it was stopped and has nothing in hand: a release need not wait for the others."""
        if self._stop is not None and not self.in_hand:
            self.close(self._outcome, self._reason)

    def tell_refusals(self, reason: str) -> None:
        """Log that the client refuses everything."""
        self._summary.tell_refusals(reason)

    # Called by the dispatcher

    async def run(self) -> None:
        """Settle outcomes until the turnaround is over. Raises only for defects."""
        self._summary.tell_start()
        try:
            async with asyncio.TaskGroup() as tasks:
                settling = tasks.create_task(self._settlement.run())
                await self._released.wait()
                await self._settlement.flush()
                settling.cancel()
        finally:
            self._is_closing = True
            await self._end()

    async def join(self, _patience: float) -> bool:
        """Take note that a release was asked for; False if this is about to end."""
        if self._is_closing or self._stop is not None:
            return False
        self.release_after = self.release_after or (self._lease.requested_by, 0)
        return True

    def note_joined(self, times: int, _way: DrainWay) -> None:
        """Take note of a request on record that joined it."""
        self.times_asked = times

    def look_at_record(self, grace: float) -> None:
        """End if the domain's present record no longer allows this."""
        now = self._context.directory.now.domains.get(self.domain.name)
        is_same = now is not None and (now.id, now.account) == (self.domain.id, self.domain.account)
        if now is None or not is_same or now.policy.turnaround is not TurnaroundPolicy.ALLOW:
            self.stop(DrainStopCause("the domain allows no turnaround any more", False), grace)
        elif _has_lost_host(self.domain.authorized_hosts, now.authorized_hosts):
            self.stop(DrainStopCause("an authorized host of the domain was removed", False), grace)
        elif now.policy.suspension_at(self._context.clocks.now()) is not None:
            self.stop(DrainStopCause("the domain was suspended", False), grace)

    @asynccontextmanager
    async def held_off(self) -> AsyncIterator[bool]:
        """Yield False: mail may be in delivery."""
        yield False

    def stop(self, stop: DrainStopCause, grace: float) -> None:
        """Begin no more of its messages; after `grace` seconds the connection is closed."""
        if self._stop is not None or self._is_closing:
            return
        self._stop, self._outcome, self._reason = stop, stop.end, stop.reason
        self._settlement.hurry()
        if self._on_stop is not None:
            self._on_stop(stop.reason, grace)
        else:  # the connection was not turned around yet
            self.close(stop.end, stop.reason)

    @property
    def lease(self) -> Drain:
        """The drain as recorded: at its end, the one that follows it."""
        return self.following or self._lease

    @property
    def is_active(self) -> bool:
        """Whether the connection delivers its mail now."""
        return self.in_hand > 0 or (self._has_begun and not self.has_tried_all)

    @property
    def state(self) -> DrainState:
        """The present state."""
        if self._stop is not None:
            return DrainState.STOPPING
        if self._is_closing:
            return DrainState.SETTLING
        return DrainState.DELIVERING if self.is_active else DrainState.WAITING_TURN

    @property
    def connections(self) -> int:
        """One while its mail is in delivery: the parts of a turnaround share the connection."""
        return int(self.is_active)

    @property
    def destination(self) -> str:
        """The name of the turnaround."""
        return self._log.destination

    @property
    def view(self) -> DrainSnapshot:
        """A view of the part now."""
        return self._summary.snapshot(self.state, self.connections, way=DrainWay.TURNAROUND)

    # Internal

    def _changed(self) -> None:
        self._on_change()

    def _tell(
        self, message: HeldMessage, outcome: MessageOutcome, reply: str, remote: str
    ) -> MessageOutcome:
        """Add the report that is due, and return the outcome by the domain's policy."""
        outcome = in_keeping(outcome, message.envelope, is_refused_bounced=self._is_refused_bounced)
        has_details = self._context.directory.has_report_details(self.domain)
        for facts in report_facts_of(
            outcome, message.envelope, reply, remote, has_details=has_details
        ):
            self._settlement.tell(message, facts)
        return outcome

    def _defer_unreachable(self) -> None:
        """Defer messages whose content the store cannot reach. The next turnaround tries them."""
        for message, reason in self._supply.take_unreachable():
            outcome = deferred_for(message, f"its content cannot be read now: {reason}")
            self._settlement.add(outcome)
            self._log.record(message, outcome, "")
            self._supply.left_behind += 1
            self.last_tried = message.number

    def _record(self, message: HeldMessage, outcome: MessageOutcome, reply: str) -> RecipientMove:
        self._settlement.add(outcome)
        self.in_hand -= 1
        self.last_tried = message.number
        return self._log.record(message, outcome, reply)

    async def _end(self) -> None:
        try:
            await self._settlement.finish()
        finally:
            await self._learn()
            await self._close()
            self._summary.tell_end(self._outcome, self._reason)
            self._settlement.end()

    async def _learn(self) -> None:
        learning = self._learning.learned(self._context.clocks.now()) if self._learning else []
        if not learning:
            return
        try:
            await self._context.learn(self._lease.domain_id, learning)
        except StoreError as error:  # the next one learns it again
            self._report(error, WorkWord.LEARN)

    async def _close(self) -> None:
        """Close the record, whatever the reason: a turnaround is never resumed."""
        if self._settlement.is_lease_lost:
            return
        handover = self._context.store.handover
        try:
            if self._outcome is DrainEnd.FINISHED:
                reason = self._summary.text(self._supply.damaged)
                past = self._past(DrainEnd.FINISHED, reason)
                if await handover.finish_drain(self._lease, 0, past):
                    self._reason = reason
                    return
                self._outcome, self._reason = DrainEnd.GIVEN_UP, _CAME_LATE
            past = self._past(self._outcome, self._reason)
            if (wanted := self._wanted_now()) is None:
                await handover.close_drain(self._lease, past)
            else:
                self.following = await handover.follow_drain(self._lease, wanted, past)
        except LeaseLost as error:
            self._outcome, self._reason = DrainEnd.GIVEN_UP, str(error)
        except StoreError as error:  # it is closed when it is found without an owner
            self._report(error, WorkWord.CLOSE_DRAIN)

    def _wanted_now(self) -> WantedDrain | None:
        """Return who wants a drain after it, if that can move mail by the domain's record now."""
        domain = self._context.directory.now.domain_by_id(self._lease.domain_id)
        if domain is None or not domain.destination.is_reachable:
            return None
        now = self._context.clocks.now()
        if domain.policy.suspension_at(now) is not None:
            return None
        if self.wanted is None or not self._context.store.figures.usage(domain.id).held:
            return None
        return WantedDrain(now, now + self._context.settings.patience, *self.wanted)

    def _past(self, outcome: DrainEnd, reason: str) -> PastDrain:
        """Return the part as it is kept. Whether the destination takes mail is another question."""
        destination = self.domain.destination.text
        has_taken = self._context.memory.experience.has_taken_mail(destination)
        return replace(self._summary.past(outcome, reason), taker=destination if has_taken else "")

    def _report(self, error: StoreError, doing: WorkWord) -> None:
        self._context.log.publish(StoreFailed(error=error, doing=doing, domain=self.domain.name))


def _has_lost_host(before: AuthorizedHosts, now: AuthorizedHosts) -> bool:
    """Return whether a host was removed: the client may be at it."""
    return not set(before.texts) <= set(now.texts)
