"""A turnaround: held mail of several domains over one connection that a client made (RFC 2645).

Theory of operation. The session of our server side gives the wire away once its 250 has left. From
then on it is a delivery connection like any other: the client's greeting comes first, and nothing
is said before it. The parts (turnaround_part.py) hold one lease for each domain. The connection
takes their messages in turn, the domains one after another.

It differs from an attempt of a drain, because there is only one connection:

- No probe while mail waits: one that breaks the connection would cost the whole turnaround. So the
  probe for CHUNKING comes last, behind the last message and before QUIT. Its result is for the next
  turnaround of the login. That one sends messages ahead of replies if the client's server has the
  same name and offer. Without a result, only MAIL, RCPT and DATA go in one flight. A failure
  counts for a while, as at a destination (pipelining_backoff.py).
- No limit of messages for the connection but the client's own: LIMITS MAILMAX (RFC 9422). Exim
  answers 421 to the MAIL after it, so we say QUIT at it.
- Each line has its own TLS record. fetchmail waits on the socket, and reads one line each time; it
  never sees what else a record has.
- No retry, no second round and no patience. Outstanding messages are held at the end.

It ends when the mail of all domains was tried. It ends sooner after ten deferred messages in a row,
after a limit of the rate, and if the client refuses everything. So does an attempt. The next one
begins behind the place where it ended (turnaround_order.py).
"""

import asyncio
import math
import sys
from collections.abc import Callable
from functools import partial
from typing import Final

from restante.delivery.attempt_end import AttemptKind
from restante.delivery.connection_source import adopt
from restante.delivery.delivery_connection import DeliveryConnection
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.drain_experience import AttemptStart, GoodDrain
from restante.delivery.link_plan import (
    ConnectionEnd,
    ConnectionWork,
    EndKind,
    LinkPlan,
    SendingManner,
)
from restante.delivery.route import Endpoint
from restante.delivery.stop_rules import AttemptStop, StopRules
from restante.delivery.turnaround_order import TriedMail
from restante.delivery.turnaround_part import TurnaroundPart
from restante.mail.message import HeldMessage
from restante.mail.quantity import counted
from restante.network.wire import Wire
from restante.queue.broken_destination import BrokenDestinationDetector
from restante.queue.drain_word import DrainEnd
from restante.queue.recipient_status import MessageOutcome, RecipientMove
from restante.smtp.handshake import ClientOptions
from restante.smtp.pipelining import Pipelining
from restante.smtp.window_size import MOST_MESSAGES, WindowPace
from restante.store.store_errors import StoreError
from restante.telemetry.events import InternalError
from restante.tenancy.model import Directory, IpAddress, Login, TlsUse

UNSETTLED_MOST: Final = MOST_MESSAGES  # of all domains, in delivery or not recorded

_NO_GREETING: Final = "the client closed the connection before its greeting"
_ENDS: Final = {
    AttemptKind.COMPLETE: DrainEnd.FINISHED,
    AttemptKind.REFUSING: DrainEnd.REFUSED,
    AttemptKind.CHANGED: DrainEnd.STOPPED,
}


def turnaround_name(login: Login, address: IpAddress) -> str:
    """Return what stands for the destination, in logs and listings."""
    return f"turnaround {address} (login {login.user})"


class ClientTurnaround:
    """One connection of one login, from the grant to its end."""

    def __init__(
        self,
        login: Login,
        name: str,
        context: DeliveryContext,
        tasks: asyncio.TaskGroup,
        on_over: Callable[["ClientTurnaround"], None],
    ) -> None:
        """`on_over` is called once, when it has ended or was called off."""
        self.login = login
        self._name = name
        self._context = context
        self._tasks = tasks
        self._on_over = on_over
        self._parts: list[TurnaroundPart] = []
        self._by_domain: dict[int, TurnaroundPart] = {}
        self._first = 0  # of the parts: all mail of those before it was begun
        self._unsettled: list[TurnaroundPart] = []  # that have mail in delivery or not recorded
        experience = context.memory.experience
        takes_mail = experience.has_taken_mail(self._taker)
        self._refusals = BrokenDestinationDetector(takes_mail=takes_mail)
        self._rules = StopRules(self._refusals)
        self._woken = asyncio.Event()
        self._connection: DeliveryConnection | None = None  # from `begin` on
        self._stop: AttemptStop | None = None  # why no more is begun
        self._picture: Directory | None = None  # in which the login was last looked up
        self._delivered = 0
        self._looks = 0  # at parts, for mail that came meanwhile
        self._last_domain: int | None = None  # of the message that was last tried
        self._is_whole = False  # it has ended, and everything was tried
        self.over = asyncio.Event()

    def add(self, part: TurnaroundPart) -> None:
        """Deliver a domain's mail too."""
        self._parts.append(part)
        self._by_domain[part.lease.domain_id] = part

    @property
    def tried(self) -> TriedMail:
        """The mail that was tried so far."""
        messages = {part.lease.domain_id: part.last_tried for part in self._parts}
        return TriedMail(messages, self._last_domain, self._is_whole)

    # Called by the session (reception/turnaround.py)

    def begin(self, wire: Wire) -> None:
        """Take the wire, and deliver over it."""
        wire.send_line_by_line()
        start = self._context.memory.experience.beginning(self._taker, 1, is_paced=False)
        plan = LinkPlan(
            Endpoint(wire.peer, wire.peer_port),
            self._name,
            self._options(start),
            None,
            self._context.settings,
            WindowPace(start.proven),
            messages=sys.maxsize,
            peer="the client",
        )
        work = ConnectionWork(self._take, self._report, self._context.store.content.read_file)
        self._connection = DeliveryConnection(adopt(wire), plan, work)
        for part in self._parts:
            part.follow(partial(self._settlement_changed, part), partial(self._part_stopped, part))
        self._refusals.begin()
        self._tasks.create_task(self._run(self._connection, plan))

    def _options(self, start: AttemptStart) -> ClientOptions:
        context = self._context
        most = Pipelining.AHEAD if context.settings.run_ahead else Pipelining.OPENING
        return ClientOptions(
            context.dialer.hostname,
            TlsUse.OFF,
            pipelining=min(most, start.pipelining, context.memory.backoff.pipelining(self._taker)),
            probed=start.probed,
            tries_last=True,
        )

    def stop(self) -> None:
        """Begin no more messages, and end soon: the server stops."""
        self.end("the server is stopping", AttemptKind.CHANGED)

    def call_off(self, reason: str) -> None:
        """End it before it has begun. Nothing was sent."""
        self._stop = AttemptStop(reason, AttemptKind.CHANGED)
        self._close_parts(DrainEnd.STOPPED, reason)

    # Called by the next turnaround of the account

    @property
    def seconds_still(self) -> float:
        """For how long the client has neither sent a reply nor got anything from us."""
        seconds = 0.0 if self._connection is None else self._connection.seconds_still
        return seconds if math.isfinite(seconds) else 0.0  # it has not even begun

    def abort(self, reason: str) -> None:
        """Close the connection at once."""
        self.end(reason, AttemptKind.STOPPED)
        if self._connection is not None:
            self._connection.abort(reason)

    def end(self, reason: str, kind: AttemptKind = AttemptKind.STOPPED) -> None:
        """Begin no more messages; outstanding replies are awaited, and QUIT is sent."""
        if self._stop is None:
            self._stop = AttemptStop(reason, kind)
            self._woken.set()
            if self._connection is not None:
                self._connection.finish_soon(tries=kind is AttemptKind.COMPLETE)

    # The task

    async def _run(self, connection: DeliveryConnection, plan: LinkPlan) -> None:
        began = self._context.clocks.monotonic()
        feeding = asyncio.get_running_loop().create_task(self._feed_or_abort())
        reason = "internal error"
        outcome = DrainEnd.GIVEN_UP
        try:
            end = await connection.run()
            self._take_back(end)
            self._learn(plan, end)
            seconds = self._context.clocks.monotonic() - began
            for part in self._parts:
                part.connection_ended(plan, end, seconds)
            outcome, reason = self._verdict(connection, end)
        except Exception as error:  # noqa: BLE001  the boundary: it is no other connection's
            self._context.log.publish(InternalError(error=error))
        finally:
            feeding.cancel()
            self._close_parts(outcome, reason)

    def _verdict(self, connection: DeliveryConnection, end: ConnectionEnd) -> tuple[DrainEnd, str]:
        """Return how the parts ended, and why."""
        has_broken_in_trial = end.manner is SendingManner.PROBED
        if end.kind is not EndKind.QUIT and not has_broken_in_trial:
            has_greeted = bool(connection.reply_count)
            is_silent_end = end.was_closed and not has_greeted
            return DrainEnd.GIVEN_UP, _NO_GREETING if is_silent_end else end.reason
        if self._stop is not None:
            return _ENDS.get(self._stop.kind, DrainEnd.GIVEN_UP), self._stop.reason
        most = counted(connection.mail_limit, "message", "messages")
        return DrainEnd.GIVEN_UP, f"the client takes {most} on a connection, and more are held"

    def _learn(self, plan: LinkPlan, end: ConnectionEnd) -> None:
        """Remember for the next turnaround of the login how far mail may run ahead."""
        memory = self._context.memory
        memory.backoff.learn(self._taker, end)
        if end.not_borne is Pipelining.AHEAD:
            memory.experience.went_badly(self._taker)
        elif end.probed is not None:
            proven = plan.pace.proven if end.probed == plan.options.probed else 0
            memory.experience.went_well(self._taker, GoodDrain(1, end.probed, proven))

    def _close_parts(self, outcome: DrainEnd, reason: str) -> None:
        if self._stop is not None and self._stop.kind is AttemptKind.REFUSING:
            next(iter(self._parts)).tell_refusals(self._stop.reason)
        for part in self._parts:
            is_whole = outcome is DrainEnd.FINISHED and part.left_behind
            left = counted(part.left_behind, "message was", "messages were")
            if is_whole:
                part.close(DrainEnd.GIVEN_UP, f"every message was tried, {left} deferred")
            else:
                part.close(outcome, reason)
        self._connection = None
        self._is_whole = outcome is DrainEnd.FINISHED
        self.over.set()
        self._on_over(self)

    # Mail for the connection

    async def _feed_or_abort(self) -> None:
        """Feed the connection. A defect ends this turnaround alone."""
        try:
            await self._feed()
        except Exception as error:  # noqa: BLE001  the boundary, as in `_run`
            self._context.log.publish(InternalError(error=error))
            self.abort("internal error")

    async def _feed(self) -> None:
        """Keep the parts filled, until all was tried; then look again for mail that came."""
        while self._stop is None:
            part = self._present
            if part is not None and part.needs_mail:
                await self._read(part)
            elif part is None and not any(one.in_hand for one in self._parts):
                if not await self._read_again():
                    self.end("everything was tried", AttemptKind.COMPLETE)
            else:
                await self._woken.wait()
                self._woken.clear()

    @property
    def _present(self) -> TurnaroundPart | None:
        """The part whose mail is begun now; None once all mail was begun."""
        while self._first < len(self._parts):
            part = self._parts[self._first]
            if part.gives_mail and not part.has_tried_all:
                return part
            self._first += 1
        return None

    async def _read_again(self) -> bool:
        """Look for mail that came meanwhile, until some is found; return whether there is some.

        The next look begins with the next domain, so that a busy one keeps no other waiting.
        """
        self._first = 0
        for _ in self._parts:
            part = self._parts[self._looks % len(self._parts)]
            self._looks += 1
            if part.gives_mail and await self._read(part):
                return True
        return False

    async def _read(self, part: TurnaroundPart) -> bool:
        try:
            has_more = await part.read()
        except StoreError as error:
            self.end(f"held mail cannot be read: {error}")
            return False
        if has_more and self._connection is not None:
            self._connection.wake()
        return has_more

    def _take(self) -> HeldMessage | None:
        self._look_at_login()
        if self._stop is not None or self._is_full:
            return None
        while (part := self._present) is not None:
            message = part.take()
            if message is not None and part not in self._unsettled:
                self._unsettled.append(part)
            if part.needs_mail:
                self._woken.set()
            if message is not None or not part.is_read_to_its_end:
                return message
        self._woken.set()
        return None

    @property
    def _is_full(self) -> bool:
        """Whether no more may be begun before outcomes are settled: a crash can double them.

        A domain that was stopped keeps no other waiting.
        """
        self._unsettled = [one for one in self._unsettled if one.gives_mail and one.unsettled]
        return sum(part.unsettled for part in self._unsettled) >= UNSETTLED_MOST

    def _look_at_login(self) -> None:
        """End if the login was changed or has expired: no more mail goes to its holder."""
        now = self._context.directory.now
        if now is not self._picture:
            self._picture = now
            found = now.logins.get(self.login.user)
            if found is not None and not found.turnaround:
                self.end("the login has no right to a turnaround any more", AttemptKind.CHANGED)
            elif found != self.login:
                self.end("the login was changed or removed meanwhile", AttemptKind.CHANGED)
        if self.login.has_expired(self._context.clocks.now()):
            self.end("the time of the login is over", AttemptKind.CHANGED)

    # Outcomes

    def _report(self, message: HeldMessage, outcome: MessageOutcome, reply: str) -> None:
        if stop := self._rules.answered(outcome, self._context.settings.refusals_limit):
            self.end(*stop)
        part = self._tried(message)
        move = part.report(message, outcome, reply, self._remote)
        if move is RecipientMove.DELIVERED:
            self._delivered += 1
            self._rules.delivered()
            if self._delivered == 1:
                self._context.memory.experience.took_mail(self._taker)
        elif stop := self._rules.not_delivered(outcome):
            self.end(*stop)
        if self._stop is None:
            part.close_if_stopped()
        self._woken.set()

    def _take_back(self, end: ConnectionEnd) -> None:
        for message in end.outstanding:
            self._tried(message).take_back(message, end)

    def _tried(self, message: HeldMessage) -> TurnaroundPart:
        """Note that a message was tried; return its part."""
        self._last_domain = message.domain_id
        return self._by_domain[message.domain_id]

    def _settlement_changed(self, part: TurnaroundPart) -> None:
        if part.has_lost_lease:
            self.abort("another server has taken a domain over")
        elif part.failure:
            self.end(part.failure)
        elif self._connection is not None:
            self._connection.wake()
            self._woken.set()

    def _part_stopped(self, part: TurnaroundPart, reason: str, grace: float) -> None:
        """Go on with the other domains. Mail of this one in the connection gets the grace.

        A stop of the server stops each part, in their order. So the last one is asked first.
        """
        is_last = not any(one.gives_mail for one in reversed(self._parts))
        if is_last:
            self.end(reason, AttemptKind.CHANGED)
        elif self._stop is None:
            part.close_if_stopped()
        self._woken.set()
        loop = asyncio.get_running_loop()
        if is_last:
            loop.call_later(grace, self.abort, reason)
        elif part.in_hand:
            loop.call_later(grace, self._abort_for, part, reason)

    def _abort_for(self, part: TurnaroundPart, reason: str) -> None:
        if part.in_hand:
            self.abort(reason)

    @property
    def _remote(self) -> str:
        """The client's name in a report."""
        connection = self._connection
        return (connection.peer_name if connection is not None else "") or "unknown"

    @property
    def _taker(self) -> str:
        """The client, as the memory of destinations names it."""
        return f"login {self.login.user}"
