"""When an attempt opens another connection, and for which client.

- Slow start: one connection, and more as messages get through (connection_ramp.py), up to the
  destination's number. Over a distance, as many as are needed, at once, when a large window has
  shown how many that are. After a good last drain, as many as that had (drain_experience.py).
  No additional connection for fewer than a few messages.
- A connection that has begun its last message gets a successor, within the destination's number
  (connection_allowance.py). One that waits for an answer to a silent client gets one too.
- A connection that was lost is replaced at once, or the others do without it
  (connection_losses.py). The attempt ends when the last one has failed.
- While every connection waits for a late reply, another is opened, up to the destination's number.
  If so many have waited for a minute, they do no work. Then up to four can be open beyond that
  number. If all of these wait too, the one that has waited longest is cut.
- Where the destination is told the client, each connection is for the mail of one client
  (pending_mail.py). Few wait for silent clients (silent_clients.py). While many clients are refused
  in a row, connections begin one after the other (client_looks.py).
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

from restante.delivery.attempt_connections import AttemptConnections, ClientWork
from restante.delivery.attempt_context import AttemptContext
from restante.delivery.client_looks import ClientPace
from restante.delivery.connection_losses import ConnectionLosses
from restante.delivery.connection_ramp import ConnectionRamp
from restante.delivery.drain_experience import AttemptStart
from restante.delivery.link_plan import ConnectionEnd
from restante.delivery.refused_clients import ClientRow
from restante.delivery.silent_clients import share_of_silent
from restante.smtp.passed_client import PassedClient
from restante.smtp.window_size import FEWEST_MESSAGES

IDLE_SECONDS: Final = 60.0  # of waiting for a reply: the connection does no work
WAITING_BESIDE: Final = 4  # connections beyond the destination's number, while all wait


def _start_nothing(_work: ClientWork) -> None:
    """Stand for an attempt that has ended."""


class ConnectionOpener:
    """Made for each attempt. It counts the connections that are open or being made."""

    def __init__(
        self,
        attempt: AttemptContext,
        beginning: AttemptStart,
        connections: AttemptConnections,
        row: ClientRow,
        start: Callable[[ClientWork], None],
    ) -> None:
        """`start` makes a connection; `ended` is called when that has ended."""
        plan, memory = attempt.plan, attempt.delivery.memory
        self._experience, self._destination = memory.experience, plan.destination.text
        self._most = beginning.most
        self._supply = attempt.supply
        self._tally = attempt.tally
        self._connections = connections
        self._row = row
        self._start = start
        self._ramp = ConnectionRamp(beginning.most, beginning.first, beginning.at_once)
        self._losses = ConnectionLosses(
            partial(self._experience.has_taken_mail, self._destination),
        )
        self._pace = ClientPace(plan, memory.refused_pace, self.open)
        self._served: Counter[PassedClient | None] = Counter()  # connections of each client
        self._running = 0  # connections, open or being made
        self._loop = asyncio.get_running_loop()

    @property
    def wanted(self) -> int:
        """How many the attempt wants."""
        return self._ramp.wanted

    @property
    def most_now(self) -> int:
        """How many there are, or are wanted if these are more."""
        return max(self._ramp.wanted, self._running)

    @property
    def silent_share(self) -> int:
        """How many connections may wait for silent clients."""
        return share_of_silent(self._most, others_wait=self._supply.others_wait)

    @property
    def passes_one_over(self) -> bool:
        """Whether mail waits of a client that has no connection."""
        return self._supply.has_unserved(self._served)

    def open(self) -> None:
        """Open as many as are wanted now."""
        while (
            self._is_wanting
            and not self._tally.is_ending
            and self._is_worth_another
            and self._is_in_time()
        ):
            self._begin()

    def delivered(self) -> None:
        """Count a delivered message, which may be reason enough for more connections."""
        self._losses.delivered()
        if self._ramp.is_settled or self._connections.is_finding_out:
            return
        is_grouped = self._supply.is_grouped  # then connections come and go all the time
        count = self._running if is_grouped else self._connections.ready
        if self._ramp.deliver(count, self._loop.time(), self._connections.replies_together):
            self.open()

    def look_at_progress(self) -> None:
        """Open the connections that a large window has shown to be needed, and successors."""
        if needed := self._connections.needed:
            self._ramp.need(needed)
        self.open()

    def add_for_silent_client(self) -> None:
        """Want one more: a connection waits for the answer to a client."""
        self._ramp.widen()

    def relieve(self) -> bool:
        """Open one beside those that wait, or end one if there are too many.

        Return False if some connection works, or no mail waits.
        """
        if not self._needs_relief:
            return False
        if self._running >= self._most + WAITING_BESIDE or self._losses.are_too_many:
            self._connections.cut_longest_silent()
        elif self._running < self._ramp.wanted or self._ramp.widen() or self._do_no_work:
            self._begin(is_relief=True)
        return True

    def ended(self, client: PassedClient | None) -> None:
        """Count a connection that has ended."""
        self._running -= 1
        self._served[client] -= 1
        if not self._served[client]:
            del self._served[client]

    def replace(self, end: ConnectionEnd) -> None:
        """Replace a connection that has ended, or do without; end the attempt if it was the last.

        Call it once the messages of the connection are given back.
        """
        if self._losses.is_replaced(end):
            self.open()
            if self._needs_relief:
                self._begin(is_relief=True)
        elif self._running:
            self._ramp.lose(self._running)
            self._connections.shrink_windows()
            self._experience.was_crowded(self._destination, self._running)
        else:
            self._tally.stop(end.reason)

    def leave(self) -> None:
        """Drop the callbacks, whose owner refers to this object; no connection is left."""
        self._pace.close()
        self._start = _start_nothing

    def _begin(self, *, is_relief: bool = False) -> None:
        self._running += 1
        client = self._supply.next_client(self._served)
        self._served[client] += 1
        self._start(ClientWork(client, self._supply.waiting_of(client), is_relief))

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
        return staying < self._ramp.wanted and self._running < max(self._most, self._ramp.wanted)

    @property
    def _is_worth_another(self) -> bool:
        """Whether enough mail waits: a connection costs several turns before its first message."""
        if self._supply.is_grouped:
            return self._supply.is_worth_another(self._served) and (
                self._supply.others_wait or self._silent_served < self.silent_share
            )
        on_their_way = self._running - self._connections.ready
        return self._supply.waiting >= (
            FEWEST_MESSAGES * (on_their_way + 1) if self._running else 1
        )

    @property
    def _silent_served(self) -> int:
        """How many connections are for silent clients."""
        is_silent = self._supply.is_silent
        return sum(count for client, count in self._served.items() if is_silent(client))

    @property
    def _needs_relief(self) -> bool:
        """Whether every connection waits for a late reply, and mail does, of no silent client."""
        is_ending = self._tally.is_ending
        return self._supply.others_wait and not is_ending and self._connections.all_wait

    @property
    def _do_no_work(self) -> bool:
        """Whether so many connections wait that they do not count."""
        connections = self._connections
        idle = max(connections.waiting_for(IDLE_SECONDS), connections.waiting_in_first_windows)
        return idle >= self._most
