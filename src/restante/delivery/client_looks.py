"""Looks in our own name, and the pace, while clients are silent or refused in a row.

A destination that is told the client can have something against the client, or against us. One
connection that names no client tells which:

    what clients met in a row                     the look in our own name
    --------------------------------------------  ----------------------------------------------
    no answer (silent_clients.py)                 the greeting
    refused before their mail                     as before a drain (destination_probe.py)
    mail refused or deferred at MAIL or RCPT      MAIL and RCPT (mail_look.py)

If we fare no better, the attempt ends. `ClientRow` counts (refused_clients.py).
"""

import asyncio
from collections.abc import Callable
from typing import Final

from restante.delivery.attempt_end import AttemptKind
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.destination_probe import probe
from restante.delivery.destination_rates import DestinationRates
from restante.delivery.dial_plan import DialPlan
from restante.delivery.greeting_probe import greeting_probe
from restante.delivery.mail_look import look_with_mail
from restante.delivery.refused_clients import CLIENTS_PER_SECOND, ClientRow
from restante.delivery.stop_rules import AttemptStop

SILENCES_LIMIT: Final = 10  # in a row: then we ask for the greeting ourselves


class ClientLooks:
    """The looks of one attempt."""

    def __init__(self, plan: DialPlan, context: DeliveryContext, row: ClientRow) -> None:
        self._plan = plan
        self._context = context
        self._row = row
        self.unanswered = 0  # silences in a row: of new silent clients, and ends of connections

    @property
    def is_due(self) -> bool:
        """Whether clients met so much in a row that we look."""
        return self.unanswered >= SILENCES_LIMIT or self._row.needs_look

    async def look(self) -> AttemptStop | None:
        """Make the looks that are due; return why the attempt must end, or None."""
        if self.unanswered >= SILENCES_LIMIT and (stop := await self._at_greeting()):
            return stop
        if self._row.needs_mail_look:
            return await self._with_mail()
        return await self._before_mail() if self._row.needs_look else None

    async def _at_greeting(self) -> AttemptStop | None:
        reason = await greeting_probe(self._plan.destination, self._context.dialer)
        self.unanswered = 0
        words = f"clients in a row got no answer, nor do we: {reason}"
        return AttemptStop(words, AttemptKind.STOPPED) if reason else None

    async def _before_mail(self) -> AttemptStop | None:
        reason = await probe(self._plan.destination, self._context)
        if reason and self._row.needs_look:  # no client could begin meanwhile
            words = f"clients in a row were refused, and so are we: {reason}"
            return AttemptStop(words, AttemptKind.STOPPED)
        self._row.looked()
        return None

    async def _with_mail(self) -> AttemptStop | None:
        stop = await look_with_mail(self._plan, self._row.mailbox, self._context)
        if stop is not None and self._row.needs_mail_look:  # nothing was delivered meanwhile
            words = f"mail of clients in a row was not taken, nor is ours: {stop.reason}"
            return AttemptStop(words, stop.kind if self._row.has_kept else AttemptKind.STOPPED)
        self._row.looked_with_mail()
        return None


def _wake_nobody() -> None:
    """Stand for an attempt that has ended."""


class ClientPace:
    """Connections that begin one after the other, while many clients are refused in a row."""

    def __init__(self, plan: DialPlan, rates: DestinationRates, go_on: Callable[[], None]) -> None:
        """`go_on` is called when the next one may begin."""
        self._destination, self._domain_id = plan.destination.text, plan.domain.id
        self._rates = rates
        self._go_on = go_on
        self._next: asyncio.TimerHandle | None = None

    def take(self) -> bool:
        """Count a connection that begins now; return False if it must begin later."""
        wait = self._rates.take(self._destination, self._domain_id, CLIENTS_PER_SECOND)
        if wait and self._next is None:
            self._next = asyncio.get_running_loop().call_later(wait, self._wake)
        return not wait

    def close(self) -> None:
        """Wake nobody any longer, and let go of the attempt: a cycle would have to be collected."""
        if self._next is not None:
            self._next.cancel()
        self._go_on = _wake_nobody

    def _wake(self) -> None:
        self._next = None
        self._go_on()
