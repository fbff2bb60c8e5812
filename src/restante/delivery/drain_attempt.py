"""One attempt of a drain: held mail over several connections, until all was tried or it stops.

Theory of operation. One coroutine (`_feed`) keeps the supply filled. Each connection is a task and
takes its messages by itself. The manners towards a primary that has just come back:

- Slow start: one connection, and more as messages get through (connection_ramp.py), up to the
  destination's number. Over a distance, as many as are needed, at once, when a large window has
  shown how many that are. After a good last drain, as many as that had (drain_experience.py).
  No additional connection for fewer than a few messages.
- A connection that has begun its last message gets a successor, within the destination's number
  (connection_allowance.py).
- The attempt ends at the first sign of a rate limit (queue/deferral_cause.py), and when the number
  of `--per-minute` has left.
- A connection that took mail and was then closed is replaced at once: some servers close, or send
  421, after each message.
- A connection that ended over a message is replaced too: the message may be the cause, and must
  not keep others waiting. The destination has closed, complained, said what is no reply, or said
  nothing. That happens up to four times without a delivery, and up to ten times if the destination
  has taken mail before. The message goes behind the others. If the data was no reply to its
  content, that is counted. The third time it is set apart as uncertain.
- While every connection waits for a late reply, another is opened, up to the destination's number.
  If so many have waited for a minute, they do no work. Then up to four can be open beyond that
  number. None of these sends a message ahead of replies. A connection that waits takes no further
  message. If all of these wait too, the one that has waited longest is cut: after three minutes,
  the next after one. Its message is deferred. Content of a single message is given its time, and
  so is a destination that has sent late replies. A connection that is silent with other messages in
  its window is cut after the same time, also if no other mail waits.
- The first window at a destination is one message, the second is two (smtp/window_size.py). If the
  reply to the first is late, others go one at a time at once, also over further connections. If
  they are taken, the first is sent in that manner too, after half a minute. A silence behind the
  first chunk of the second costs five seconds. Both are remembered (pipelining_backoff.py).
- A connection that took none, and fails while others work, gives its messages back to them, once
  each. For a while no further connection is tried.
- The attempt ends when the last connection has failed, and when ten messages in a row were
  deferred.
- Where the destination is told the client, each connection is for the mail of one client
  (pending_mail.py), and ends when that has gone. A client that is refused before its mail is
  deferred, and so is one whose mail is too much. The mail of others goes on. After ten refused
  clients in a row we look whether the destination refuses us too: then the attempt ends. Otherwise
  it goes on slowly (refused_clients.py).
- Mail that a policy refuses (5.7.x) concerns its client too, but few such refusals stand while
  nothing is delivered. From then on such mail stays held, and we look whether our own would be
  taken (mail_look.py). We look likewise after ten clients in a row whose mail was deferred at MAIL
  or RCPT, for no policy.
- A client that gets no answer for some seconds is silent for the rest of the drain. Its mail comes
  behind that of others. Few connections wait for such clients (silent_clients.py). After ten
  silences in a row we ask for the greeting in our own name. If we get none, the attempt ends.
- The drain ends when the destination refuses everything (queue/broken_destination.py). Such a
  destination is broken, and would refuse the whole queue. Messages already sent by then, a window
  for each connection, still get their outcome.

The end is gentle: nothing more is begun, outstanding replies are awaited, QUIT is sent. `abort` is
not.
"""

import asyncio
from collections import Counter
from functools import partial
from typing import Final

from restante.delivery.attempt_connections import AttemptConnections, ClientWork
from restante.delivery.attempt_end import AttemptEnd, AttemptKind, AttemptTally, concerns
from restante.delivery.client_looks import ClientLooks, ClientPace
from restante.delivery.connection_losses import ConnectionLosses
from restante.delivery.connection_ramp import ConnectionRamp
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.delivery_tally import DeliveryTally
from restante.delivery.dial_plan import DialPlan
from restante.delivery.drain_experience import AttemptStart, DrainExperience, GoodDrain
from restante.delivery.drain_log import DrainLog
from restante.delivery.link_plan import ConnectionEnd, EndKind
from restante.delivery.mail_supply import MailSupply
from restante.delivery.recipient_learning import RecipientLearning
from restante.delivery.refused_clients import (
    ROW_PAUSE,
    ClientRow,
    PolicyRefusals,
)
from restante.delivery.reply_outcome import deferred_for, uncertain_for
from restante.delivery.settlement import Settlement
from restante.delivery.silent_clients import CLIENT_SECONDS, share_of_silent
from restante.delivery.stop_rules import (
    AttemptStop,
    StopRules,
    is_deferred_at_envelope,
    limit_told,
    policy_told,
    refused_by_policy,
)
from restante.mail.message import HeldMessage
from restante.mail.policy_deferrals import PolicyDeferrals
from restante.mail.quantity import counted
from restante.queue.broken_destination import BrokenDestinationDetector
from restante.queue.deferral_cause import takes_few_at_once
from restante.queue.deferred_by_policy import counted_outcome, counted_refusal_of_client
from restante.queue.recipient_status import MessageOutcome, RecipientMove
from restante.queue.reporting import in_keeping, report_facts_of
from restante.smtp.passed_client import PassedClient
from restante.smtp.pipelining import Pipelining
from restante.smtp.window_size import FEWEST_MESSAGES, MOST_MESSAGES
from restante.store.store_errors import StoreError
from restante.tenancy.model import Directory
from restante.tenancy.policy import OnRefusal

CLIENT_LOOK_SECONDS: Final = 1.0  # between two looks for clients without an answer
SILENT_REASON: Final = "connections in the name of its client, or its network, get no answer"
REFUSED_REASON: Final = "connections in the name of its client, or its network, were refused"
SILENCE_SECONDS: Final = 10.0  # between two looks for connections that wait for late replies
IDLE_SECONDS: Final = 60.0  # of waiting for a reply: the connection does no work
WAITING_BESIDE: Final = 4  # connections beyond the destination's number, while all wait
UNSETTLED_PER_CONNECTION: Final = (
    MOST_MESSAGES  # in delivery, or delivered and not recorded: a crash can double them
)


class DrainAttempt:
    """Made for each attempt."""

    def __init__(
        self,
        plan: DialPlan,
        supply: MailSupply,
        settlement: Settlement,
        drain_log: DrainLog,
        context: DeliveryContext,
        *,
        refusals: BrokenDestinationDetector,
        policy_refusals: PolicyRefusals,
        learning: RecipientLearning | None = None,
    ) -> None:
        """`refusals` and `policy_refusals` are those of the drain.

        `learning` keeps the destination's answers about mailboxes; None to ignore them.
        """
        self._learning = learning
        self._plan = plan
        self._supply = supply
        self._settlement = settlement
        self._drain_log = drain_log
        self._context = context
        self._is_refused_bounced = plan.domain.policy.on_refusal is OnRefusal.BOUNCE
        self._tasks = asyncio.TaskGroup()
        self._running = 0  # tasks: one for each connection, open or being made
        self._beginning = _beginning(plan, context.memory.experience)
        self._ramp = ConnectionRamp(
            self._beginning.most, self._beginning.first, self._beginning.at_once
        )
        self._served: Counter[PassedClient | None] = Counter()  # connections of each client
        self._connections = self._new_connections()
        self._rules = StopRules(refusals)
        self._policy_refusals = policy_refusals
        self._tally = AttemptTally(is_limited=self._beginning.is_limited)
        self._losses = ConnectionLosses(
            partial(context.memory.experience.has_taken_mail, plan.destination.text)
        )
        self._loop = asyncio.get_running_loop()
        self._in_hand = 0  # messages taken by connections, and without an outcome
        self._picture: Directory | None = None  # in which the record was last looked up
        self._woken = asyncio.Event()
        self._is_ending = False
        self._row = ClientRow()
        self._looks = ClientLooks(plan, context, self._row)
        self._pace = ClientPace(plan, context.memory.refused_pace, self._open_connections)

    def _new_connections(self) -> AttemptConnections:
        return AttemptConnections(
            self._plan,
            self._context,
            self._drain_log,
            self._beginning,
            take=self._take,
            is_dry=self._supply.is_dry,
            report=self._report,
            on_progress=self._consider_more,
        )

    @property
    def connection_count(self) -> int:
        """How many connections are up."""
        return self._connections.ready

    async def run(self) -> AttemptEnd:
        """Deliver as much as possible. Raises only for defects of ours."""
        try:
            async with self._tasks:
                looks = [self._look_for_silence()]
                if self._supply.is_grouped:
                    looks.append(self._look_at_clients())
                looking = [self._tasks.create_task(look) for look in looks]
                await self._feed()
                for look in looking:
                    look.cancel()
                self._connections.finish()
        finally:
            self._pace.close()
            self._connections.leave()
        self._remember()
        return self._tally.end()

    async def _look_for_silence(self) -> None:
        """Open another connection while the others wait for late replies."""
        while True:
            await asyncio.sleep(SILENCE_SECONDS)
            self._connections.note_late_replies()
            self._connections.judge_first_windows(self._tally.delivered)
            if self._needs_relief:
                self._relieve()
            elif not self._is_ending:  # mail that stands in a window can leave by no other
                self._connections.cut_longest_silent(windows_only=True)
            self._supply.look_again()
            self._woken.set()

    @property
    def _needs_relief(self) -> bool:
        """Whether every connection waits for a late reply, and mail does, of no silent client."""
        return self._supply.others_wait and not self._is_ending and self._connections.all_wait

    async def _look_at_clients(self) -> None:
        """Let the mail of others pass clients that get no answer, or are refused."""
        while True:
            await asyncio.sleep(CLIENT_LOOK_SECONDS)
            if self._is_ending:
                continue
            self._make_way()
            if self._looks.is_due:
                if stop := await self._looks.look():
                    self.end(*stop)
                self._open_connections()

    def _make_way(self) -> None:
        """Put silent clients behind the others, and give their connections to these."""
        waits = self._connections.waits_for_clients
        for client, seconds in waits:
            if seconds > CLIENT_SECONDS and not self._supply.is_silent(client):
                self._supply.found_silent(client, seconds)
                self._ramp.widen()
                self._looks.unanswered += 1
        self._defer_surplus()
        if self._supply.has_unserved(self._served):
            ending = self._supply.overdue(waits, self._share)
            for index in ending:
                self._supply.found_silent(*waits[index])
            self._connections.cut_waits_for_clients(ending)
        self._open_connections()

    @property
    def _share(self) -> int:
        """How many connections may wait for silent clients."""
        return share_of_silent(self._beginning.most, others_wait=self._supply.others_wait)

    def _defer_surplus(self) -> None:
        """Defer mail of silent and refused clients beyond a limit: the next round tries again."""
        while (message := self._supply.take_surplus()) is not None:
            is_silent = self._supply.is_silent(self._supply.client_of(message))
            self._defer_unsent(message, SILENT_REASON if is_silent else REFUSED_REASON)

    def _relieve(self) -> None:
        """Open one beside those that wait, or end one if there are too many."""
        most = self._beginning.most
        if self._running >= most + WAITING_BESIDE or self._losses.are_too_many:
            self._connections.cut_longest_silent()
        elif self._running < self._ramp.wanted or self._ramp.widen() or self._do_no_work(most):
            self._begin_connection(is_relief=True)

    def _do_no_work(self, most: int) -> bool:
        """Return whether so many connections wait that they do not count."""
        connections = self._connections
        idle = max(connections.waiting_for(IDLE_SECONDS), connections.waiting_in_first_windows)
        return idle >= most

    def _remember(self) -> None:
        experience, destination = self._context.memory.experience, self._plan.destination.text
        if self._connections.has_failed:
            experience.went_badly(destination)
        elif self._tally.is_good and self._beginning.pipelining is Pipelining.AHEAD:
            experience.went_well(
                destination,
                GoodDrain(
                    self._ramp.wanted,
                    self._connections.probed,
                    self._connections.proven_window,
                    self._connections.next_window,
                ),
            )

    def end(self, reason: str, kind: AttemptKind = AttemptKind.STOPPED) -> None:
        """Begin no more messages."""
        if not self._is_ending:
            self._is_ending = True
            self._tally.kind, self._tally.reason = kind, reason
            self._connections.end(reason)
            self._woken.set()

    def abort(self, reason: str) -> None:
        """Close every connection, whatever it waits for."""
        self.end(reason)
        self._connections.abort(reason)

    def settlement_changed(self) -> None:
        """Continue when there is room for outcomes again; stop when the store has failed."""
        if self._settlement.is_lease_lost:
            self.abort(self._settlement.failure)
        elif self._settlement.failure:
            self.end(self._settlement.failure)
        else:
            self._connections.wake()

    def look_at_record(self) -> str | None:
        """End if a change of the domain's record concerns this; return the reason, or None."""
        self._picture = self._context.directory.now
        before, now = self._plan.domain, self._picture.domains.get(self._plan.domain.name)
        if now is not None and concerns(now) == concerns(before):
            return None
        is_elsewhere = now is None or (now.id, now.destination) != (before.id, before.destination)
        reason = "the destination was changed" if is_elsewhere else "the domain was changed"
        self.end(reason, AttemptKind.CHANGED)
        return reason

    # Mail for the connections

    async def _feed(self) -> None:
        while not self._is_ending:
            if self._supply.is_low or self._has_tried_all:
                await self._read_on()
            else:
                await self._woken.wait()
                self._woken.clear()

    @property
    def _has_tried_all(self) -> bool:
        return self._supply.is_exhausted and self._supply.is_empty and not self._in_hand

    async def _read_on(self) -> None:
        """Read more mail; when all of it has been tried, mail that came meanwhile."""
        was_all = self._has_tried_all
        try:
            has_more = await self._supply.read()
        except StoreError as error:
            self.end(f"held mail cannot be read: {error}")
            return
        self._defer_unreachable()
        self._defer_surplus()
        if has_more:
            self._open_connections()
            self._connections.wake()
        elif was_all and self._has_tried_all:
            left = counted(self._supply.left_behind, "message was", "messages were")
            self.end(f"every message was tried, {left} deferred", AttemptKind.COMPLETE)

    def _defer_unreachable(self) -> None:
        """Defer messages whose content the store cannot reach: the next round tries them again."""
        for message, reason in self._supply.take_unreachable():
            self._defer_unsent(message, f"its content cannot be read now: {reason}")

    def _defer_unsent(
        self, message: HeldMessage, reason: str, *, is_client_refused: bool = False
    ) -> None:
        """Defer a message that no connection has taken, until the next round."""
        outcome = deferred_for(message, reason)
        if is_client_refused:
            outcome = counted_refusal_of_client(outcome, *self._deferrals_of(message))
        self._in_hand += 1
        self._record(message, outcome, "")
        self._supply.left_behind += 1

    def _take(self, client: PassedClient | None) -> HeldMessage | None:
        if self._context.directory.now is not self._picture:
            self.look_at_record()  # no mail goes to a destination that was replaced
        if self._is_ending or self._is_full or self._is_paced_out(client):
            return None
        message = self._supply.take(client)
        if message is not None:
            self._in_hand += 1
        if client is not None and self._supply.is_silent(client):  # it has an answer now
            self._supply.found_answered(client)
        if self._supply.is_low:
            self._woken.set()
        return message

    def _is_paced_out(self, client: PassedClient | None) -> bool:
        """Count the next message of a client, if there is one; end if it may not leave yet."""
        per_minute = self._plan.per_minute
        if per_minute is None or not self._supply.waiting_of(client):
            return False
        self._tally.wait = self._context.memory.rates.take(
            self._plan.destination.text, self._plan.domain.id, per_minute
        )
        if self._tally.wait:
            self.end(f"{per_minute} messages a minute may leave", AttemptKind.PACED)
        return self._tally.wait > 0

    @property
    def _is_full(self) -> bool:
        return self._settlement.unsettled + self._in_hand >= UNSETTLED_PER_CONNECTION * max(
            self._ramp.wanted, self._running
        )

    # Outcomes

    def _report(
        self, tally: DeliveryTally, message: HeldMessage, outcome: MessageOutcome, reply: str
    ) -> None:
        client = self._supply.client_of(message)
        self._count_refusal(outcome, client)  # by the reply, whatever our policy makes of it
        if self._learning is not None:
            self._learning.take(outcome)
        if client is not None and self._is_kept(outcome, client):
            tally.count(self._keep_refused(message, outcome, client))
            return
        if (
            self._is_refused_bounced or message.envelope.dsn is not None
        ):  # otherwise there is no report, which is the usual case
            outcome = self._tell(message, outcome, reply)
        kept = self._counted(message, outcome)
        move = self._record(message, kept, reply)
        tally.count(move)
        if move is RecipientMove.DELIVERED:
            self._tally.delivered += 1
            self._losses.delivered()
            if self._tally.delivered == 1:
                self._context.memory.experience.took_mail(self._plan.destination.text)
            self._rules.delivered()
            self._policy_refusals.delivered()
            self._row.delivered()
            if not self._ramp.is_settled:
                self._climb()
        else:
            self._count_left(kept)
            self._consider_stopping(outcome, client)

    def _is_kept(self, outcome: MessageOutcome, client: PassedClient) -> bool:
        """Count a refusal by policy; return whether the mail stays held: too many were refused."""
        if not refused_by_policy(outcome):
            return False
        limit = self._context.settings.refusals_limit
        if not self._policy_refusals.stands(client, limit):
            return True
        self._end_for_now(self._row.deferred(client, outcome.recipients[-1].reply))
        return False

    def _keep_refused(
        self, message: HeldMessage, outcome: MessageOutcome, client: PassedClient
    ) -> RecipientMove:
        """Leave a refused message held, behind the mail of others, and the rest of its client's."""
        last, is_known = outcome.recipients[-1], self._row.takes_our_mail
        kept = outcome._replace(
            recipients=tuple(
                one._replace(move=RecipientMove.DEFERRED) for one in outcome.recipients
            )
        )
        if is_known:
            kept = counted_refusal_of_client(kept, *self._deferrals_of(message))
        move = self._record(message, kept, "")
        self._count_left(kept)
        self._defer_client(client, last.reply, is_client_refused=is_known)
        self._supply.found_refused(client)
        self._end_for_now(self._row.kept(client, last.forward_path, last.reply))
        return move

    def _counted(self, message: HeldMessage, outcome: MessageOutcome) -> MessageOutcome:
        """Return what is settled of an outcome: the drain counts if a policy put the mail off."""
        if outcome.is_delivered:
            return outcome
        return counted_outcome(outcome, *self._deferrals_of(message))

    def _deferrals_of(self, message: HeldMessage) -> tuple[PolicyDeferrals, int, int | None]:
        """Return the count of drains before this one, the mark of this one, and the limit."""
        return message.deferrals, self._supply.mark, self._plan.domain.policy.after_drains

    def _climb(self) -> None:
        """Open more connections where a delivered message is reason enough."""
        if self._connections.is_finding_out:
            return
        is_grouped = self._supply.is_grouped  # then connections come and go all the time
        count = self._running if is_grouped else self.connection_count
        if self._ramp.deliver(count, self._loop.time(), self._connections.replies_together):
            self._open_connections()

    def _consider_more(self) -> None:
        """Open the connections that a large window has shown to be needed, and successors."""
        if needed := self._connections.needed:
            self._ramp.need(needed)
        self._open_connections()

    def _tell(self, message: HeldMessage, outcome: MessageOutcome, reply: str) -> MessageOutcome:
        """Add the report that is due, and return the outcome by the domain's policy."""
        outcome = in_keeping(outcome, message.envelope, is_refused_bounced=self._is_refused_bounced)
        has_details = self._context.directory.has_report_details(self._plan.domain)
        for facts in report_facts_of(
            outcome, message.envelope, reply, self._plan.remote, has_details=has_details
        ):
            self._settlement.tell(message, facts)
        return outcome

    def _record(self, message: HeldMessage, outcome: MessageOutcome, reply: str) -> RecipientMove:
        self._settlement.add(outcome)
        self._in_hand -= 1
        self._tally.tried += 1
        if not self._in_hand:
            self._woken.set()
        return self._drain_log.record(message, outcome, reply)

    def _count_refusal(self, outcome: MessageOutcome, client: PassedClient | None = None) -> None:
        limit = self._context.settings.refusals_limit
        if stop := self._rules.answered(outcome, limit, client):
            self.end(*stop)

    def _count_left(self, outcome: MessageOutcome) -> None:
        moves = [recipient.move for recipient in outcome.recipients]
        self._supply.left_behind += RecipientMove.DEFERRED in moves

    def _consider_stopping(
        self, outcome: MessageOutcome, client: PassedClient | None = None
    ) -> None:
        self._tally.moved_some |= takes_few_at_once(outcome)
        if client is not None and (reason := limit_told(outcome)):
            self._defer_client(client, reason)
        if client is not None and (reason := policy_told(outcome)):
            self._end_for_now(self._row.deferred(client, reason))
        elif client is not None and is_deferred_at_envelope(outcome):
            last = outcome.recipients[-1]
            self._end_for_now(self._row.deferred_at_envelope(client, last.forward_path, last.reply))
        if stop := self._rules.not_delivered(outcome, client):
            if stop.kind is AttemptKind.LIMITED:
                self._tally.is_limited = True
                self._context.memory.experience.met_limit(self._plan.destination.text)
            self.end(*stop)

    def _defer_client(
        self, client: PassedClient, reason: str, *, is_client_refused: bool = False
    ) -> None:
        """Leave a client's mail held that has been read."""
        while (message := self._supply.take(client)) is not None:
            self._defer_unsent(message, reason, is_client_refused=is_client_refused)

    # Connections

    def _open_connections(self) -> None:
        while (
            self._is_wanting
            and not self._is_ending
            and self._is_worth_another
            and self._is_in_time()
        ):
            self._begin_connection()

    def _is_in_time(self) -> bool:
        """Count a connection that begins now, or have it begin later: many were refused."""
        return not self._row.is_long or (not self._row.needs_look and self._pace.take())

    @property
    def _is_wanting(self) -> bool:
        """Whether one more may be made.

        One that has begun its last message gets a successor, and one that waits for an answer to a
        silent client too.
        """
        is_silent = self._supply.is_silent
        waits = sum(is_silent(client) for client, _ in self._connections.waits_for_clients)
        staying = self._running - self._connections.leaving - waits
        return staying < self._ramp.wanted and (
            self._running < max(self._beginning.most, self._ramp.wanted)
        )

    def _begin_connection(self, *, is_relief: bool = False) -> None:
        self._running += 1
        client = self._supply.next_client(self._served)
        self._served[client] += 1
        work = ClientWork(client, self._supply.waiting_of(client))
        self._tasks.create_task(self._keep_connection(work, is_relief=is_relief))

    @property
    def _is_worth_another(self) -> bool:
        """Whether enough mail waits: a connection costs several turns before its first message."""
        if self._supply.is_grouped:
            return self._supply.is_worth_another(self._served) and (
                self._supply.others_wait or self._silent_served < self._share
            )
        on_their_way = self._running - self.connection_count
        return self._supply.waiting >= (
            FEWEST_MESSAGES * (on_their_way + 1) if self._running else 1
        )

    @property
    def _silent_served(self) -> int:
        """How many connections are for silent clients."""
        is_silent = self._supply.is_silent
        return sum(count for client, count in self._served.items() if is_silent(client))

    async def _keep_connection(self, work: ClientWork, *, is_relief: bool) -> None:
        """Make one connection, and handle its end."""
        end = await self._connections.run_one(work, is_relief=is_relief)
        self._running -= 1
        self._served[work.client] -= 1
        if not self._served[work.client]:
            del self._served[work.client]
        if end.was_ready:
            self._looks.unanswered = 0
            self._row.let_in()
        is_deferred = self._is_client_deferred(work.client, end)
        for message in reversed(end.outstanding):  # each goes to the front
            if is_deferred:
                self._record(message, deferred_for(message, end.reason), "")
                self._supply.left_behind += 1
            elif message is end.in_doubt:
                self._take_back_in_doubt(message, end)
            else:
                self._take_back(message, end)
        if not self._is_ending:
            if work.client is not None and end.concerns_client:
                self._go_on_without(work.client, end)
            elif work.client is not None and is_deferred:
                self._go_on_behind(work.client, end)
            else:
                self._make_do_without(end)
        self._woken.set()

    def _go_on_without(self, client: PassedClient, end: ConnectionEnd) -> None:
        """Defer a client that the destination refuses before its mail; others go on.

        A refusal and silence are facts about the client, until the destination treats us alike.
        """
        is_refused = end.kind is EndKind.REFUSED and self._row.is_about_clients
        self._defer_client(client, end.reason, is_client_refused=is_refused)
        if end.was_silent:
            self._looks.unanswered += 1
            self._supply.found_silent(client)
        else:
            self._supply.found_refused(client)
            self._end_for_now(self._row.refused(end.reason))
        self._open_connections()
        self._connections.wake()

    def _is_client_deferred(self, client: PassedClient | None, end: ConnectionEnd) -> bool:
        """Return whether a client is deferred whose connection was cut: the mail of others waits.

        Pipelining may be the reason: then the next connection goes on without. Or the destination
        ends a connection that has had its mail.
        """
        is_cut = end.was_cut_at_envelope and end.in_doubt is None and not end.delivered
        if client is None or not is_cut or end.not_borne is not None:
            return False
        return self._supply.waiting > self._supply.waiting_of(client)

    def _go_on_behind(self, client: PassedClient, end: ConnectionEnd) -> None:
        """Put a client behind the others whose connection was cut at MAIL or RCPT."""
        self._defer_client(client, end.reason)
        self._supply.found_refused(client)
        if end.suspect is not None:
            mailbox = end.suspect.envelope.forward_paths[0]
            self._end_for_now(self._row.deferred_at_envelope(client, mailbox, end.reason))
        self._open_connections()
        self._connections.wake()

    def _end_for_now(self, stop: AttemptStop | None) -> None:
        """End after too many clients in a row; the next attempt begins behind them."""
        if stop is not None:
            self._tally.wait = ROW_PAUSE
            self.end(*stop)

    def _take_back(self, message: HeldMessage, end: ConnectionEnd) -> None:
        """Defer a message whose connection was lost: the destination's result is unknown.

        It goes by another connection. One that may be the cause goes in the next round, if others
        wait. If this connection had taken mail, the loss is normal and is not recorded.
        """
        is_readable = end.kind is not EndKind.UNREADABLE
        if is_readable and end.came_after_mail and self._supply.give_back(message, took_mail=True):
            self._in_hand -= 1
            return
        outcome = deferred_for(message, end.reason)
        self._record(message, outcome, "")
        if not is_readable:
            self._count_left(outcome)
            self._consider_stopping(outcome)
        elif self._is_suspect(message, end) or not self._supply.give_back(message):
            self._supply.left_behind += 1

    def _is_suspect(self, message: HeldMessage, end: ConnectionEnd) -> bool:
        """Return whether a message may have broken the connection, and keeps others waiting."""
        is_suspect = message is end.suspect and end.was_over_a_message
        return end.came_after_mail or (is_suspect and self._supply.waiting > 0)

    def _take_back_in_doubt(self, message: HeldMessage, end: ConnectionEnd) -> None:
        """Handle a message that was sent whole but got no readable reply.

        It goes behind the others, but first where the connection took mail and was then closed.
        """
        may_be_the_line = not end.garbled and end.was_closed and not message.doubts
        if may_be_the_line and self._supply.give_back(message, behind=not end.came_after_mail):
            self._record(message, deferred_for(message, end.reason), "")
            return
        is_counted = (
            end.garbled or self._drain_log.totals.delivered
        )  # otherwise it takes nothing at all
        outcome = (
            uncertain_for(message, end.garbled or end.reason)
            if is_counted
            else deferred_for(message, end.reason)
        )
        self._count_refusal(outcome)
        self._record(message, outcome, "")
        self._count_left(outcome)
        self._consider_stopping(outcome)

    def _make_do_without(self, end: ConnectionEnd) -> None:
        if self._losses.is_replaced(end):
            self._open_connections()
            if self._needs_relief:
                self._begin_connection(is_relief=True)
        elif self._running:
            self._ramp.lose(self._running)
            self._connections.shrink_windows()
            self._context.memory.experience.was_crowded(self._plan.destination.text, self._running)
        else:
            self.end(end.reason)
        self._connections.wake()


def _beginning(plan: DialPlan, experience: DrainExperience) -> AttemptStart:
    destination, is_paced = plan.destination, plan.per_minute is not None
    return experience.beginning(destination.text, destination.connections, is_paced=is_paced)
