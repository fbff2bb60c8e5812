"""One attempt of a drain: held mail over several connections, until all was tried or it stops.

Theory of operation. One coroutine (`_feed`) keeps the supply filled. Each connection is a task and
takes its messages by itself. The parts of an attempt, each with the rules of its subject:

    part                    subject
    ----------------------  -----------------------------------------------------------------------
    attempt_mail.py         messages, from the supply to the settlement
    attempt_outcomes.py     outcomes by the replies of the destination
    lost_mail.py            messages whose connection ended before that
    attempt_connections.py  the connections, and how each is made
    connection_opener.py    when another connection is opened, and for which client
    client_order.py         clients that are silent or refused, where the destination is told them
    client_outcomes.py      outcomes that are facts about the client
    attempt_end.py          the end: the first reason counts

The manners towards a primary that has just come back:

- It begins with one connection, and has more as messages get through.
- The attempt ends at the first sign of a rate limit (queue/deferral_cause.py), and when the number
  of `--per-minute` has left.
- A connection that took mail and was then closed is replaced at once: some servers close, or send
  421, after each message.
- A connection that ended over a message is replaced too: the message may be the cause, and must
  not keep others waiting. The destination has closed, complained, said what is no reply, or said
  nothing. That happens up to four times without a delivery, and up to ten times if the destination
  has taken mail before. The message goes behind the others. If the data was no reply to its
  content, that is counted. The third time it is set apart as uncertain.
- While every connection waits for a late reply, another is opened. None of these sends a message
  ahead of replies. A connection that waits takes no further message. If too many wait, the one that
  has waited longest is cut: after three minutes, the next after one. Its message is deferred.
  Content of a single message is given its time, and so is a destination that has sent late replies.
  A connection that is silent with other messages in its window is cut after the same time, also if
  no other mail waits.
- The first window at a destination is one message, the second is two (smtp/window_size.py). If the
  reply to the first is late, others go one at a time at once, also over further connections. If
  they are taken, the first is sent in that manner too, after half a minute. A silence behind the
  first chunk of the second costs five seconds. Both are remembered (pipelining_backoff.py).
- A connection that took none, and fails while others work, gives its messages back to them, once
  each. For a while no further connection is tried.
- The attempt ends when the last connection has failed, and when ten messages in a row were
  deferred.
- Where the destination is told the client, each connection is for the mail of one client, and ends
  when that has gone. Mail that it would not take from a client stays held, and that of others goes
  on.
- The drain ends when the destination refuses everything (queue/broken_destination.py). Such a
  destination is broken, and would refuse the whole queue. Messages already sent by then, a window
  for each connection, still get their outcome.

The end is gentle: nothing more is begun, outstanding replies are awaited, QUIT is sent. `abort` is
not.
"""

import asyncio
from typing import Final

from restante.delivery.attempt_connections import AttemptConnections, ClientWork
from restante.delivery.attempt_context import AttemptContext
from restante.delivery.attempt_end import AttemptEnd, AttemptKind, AttemptTally, concerns
from restante.delivery.attempt_mail import AttemptMail
from restante.delivery.attempt_outcomes import AttemptOutcomes
from restante.delivery.client_looks import ClientLooks
from restante.delivery.client_order import ClientOrder
from restante.delivery.client_outcomes import ClientOutcomes
from restante.delivery.connection_opener import ConnectionOpener
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.delivery_tally import DeliveryTally
from restante.delivery.dial_plan import DialPlan
from restante.delivery.drain_experience import AttemptStart, DrainExperience, GoodDrain
from restante.delivery.drain_log import DrainLog
from restante.delivery.lost_mail import LostMail
from restante.delivery.mail_supply import MailSupply
from restante.delivery.recipient_learning import RecipientLearning
from restante.delivery.refused_clients import ClientRow, PolicyRefusals
from restante.delivery.settlement import Settlement
from restante.delivery.stop_rules import StopRules
from restante.mail.message import HeldMessage
from restante.queue.broken_destination import BrokenDestinationDetector
from restante.queue.recipient_status import MessageOutcome
from restante.smtp.passed_client import PassedClient
from restante.smtp.pipelining import Pipelining
from restante.smtp.window_size import MOST_MESSAGES
from restante.tenancy.model import Directory

CLIENT_LOOK_SECONDS: Final = 1.0  # between two looks for clients without an answer
SILENCE_SECONDS: Final = 10.0  # between two looks for connections that wait for late replies
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
        self._plan = plan
        self._supply = supply
        self._settlement = settlement
        self._context = context
        self._tasks = asyncio.TaskGroup()
        self._is_grouped = supply.is_grouped  # by client; that changes between attempts only
        self._picture: Directory | None = None  # in which the record was last looked up
        self._beginning = _beginning(plan, context.memory.experience)
        self._tally = AttemptTally(is_limited=self._beginning.is_limited)
        attempt = AttemptContext(plan, supply, settlement, drain_log, self._tally, context)
        row, rules = ClientRow(), StopRules(refusals)
        self._mail = AttemptMail(attempt)
        of_clients = ClientOutcomes(attempt, self._mail, row, policy_refusals)
        self._outcomes = AttemptOutcomes(attempt, self._mail, rules, of_clients, learning)
        self._lost_mail = LostMail(attempt, self._mail, self._outcomes)
        self._connections = self._new_connections(drain_log)
        self._tally.on_stop.append(self._connections.end)
        self._opener = ConnectionOpener(
            attempt, self._beginning, self._connections, row, self._start
        )
        looks = ClientLooks(plan, context, row)
        self._clients = ClientOrder(
            attempt, self._mail, self._connections, self._opener, outcomes=of_clients, looks=looks
        )

    def _new_connections(self, drain_log: DrainLog) -> AttemptConnections:
        return AttemptConnections(
            self._plan,
            self._context,
            drain_log,
            self._beginning,
            take=self._take,
            is_dry=self._supply.is_dry,
            report=self._report,
            on_progress=self._look_at_progress,
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
                if self._is_grouped:
                    looks.append(self._look_at_clients())
                looking = [self._tasks.create_task(look) for look in looks]
                await self._feed()
                for look in looking:
                    look.cancel()
                self._connections.finish()
        finally:
            self._opener.leave()
            self._connections.leave()
        self._remember()
        return self._tally.end()

    def end(self, reason: str, kind: AttemptKind = AttemptKind.STOPPED) -> None:
        """Begin no more messages."""
        self._tally.stop(reason, kind)

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

    async def _feed(self) -> None:
        while not self._tally.is_ending:
            if not self._mail.is_read_due:
                await self._mail.wait()
            elif await self._mail.read_on():
                self._opener.open()
                self._connections.wake()

    async def _look_for_silence(self) -> None:
        """Open another connection while the others wait for late replies."""
        while True:
            await asyncio.sleep(SILENCE_SECONDS)
            self._connections.note_late_replies()
            self._connections.judge_first_windows(self._tally.delivered)
            if not self._opener.relieve() and not self._tally.is_ending:
                # mail that stands in a window can leave by no other
                self._connections.cut_longest_silent(windows_only=True)
            self._supply.look_again()
            self._mail.wake()

    async def _look_at_clients(self) -> None:
        """Let the mail of others pass clients that get no answer, or are refused."""
        while True:
            await asyncio.sleep(CLIENT_LOOK_SECONDS)
            if not self._tally.is_ending:
                await self._clients.look()

    def _remember(self) -> None:
        experience, destination = self._context.memory.experience, self._plan.destination.text
        if self._connections.has_failed:
            experience.went_badly(destination)
        elif self._tally.is_good and self._beginning.pipelining is Pipelining.AHEAD:
            experience.went_well(
                destination,
                GoodDrain(
                    self._opener.wanted,
                    self._connections.probed,
                    self._connections.proven_window,
                    self._connections.next_window,
                ),
            )

    # Called by the connections, for each message

    def _take(self, client: PassedClient | None) -> HeldMessage | None:
        if self._context.directory.now is not self._picture:
            self.look_at_record()  # no mail goes to a destination that was replaced
        is_full = self._mail.unsettled >= UNSETTLED_PER_CONNECTION * self._opener.most_now
        if self._tally.is_ending or is_full:
            return None
        if self._plan.per_minute is not None and self._is_paced_out(client, self._plan.per_minute):
            return None
        return self._mail.take(client)

    def _is_paced_out(self, client: PassedClient | None, per_minute: int) -> bool:
        """Count the next message of a client, if there is one; end if it may not leave yet."""
        if not self._supply.waiting_of(client):
            return False
        self._tally.wait = self._context.memory.rates.take(
            self._plan.destination.text, self._plan.domain.id, per_minute
        )
        if self._tally.wait:
            self.end(f"{per_minute} messages a minute may leave", AttemptKind.PACED)
        return self._tally.wait > 0

    def _report(
        self, tally: DeliveryTally, message: HeldMessage, outcome: MessageOutcome, reply: str
    ) -> None:
        client = self._supply.client_of(message) if self._is_grouped else None
        if self._outcomes.take(tally, message, outcome, reply, client):
            self._opener.delivered()

    def _look_at_progress(self) -> None:
        self._opener.look_at_progress()

    # Connections

    def _start(self, work: ClientWork) -> None:
        self._tasks.create_task(self._keep_connection(work))

    async def _keep_connection(self, work: ClientWork) -> None:
        """Make one connection, and handle its end."""
        client = work.client
        end = await self._connections.run_one(work)
        self._opener.ended(client)
        if end.was_ready:
            self._clients.was_let_in()
        is_deferred = self._clients.is_deferred(client, end)
        self._lost_mail.take_back(end, is_client_deferred=is_deferred)
        if not self._tally.is_ending:
            if client is not None and end.concerns_client:
                self._clients.go_on_without(client, end)
            elif client is not None and is_deferred:
                self._clients.go_on_behind(client, end)
            else:
                self._opener.replace(end)
            self._connections.wake()
        self._mail.wake()


def _beginning(plan: DialPlan, experience: DrainExperience) -> AttemptStart:
    destination, is_paced = plan.destination, plan.per_minute is not None
    return experience.beginning(destination.text, destination.connections, is_paced=is_paced)
