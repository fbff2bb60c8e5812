"""One drain: attempts to deliver a domain's held mail, until none is left or patience ends.

Theory of operation. An attempt (drain_attempt.py) walks over the held mail; between attempts
everything is settled. Its end decides the next step:

    the round is complete, nothing left behind     finished, unless the store says that mail came
                                                   meanwhile: then a new round at once
    … and something is still held                  a new round from the oldest message, after a
                                                   pause
    the destination stopped taking mail            the same round resumes where it stopped, after
                                                   a pause
    the record of the domain was changed           at once, by the new record
    the destination limits the rate                the same round resumes, after short pauses at
                                                   first
    the limit per minute is reached                the same round resumes, when the next may leave
    many clients in a row were refused             the same round resumes behind them, after a
                                                   pause of a minute or more
    the destination refuses everything             the end: those messages are marked refused, the
                                                   rest is held
    requested again meanwhile                      a new round at once: the customer says that the
                                                   primary is back

A drain of named messages reads their names before each attempt, which is a round of its own
(named_messages.py). It is finished whatever else the domain holds, unless a request has joined it
that it has not read. When all mail is asked for meanwhile, it goes on with all mail.

The store decides whether a drain is finished (`finish_drain`): it compares with the mail the domain
holds in the transaction that closes the drain. So no mail that is durable before the end is left
behind, wherever the cursor was when it came. If a whole round then finds nothing, that mail cannot
be read now, and the next round begins after a pause.

Pauses grow (queue/retry_schedule.py). When the next would end after the deadline, the drain ends
and the remaining mail stays held. At least one attempt is made, however late: after a restart the
deadline may be past. Mail that arrives during an attempt joins it; mail that arrives in a pause is
in the next one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from restante.background.fair_slots import FairSlots
from restante.delivery.attempt_end import AttemptEnd, AttemptKind, concerns
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.dial_plan import DialPlan, find_dial_plan
from restante.delivery.drain_attempt import DrainAttempt
from restante.delivery.drain_log import DrainLog
from restante.delivery.drain_patience import DrainPatience
from restante.delivery.drain_state import DrainSnapshot
from restante.delivery.drain_summary import DrainSummary
from restante.delivery.mail_supply import MailSupply
from restante.delivery.named_messages import named_messages
from restante.delivery.recipient_learning import RecipientLearning
from restante.delivery.refused_clients import PolicyRefusals
from restante.delivery.route import NoRoute
from restante.delivery.settlement import Settlement
from restante.mail.policy_deferrals import drain_mark
from restante.phrases import NO_LONGER_HOSTED
from restante.queue.broken_destination import BrokenDestinationDetector
from restante.queue.drain_word import DrainEnd, DrainState, DrainWay
from restante.store.handover_store import Drain
from restante.store.store_errors import LeaseLost, StoreError
from restante.telemetry.events import StoreFailed
from restante.telemetry.work_word import WorkWord
from restante.tenancy.model import ClientPassing, HostedDomain
from restante.tenancy.policy import RecipientPolicy

_ABORT_SECONDS: Final = 1.0  # after this only a read that hangs can delay an attempt

_UNREADABLE: Final = "the store counts held mail that cannot be read"


@dataclass(frozen=True, slots=True)
class DrainStopCause:
    """Why a drain must end. One that stays recorded is resumed at the next start."""

    reason: str
    stays_recorded: bool
    end: DrainEnd = DrainEnd.STOPPED


class DomainDrain:
    """One domain's drain, from `run` to its end."""

    def __init__(
        self, lease: Drain, domain: HostedDomain, context: DeliveryContext, slots: FairSlots
    ) -> None:
        self._lease = lease
        self.times_asked = 0  # requests on record that joined it, as far as it knows
        self._times_read = 0  # of them, those whose messages it has read
        self._way = lease.way
        self._domain_name = domain.name
        self._gone_by = concerns(domain)  # by the running attempt, or the last one
        self._context = context
        self._clocks = context.clocks
        self._slots = slots
        self._drain_log = DrainLog(
            context.log, domain.name, domain.destination.text, context.clocks
        )
        self._summary = DrainSummary(lease, domain, self._drain_log, context)
        self._patience = _patience(lease, context)
        self._supply = _supply(lease, context)
        self._settlement = _settlement(lease, context, self._settlement_changed)
        learns = domain.policy.recipients is RecipientPolicy.LEARNED
        self._learning = RecipientLearning() if learns else None
        takes_mail = context.memory.experience.has_taken_mail(domain.destination.text)
        self._refusals = BrokenDestinationDetector(takes_mail=takes_mail)
        self._policy_refusals = PolicyRefusals()
        self._attempt: DrainAttempt | None = None
        self._attempts: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()  # requested again
        self._gate = asyncio.Lock()  # held while mail may be in delivery
        self._finishing = asyncio.Lock()  # held while the store decides whether this is the end
        self._empty_rounds = 0  # in a row that found nothing, although mail is held
        self._next_attempt_at: float | None = None
        self._state = DrainState.WAITING_TURN
        self._stop: DrainStopCause | None = None
        self._is_closing = False  # no request can join any more
        self._is_over = False  # nothing is left to record of the end
        self._reason = "internal error"  # until there is a better one
        self._outcome = DrainEnd.GIVEN_UP

    # Called by the dispatcher

    async def run(self) -> None:
        """Deliver. Raises only for defects; settled outcomes stay settled and mail stays held."""
        self._summary.tell_start()
        try:
            async with asyncio.TaskGroup() as tasks:
                settling = tasks.create_task(self._settlement.run())
                self._attempts = tasks.create_task(self._make_attempts())
                await asyncio.wait([self._attempts])
                settling.cancel()
        finally:
            self._is_closing = True
            await self._end()

    async def join(self, patience: float) -> bool:
        """Continue for `patience` seconds and begin a new round at once.

        Returns False if the drain is about to end: then start another. Waits while that is
        undecided.
        """
        async with self._finishing:
            pass
        if self._is_closing or self._stop is not None:
            return False
        self._patience.last_until(self._clocks.monotonic() + patience)
        self._woken.set()
        return True

    def note_joined(self, times: int, way: DrainWay) -> None:
        """Take note of a request on record that joined it, and of the way that it has now."""
        self.times_asked = times
        if self._way is DrainWay.MESSAGES:
            self._way = way
            self._woken.set()  # the round that `join` began may have read too early

    def look_at_record(self, grace: float) -> None:
        """Apply the domain's present record; after `grace` seconds nothing uses the old one."""
        if self._stop is not None or self._is_closing:
            return
        if self._attempt is None:
            record = self._record()
            if record is None or concerns(record) != self._gone_by:
                self._woken.set()
        elif (reason := self._attempt.look_at_record()) is not None:
            asyncio.get_running_loop().call_later(grace, self._attempt.abort, reason)

    @asynccontextmanager
    async def held_off(self) -> AsyncIterator[bool]:
        """Begin no attempt during the block; yield False if one is running, so mail may leave."""
        if self._gate.locked():
            yield False
        else:
            async with self._gate:
                yield True

    def stop(self, stop: DrainStopCause, grace: float) -> None:
        """End: begin no more, wait `grace` seconds for replies, close the connections."""
        if self._stop is not None or self._is_closing:
            return
        self._stop, self._state, self._reason, self._outcome = (
            stop,
            DrainState.STOPPING,
            stop.reason,
            stop.end,
        )
        self._settlement.hurry()
        if self._attempt is not None:
            self._attempt.end(stop.reason)
            loop = asyncio.get_running_loop()
            loop.call_later(grace, self._attempt.abort, stop.reason)
            loop.call_later(grace + _ABORT_SECONDS, self._cut)
        elif self._finishing.locked():
            asyncio.get_running_loop().call_later(grace + _ABORT_SECONDS, self._cut)
        elif self._attempts is not None:
            # it waits for its slot, an address, the store or the next attempt
            self._attempts.cancel()

    def _cut(self) -> None:
        """End although our own disk hangs: stop waiting for it; its mail stays held."""
        if self._attempts is not None:
            self._attempts.cancel()

    @property
    def lease(self) -> Drain:
        """The drain as recorded when it began here."""
        return self._lease

    @property
    def way(self) -> DrainWay:
        """Where it hands mail over now, and which."""
        return self._way

    @property
    def state(self) -> DrainState:
        """The present state."""
        return self._state

    @property
    def connections(self) -> int:
        """How many are open now."""
        return self._attempt.connection_count if self._attempt is not None else 0

    @property
    def destination(self) -> str:
        """The destination to which it delivers."""
        return self._drain_log.destination

    @property
    def view(self) -> DrainSnapshot:
        """A view of the drain now."""
        return self._summary.snapshot(
            self._state, self.connections, next_attempt_at=self._next_attempt_at, way=self._way
        )

    # Attempts

    async def _make_attempts(self) -> None:
        """Return when all is done, with `_reason` set; from that moment no request can join."""
        try:
            while self._stop is None:
                end = await self._make_attempt()
                self._drain_log.attempt_ended(end.kind, end.reason, tried=end.tried)
                if self._is_final(end) or (self._has_all(end) and await self._is_finished()):
                    return
                await self._prepare_next(end)
        finally:
            self._is_closing = True

    async def _make_attempt(self) -> AttemptEnd:
        self._become(DrainState.WAITING_TURN)
        async with self._slots.slot(self._summary.account), self._gate:
            self._become(DrainState.LOOKING_UP)
            domain = self._record()
            if domain is None:
                return AttemptEnd(AttemptKind.CHANGED, NO_LONGER_HOSTED)
            self._drain_log.destination = domain.destination.text
            self._summary.account, self._gone_by = domain.account, concerns(domain)
            try:
                await self._choose_mail(domain)
            except StoreError as error:
                return AttemptEnd(AttemptKind.STOPPED, f"held mail cannot be read: {error}")
            passing = domain.destination.client_address
            self._supply.group_by_client(is_wanted=passing is not ClientPassing.NONE)
            try:
                plan = await find_dial_plan(domain, self._context)
            except NoRoute as error:
                self._context.dialer.forget(domain.destination.host)
                self._drain_log.could_not_attempt(str(error))
                return AttemptEnd(AttemptKind.STOPPED, str(error))
            end = await self._run_attempt(plan)
            if end.kind is AttemptKind.STOPPED:
                self._context.dialer.forget(domain.destination.host)  # it may have moved
            await self._settlement.flush()
            return end

    async def _choose_mail(self, domain: HostedDomain) -> None:
        """Limit the supply to the named messages, as they are on record now. Raises StoreError."""
        if self._way is not DrainWay.MESSAGES:
            if self._lease.way is DrainWay.MESSAGES:
                self._supply.only(None)
            return
        times = self.times_asked  # first: a request may join while its messages are read
        named = await named_messages(self._context.store.releases, self._lease, domain)
        self._supply.only(named)
        self._times_read = times

    async def _run_attempt(self, plan: DialPlan) -> AttemptEnd:
        self._drain_log.attempt_begins()
        self._become(DrainState.DELIVERING)
        self._attempt = DrainAttempt(
            plan,
            self._supply,
            self._settlement,
            self._drain_log,
            self._context,
            refusals=self._refusals,
            policy_refusals=self._policy_refusals,
            learning=self._learning,
        )
        self._refusals.begin()
        try:
            return await self._attempt.run()
        finally:
            self._attempt = None
            self._become(DrainState.SETTLING)

    def _record(self) -> HostedDomain | None:
        """Return the domain as recorded now; one added later under the same name is another."""
        domain = self._context.directory.now.domains.get(self._domain_name)
        return domain if domain is not None and domain.id == self._lease.domain_id else None

    def _is_final(self, end: AttemptEnd) -> bool:
        """Decide whether that was the last attempt, and record the reason."""
        if self._stop is not None:
            return True
        if self._settlement.failure:
            self._reason = self._settlement.failure
        elif end.kind is AttemptKind.REFUSING and not self._woken.is_set():
            self._reason, self._outcome = end.reason, DrainEnd.REFUSED
            self._summary.tell_refusals(end.reason)
        elif self._record() is None:
            self._reason, self._outcome = NO_LONGER_HOSTED, DrainEnd.STOPPED
        else:
            return False
        return True

    def _has_all(self, end: AttemptEnd) -> bool:
        """Tell whether everything was handed over, as far as this attempt has read."""
        return (
            end.kind is AttemptKind.COMPLETE
            and not self._supply.left_behind
            and not self._woken.is_set()
        )

    async def _is_finished(self) -> bool:
        """Record the end, unless mail came meanwhile; return whether this is the end.

        Nobody can join while that is undecided: a request would be lost with the drain. A stop in
        that time counts only if this is not the end.
        """
        async with self._finishing:
            await self._learn()
            outcome, reason = (
                DrainEnd.FINISHED,
                self._summary.text(self._supply.damaged, self._way),
            )
            try:
                is_end = await self._context.store.handover.finish_drain(
                    self._lease,
                    self._supply.left_behind,
                    self._summary.past(outcome, reason),
                    self._times_read,
                )
            except LeaseLost as error:
                is_end, outcome, reason = True, DrainEnd.GIVEN_UP, str(error)
            except StoreError as error:  # it stays recorded and is resumed, which does no harm
                self._context.log.publish(
                    StoreFailed(error=error, doing=WorkWord.CLOSE_DRAIN, domain=self._domain_name)
                )
                is_end = True
            if is_end:
                self._is_closing = self._is_over = True
                self._outcome, self._reason = outcome, reason
            return is_end

    async def _prepare_next(self, end: AttemptEnd) -> None:
        """Choose where the next attempt begins, and wait until it may; patience may end here."""
        if self._stop is not None:
            return
        came_meanwhile = self._has_all(end)  # so said the store, or this would be the end
        self._empty_rounds = self._empty_rounds + 1 if came_meanwhile and not end.tried else 0
        if end.kind is AttemptKind.COMPLETE or self._way is DrainWay.MESSAGES:
            self._supply.begin_round()
        else:
            self._supply.lay_down()
        if self._empty_rounds > 1:
            end = replace(end, reason=_UNREADABLE)
        goes_on = came_meanwhile or end.kind is AttemptKind.CHANGED or _goes_on(end)
        if (self._empty_rounds > 1 or not goes_on) and not self._woken.is_set():
            await self._pause(end)
        if self._woken.is_set():
            self._woken.clear()
            self._patience.restart_pauses()
            self._supply.begin_round()

    async def _pause(self, end: AttemptEnd) -> None:
        now = self._clocks.monotonic()
        at = self._patience.next_attempt(end, now)
        if at is None:
            self._stop = DrainStopCause(
                f"the time for attempts is over; {end.reason}",
                stays_recorded=False,
                end=DrainEnd.GIVEN_UP,
            )
            self._reason = self._stop.reason
            return
        self._next_attempt_at = self._clocks.now() + at - now
        self._become(DrainState.WAITING_TO_RETRY)
        await self._clocks.wait(self._woken, at - now)
        self._next_attempt_at = None

    def _settlement_changed(self) -> None:
        if self._attempt is not None:
            self._attempt.settlement_changed()

    def _become(self, state: DrainState) -> None:
        if self._stop is None:
            self._state = state

    # The end

    async def _end(self) -> None:
        try:
            await self._settlement.finish()
        finally:
            if not self._is_over:
                await self._learn()
                await self._close()
            self._summary.tell_end(self._outcome, self._reason)
            self._settlement.end()

    async def _learn(self) -> None:
        learning = self._learning.learned(self._clocks.now()) if self._learning is not None else []
        if not learning:
            return
        try:
            await self._context.learn(self._lease.domain_id, learning)
        except StoreError as error:  # the next drain learns it again
            self._context.log.publish(
                StoreFailed(error=error, doing=WorkWord.LEARN, domain=self._domain_name)
            )

    async def _close(self) -> None:
        if self._settlement.is_lease_lost or (self._stop is not None and self._stop.stays_recorded):
            return
        try:
            await self._context.store.handover.close_drain(
                self._lease, self._summary.past(self._outcome, self._reason)
            )
        except StoreError as error:  # it is resumed at the next start, which does no harm
            self._context.log.publish(
                StoreFailed(error=error, doing=WorkWord.CLOSE_DRAIN, domain=self._domain_name)
            )


def _goes_on(end: AttemptEnd) -> bool:
    """Tell whether the next round may follow at once: the last one is complete, and no failure.

    It had tried everything in an earlier attempt; or the destination takes few recipients at a
    time, and the others go at once.
    """
    return end.kind is AttemptKind.COMPLETE and (not end.tried or end.moved_some)


def _supply(lease: Drain, context: DeliveryContext) -> MailSupply:
    return MailSupply(
        context.store.handover,
        context.store.content,
        lease.domain_id,
        context.dialer.hostname,
        lambda: context.settings.hops_limit,
        mark=drain_mark(lease.requested_at),
    )


def _settlement(
    lease: Drain, context: DeliveryContext, on_change: Callable[[], None]
) -> Settlement:
    return Settlement(
        context.store.handover,
        lease,
        context.clocks.wait,
        context.log,
        dsn_writer=context.dsn_writer,
        on_change=on_change,
        now=context.clocks.now,
    )


def _patience(lease: Drain, context: DeliveryContext) -> DrainPatience:
    """Return the patience that the drain has on record, within that of the settings."""
    clocks = context.clocks
    left = min(lease.deadline - clocks.now(), context.settings.patience)
    return DrainPatience(clocks.monotonic() + left, lambda: context.settings, clocks.jitter)
