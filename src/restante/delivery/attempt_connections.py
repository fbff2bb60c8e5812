"""The connections of one attempt: each tries the destination's addresses until one works."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from restante.delivery.connection_allowance import ConnectionAllowance
from restante.delivery.connection_ramp import connections_needed
from restante.delivery.delivery_connection import DeliveryConnection
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.delivery_tally import DeliveryTally
from restante.delivery.dial_plan import DialPlan
from restante.delivery.drain_experience import AttemptStart
from restante.delivery.drain_log import DrainLog
from restante.delivery.link_plan import OURS, ConnectionEnd, ConnectionWork, EndKind, LinkPlan
from restante.delivery.reply_timer import LATE_SECONDS
from restante.delivery.route import Endpoint
from restante.delivery.silent_clients import ClientWait
from restante.mail.message import HeldMessage
from restante.queue.recipient_status import MessageOutcome
from restante.smtp.chunking_probe import ChunkingProbeResult
from restante.smtp.passed_client import PassedClient
from restante.smtp.pipelining import Pipelining
from restante.smtp.window_size import WindowPace

FIRST_SILENT_SECONDS: Final = 180.0  # of silence, before a connection may be cut for the others
SILENT_SECONDS: Final = 60.0  # the same, once one was cut
TARDY_SECONDS: Final = 30.0  # where replies come after that, none is cut
_EXAMINED_OCTETS: Final = 100_000  # a second: a slow filter may need so long for content

_WORTH_PROBING: Final = 32  # messages of one client: a probe costs a round trip and two MAIL

OnOutcome = Callable[[DeliveryTally, HeldMessage, MessageOutcome, str], None]


def _no_message(_client: PassedClient | None) -> None:
    """Take none: the attempt is over."""


def _always_dry(_client: PassedClient | None) -> bool:
    """Nothing more comes: the attempt is over."""
    return True


def _nothing() -> None:
    """Do nothing."""


def _not_told(
    _tally: DeliveryTally, _message: HeldMessage, _outcome: MessageOutcome, _reply: str
) -> None:
    """Tell nobody: the attempt is over."""


@dataclass(frozen=True, slots=True)
class ClientWork:
    """The mail that a connection is made for."""

    client: PassedClient | None  # in whose name it goes; None: in our own
    waiting: int  # messages
    is_relief: bool = False  # others wait for late replies: one message is sent at a time


class AttemptConnections:
    """The connections that are open or being made, and their findings about the destination."""

    def __init__(
        self,
        plan: DialPlan,
        context: DeliveryContext,
        drain_log: DrainLog,
        beginning: AttemptStart,
        *,
        take: Callable[[PassedClient | None], HeldMessage | None],
        is_dry: Callable[[PassedClient | None], bool],
        report: OnOutcome,
        on_progress: Callable[[], None] = _nothing,
    ) -> None:
        """`take` returns the next message of a client, or None for now.

        `is_dry`: a connection for this client is of no more use. `report` gets the outcomes.
        `on_progress` is called when a connection has begun its last message, or settled a window.
        """
        self._is_dry = is_dry
        self._plan = plan
        self._context = context
        self._drain_log = drain_log
        self._beginning = beginning
        self._take = take
        self._report = report
        self._on_progress = on_progress
        self._endpoints = plan.endpoints
        uses_tls = context.memory.backoff.uses_tls(plan.destination.text)
        # TLS failed, in this attempt or by silence in an earlier one, and is not required
        self._is_plain = plan.may_do_without_tls and not uses_tls
        # in the order in which they began, so that a run can be repeated
        self._open: dict[DeliveryConnection, None] = {}
        self._allowance = ConnectionAllowance(context.settings.messages_per_connection)
        self._awaited_long: dict[DeliveryConnection, int] = {}  # how many replies had come then
        # how much was delivered when the first window of a connection was found silent
        self._first_windows: dict[DeliveryConnection, int] = {}
        self._has_cut = False  # a connection, for its silence
        self._replies_late = False  # a reply has come although it was awaited long
        self._ended: str | None = None  # why none may begin any more
        self._pace = WindowPace(beginning.proven, beginning.window)
        self.probed: ChunkingProbeResult | None = None
        self.has_failed = False  # one of them

    @property
    def replies_together(self) -> int:
        """How many messages got their replies together the last time."""
        return self._pace.together

    @property
    def proven_window(self) -> int:
        """The messages of the largest window that the destination has answered, 0 for none."""
        return self._pace.proven

    @property
    def next_window(self) -> int:
        """The messages of the next window."""
        return self._pace.messages

    @property
    def needed(self) -> int:
        """How many connections keep the destination busy, by the last large window; 0: unknown."""
        pace = self._pace
        if not pace.large_seconds:
            return 0
        return connections_needed(pace.quickest_seconds, pace.large_seconds)

    def shrink_windows(self) -> None:
        """Send less ahead: a lost connection's window is sent a second time."""
        self._pace.start_again()

    @property
    def leaving(self) -> int:
        """How many have begun their last message."""
        return sum(connection.is_leaving for connection in self._open)

    @property
    def ready(self) -> int:
        """How many are up."""
        ready = 0
        for connection in self._open:  # asked about each message
            ready += connection.is_ready
        return ready

    @property
    def all_wait(self) -> bool:
        """Whether there are some, and each waits for a reply that is late.

        Those that wait for an answer to their client do not count (silent_clients.py).
        """
        at_work = [one for one in self._open if not one.waits_for_client]
        return bool(at_work) and all(one.has_waited(LATE_SECONDS) for one in at_work)

    @property
    def waits_for_clients(self) -> list[ClientWait]:
        """The waits for an answer to a client."""
        return [
            ClientWait(one.client, one.seconds_still)
            for one in self._open
            if one.client is not None and one.waits_for_client
        ]

    def cut_waits_for_clients(self, which: Collection[int]) -> None:
        """Cut some of `waits_for_clients`, by their places there."""
        waiting = [one for one in self._open if one.client is not None and one.waits_for_client]
        for index in which:
            waiting[index].cut()

    def waiting_for(self, seconds: float) -> int:
        """Return how many wait for so long for a reply that is due."""
        return sum(one.has_waited(seconds) for one in self._open)

    @property
    def waiting_in_first_windows(self) -> int:
        """Return how many are silent in the first window that the destination has ever got."""
        return len(self._first_windows)

    @property
    def is_finding_out(self) -> bool:
        """Whether one of them finds out which windows the destination supports."""
        return self._pace.is_finding_out and any(one.runs_ahead for one in self._open)

    def wake(self) -> None:
        """Let them look for messages again."""
        for connection in self._open:
            connection.wake()

    def end(self, reason: str) -> None:
        """Try no further address."""
        self._ended = reason if self._ended is None else self._ended

    def finish(self) -> None:
        """Begin no more messages, wait for outstanding replies, and quit."""
        for connection in self._open:
            connection.finish()

    def abort(self, reason: str) -> None:
        """Close them all, whatever they wait for."""
        for connection in self._open:
            connection.abort(reason)

    def leave(self) -> None:
        """Drop the callbacks, whose owner refers to this object; no connection is left.

        Otherwise both stay in memory until the garbage collector finds the cycle.
        """
        self._take, self._report, self._is_dry = _no_message, _not_told, _always_dry
        self._on_progress = _nothing

    def cut_longest_silent(self, *, windows_only: bool = False) -> None:
        """Wait no longer for the reply that is due longest, where that is safe.

        Only if no reply has come late: this destination may need the time. `windows_only`: only if
        other messages wait in its window.
        """
        seconds = SILENT_SECONDS if self._has_cut else FIRST_SILENT_SECONDS
        silent = [
            one
            for one in self._open
            if one.may_be_cut
            and one.has_waited(seconds)
            and (one.holds_up_mail or not windows_only)
        ]
        if silent and not self._replies_late:
            self._has_cut = True
            max(silent, key=lambda one: one.seconds_still).cut()

    def note_late_replies(self) -> None:
        """Call it now and then: notice replies that come late."""
        self._replies_late |= any(
            count != one.reply_count for one, count in self._awaited_long.items()
        )
        self._awaited_long = {
            one: one.reply_count
            for one in self._open
            if one.has_waited(TARDY_SECONDS) and not one.waits_for_client
        }

    def judge_first_windows(self, delivered: int) -> None:
        """Call it now and then, with the number of delivered messages.

        A destination that is late in its first window gets no other. If it takes mail sent in
        another manner meanwhile, the window is given up: it is one message, so one copy at most.
        """
        self._first_windows = {
            one: self._first_windows.get(one, delivered)
            for one in self._open
            if one.waits_in_first_window
        }
        if self._first_windows:
            self._context.memory.backoff.doubt_windows(self._plan.destination.text)
        for one, before in list(self._first_windows.items()):
            seconds = TARDY_SECONDS + one.octets_out / _EXAMINED_OCTETS
            if delivered > before and one.has_waited(seconds):
                one.cut_first_window()

    async def run_one(self, work: ClientWork) -> ConnectionEnd:
        """Try the addresses in order until one lets us begin; those that did come first."""
        proven = [connection.endpoint for connection in self._open if connection.is_ready]
        most = Pipelining.OPENING if work.is_relief else self._most_for(work)
        for endpoint in dict.fromkeys([*proven, *self._endpoints]):
            end = await self._try_manners(endpoint, work.client, most)
            if end.was_ready:
                self._endpoints = tuple(dict.fromkeys([endpoint, *self._endpoints]))
            if end.was_ready or end.concerns_client or self._ended is not None:
                break
        return end

    def _most_for(self, work: ClientWork) -> Pipelining:
        """Return how far a connection may send ahead: the mail of a client is often too little."""
        is_probed = self._beginning.probed is not None or self.probed is not None
        if work.client is None or is_probed or work.waiting >= _WORTH_PROBING:
            return self._beginning.pipelining
        return min(Pipelining.ACROSS, self._beginning.pipelining)

    async def _try_manners(
        self, endpoint: Endpoint, client: PassedClient | None, most: Pipelining
    ) -> ConnectionEnd:
        """Try one address, and again in a simpler manner where the first one was not borne."""
        end = await self._try(endpoint, client, most)
        if end.kind is EndKind.TLS_FAILED and self._plan.may_do_without_tls and self._ended is None:
            self._is_plain, was_silent = True, end.was_silent
            end = await self._try(endpoint, client, most)
            if was_silent and end.was_ready:
                self._context.memory.backoff.leave_tls_off(self._plan.destination.text)
        if end.closed_at_ehlo and self._plan.options.may_use_helo and self._ended is None:
            end = await self._try(endpoint, client, most, uses_ehlo=False)
        if end.goes_on_gentler and not end.outstanding and self._ended is None:
            end = await self._try(endpoint, client, most)  # the back-off has learned
        return end

    async def _try(
        self,
        endpoint: Endpoint,
        client: PassedClient | None,
        most: Pipelining,
        *,
        uses_ehlo: bool = True,
    ) -> ConnectionEnd:
        tally, began = DeliveryTally(), self._context.clocks.monotonic()
        link_plan = self._link_plan(endpoint, client, most, uses_ehlo=uses_ehlo)
        # Emptied at the end of the connection: no reference cycle for the garbage collector.
        on_dry: list[Callable[[], None]] = []
        work = ConnectionWork(
            partial(self._take_or_finish, client, on_dry),
            partial(self._report, tally),
            self._context.store.content.read_file,
            self._note_progress,
        )
        source = self._context.dialer.dial(
            self._plan.destination, endpoint, link_plan.settings.connect_timeout, client=client
        )
        connection = DeliveryConnection(source, link_plan, work)
        on_dry.append(connection.finish_soon)
        self._open[connection] = None
        if self._ended is not None:
            connection.abort(self._ended)
        try:
            end = await connection.run()
        finally:
            self._open.pop(connection, None)
            on_dry.clear()
        self._context.memory.backoff.learn(link_plan.destination, end)
        self._drain_log.attempted(link_plan, end, tally, self._context.clocks.monotonic() - began)
        end = replace(end, delivered=tally.delivered, tried=tally.tried)
        self._allowance.learn(end)
        self.probed = end.probed or self.probed
        if end.has_lost_window:
            self._pace.start_again()
        self.has_failed |= not (
            end.kind in (*OURS, EndKind.ABORTED) or end.has_had_its_mail or end.concerns_client
        )
        return end

    def _note_progress(self) -> None:
        self._on_progress()  # not bound to the connection: `leave` replaces it

    def _link_plan(
        self, endpoint: Endpoint, client: PassedClient | None, most: Pipelining, *, uses_ehlo: bool
    ) -> LinkPlan:
        beginning = replace(
            self._beginning,
            pipelining=min(most, self._beginning.pipelining),
            probed=self._beginning.probed or self._known_probe(client),
        )
        return self._plan.link_plan(
            endpoint,
            self._context,
            self._pace,
            beginning,
            is_plain=self._is_plain,
            uses_ehlo=uses_ehlo,
            messages=self._allowance.messages,
            client=client,
        )

    def _known_probe(self, client: PassedClient | None) -> ChunkingProbeResult | None:
        """Return the result of another connection's probe, once several messages went by it."""
        if client is None and self._pace.is_trying:
            return None
        results = (connection.probed for connection in self._open if connection.is_ready)
        return next((one for one in results if one is not None), self.probed)

    def _take_or_finish(
        self, client: PassedClient | None, on_dry: Sequence[Callable[[], None]]
    ) -> HeldMessage | None:
        """Return the next message of a client; where none will come, have its connection end."""
        message = self._take(client)
        if message is None and self._is_dry(client):
            for finish_soon in on_dry:
                finish_soon()
        return message
