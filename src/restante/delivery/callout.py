"""Asking a destination about a mailbox before mail for it is taken: MAIL, RCPT, and no DATA.

This is a callout (call-forward). It happens only where the domain wants it, and only for unknown
mailboxes. An answer is awaited for a few seconds at most. A destination that is down is not asked
again for a minute, and never keeps mail from being taken.

    250                     it exists: remembered, as what a drain learns
    5xx with 5.1.1, 5.1.6   no such mailbox: remembered for an hour, in memory only, because the
                            destination may have lost its list for a moment
    anything else           nothing is known

The session is like a delivery (callout_session.py). It uses TLS and AUTH where the record says so,
and never clear text where the record demands TLS.
"""

import asyncio
from collections import Counter, OrderedDict
from typing import Final

from restante.delivery.callout_session import call_any
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.dial_plan import find_dial_plan
from restante.delivery.recipient_learning import says_no_mailbox
from restante.delivery.route import NoRoute
from restante.mail.address import Mailbox
from restante.network.tls import TlsFailed
from restante.shielded_task import shielded
from restante.smtp.client_transaction import is_safe_path
from restante.smtp.peer_replies import ServerReply
from restante.smtp.protocol_errors import PeerBroke
from restante.store.store_errors import StoreError
from restante.telemetry.events import InternalError, StoreFailed
from restante.telemetry.work_word import DefectPlace, WorkWord
from restante.tenancy.model import Destination, HostedDomain
from restante.tenancy.recipients import Recipient, RecipientSource

ANSWER_SECONDS: Final = 5.0  # a client waits for its reply to RCPT meanwhile
AWAY_SECONDS: Final = 60.0
NO_COUNTS_FOR: Final = 3600.0
AT_ONCE: Final = 4  # for one destination; further mailboxes are not asked about
_MOST_REMEMBERED: Final = 100_000

_DomainMailbox = tuple[int, str]  # a domain's id, a local part in lower case


class Callouts:
    """Asks, and remembers."""

    def __init__(self, context: DeliveryContext, tasks: asyncio.TaskGroup) -> None:
        """Conversations are tasks of `tasks`: the first client may leave before the answer."""
        self._context = context
        self._tasks = tasks
        self._nobody: OrderedDict[_DomainMailbox, float] = OrderedDict()  # since when
        self._away: dict[str, float] = {}  # destinations, and since when
        self._open: Counter[str] = Counter()  # by destination
        self._under_way: dict[_DomainMailbox, asyncio.Task[bool | None]] = {}

    async def ask(self, domain: HostedDomain, path: Mailbox) -> bool | None:
        """Return whether a mailbox exists; None if unknown now. No peer can make it raise."""
        key, forward_path = (domain.id, path.local_part.lower()), str(path)
        if self._context.clocks.monotonic() - self._nobody.get(key, float("-inf")) < NO_COUNTS_FOR:
            return False
        if key in self._under_way:
            return await shielded(self._under_way[key])
        if not self._may_ask(domain.destination, forward_path):
            return None
        self._open[domain.destination.text] += 1
        asked = self._under_way[key] = self._tasks.create_task(
            self._see_through(domain, key, forward_path)
        )
        return await shielded(asked)

    async def _see_through(
        self, domain: HostedDomain, key: _DomainMailbox, forward_path: str
    ) -> bool | None:
        """Ask; a defect costs only this answer."""
        try:
            return await self._ask(domain, key, forward_path)
        except Exception as error:  # noqa: BLE001
            self._context.log.publish(
                InternalError(error=error, doing=DefectPlace.CALLOUT, domain=domain.name)
            )
            return None
        finally:
            del self._under_way[key]
            self._open[domain.destination.text] -= 1

    def _may_ask(self, destination: Destination, forward_path: str) -> bool:
        is_away = (
            self._context.clocks.monotonic() - self._away.get(destination.text, float("-inf"))
            < AWAY_SECONDS
        )
        has_room = self._open[destination.text] < AT_ONCE
        is_possible = destination.is_reachable and has_room and not is_away
        return is_possible and is_safe_path(forward_path) and forward_path.isascii()

    async def _ask(
        self, domain: HostedDomain, key: _DomainMailbox, forward_path: str
    ) -> bool | None:
        destination = domain.destination.text
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                plan = await find_dial_plan(domain, self._context)
                reply = await call_any(plan, forward_path, self._context)
        except (NoRoute, OSError, PeerBroke, TlsFailed, TimeoutError, EOFError):
            self._away[destination] = self._context.clocks.monotonic()
            self._context.dialer.forget(domain.destination.host)
            return None
        self._away.pop(destination, None)
        return await self._learn(key, reply)

    async def _learn(self, key: _DomainMailbox, reply: ServerReply) -> bool | None:
        if reply.is_positive:
            at = self._context.clocks.now()
            try:
                await self._context.learn(
                    key[0], [Recipient(key[1], RecipientSource.CALL, is_there=True, at=at)]
                )
            except StoreError as error:
                self._context.log.publish(StoreFailed(error=error, doing=WorkWord.LEARN))
            return True
        if not says_no_mailbox(reply.status):
            return None
        self._nobody[key] = self._context.clocks.monotonic()
        while len(self._nobody) > _MOST_REMEMBERED:
            self._nobody.popitem(last=False)
        return False
