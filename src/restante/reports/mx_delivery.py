"""Delivery of our own messages, reports and notices, to one mail domain.

Hosts are tried in order until all messages have an outcome or no host is left. The first host that
accepts a connection is the last one tried: messages that it does not take wait. TLS is used where
it is offered, whatever the certificate. If the handshake fails, the report goes in clear, as mail
between strangers does (RFC 7435).
"""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from restante.delivery.connection_source import dial
from restante.delivery.delivery_connection import DeliveryConnection
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.link_plan import ConnectionEnd, ConnectionWork, EndKind, LinkPlan
from restante.delivery.reply_outcome import deferred_for
from restante.delivery.route import Endpoint, NoRoute, public_addresses, route
from restante.mail.message import ContentFile, HeldMessage
from restante.network.resolver import LookupFailed, MailExchangers
from restante.queue.recipient_status import Move, Outcome, RecipientOutcome
from restante.reports.mx_hosts import NoMailHost, mail_hosts
from restante.smtp.handshake import ClientOptions
from restante.smtp.pipelining import Pipelining
from restante.tenancy.model import Destination, TlsUse


class MxDelivery:
    """One attempt. After `run`, `outcomes` has one for each message, by its number."""

    def __init__(
        self,
        domain: str,
        messages: Sequence[HeldMessage],
        context: DeliveryContext,
        *,
        exchangers: MailExchangers,
        port: int,
        private_addresses: bool = False,
    ) -> None:
        """Each message has one forward-path, and all of its content in memory.

        Without `private_addresses` only hosts of the public Internet are connected to.
        """
        self._domain = domain
        self._context = context
        self._exchangers = exchangers
        self._port = port
        self._private_addresses = private_addresses
        self._waiting = deque(messages)
        self._connection: DeliveryConnection | None = None
        self._reason = f"no host takes mail for {domain}"  # for messages that have no outcome yet
        self.outcomes: dict[int, RecipientOutcome] = {}

    async def run(self) -> None:
        """Send as much as possible. Raises only for defects of ours."""
        move = Move.DEFERRED
        try:
            exchangers = await self._exchangers.exchangers(self._domain)
            for host in mail_hosts(self._domain, exchangers, self._context.hostname):
                if not self._waiting or await self._try_host(host):
                    break
                self._context.resolver.forget(host)  # it may have moved
        except NoMailHost as error:
            move, self._reason = Move.REFUSED, str(error)
        except LookupFailed as error:
            move, self._reason = Move.DEFERRED if error.is_temporary else Move.REFUSED, str(error)
        if self._waiting:
            self._context.resolver.forget(self._domain)  # its MX records, for the next attempt
        for message in self._waiting:
            self.outcomes[message.number] = RecipientOutcome(
                message.envelope.forward_paths[0], move, self._reason
            )

    async def _try_host(self, host: str) -> bool:
        """Try one host at each of its addresses; return whether one of them let us begin."""
        destination = Destination(host, self._port, TlsUse.OPPORTUNISTIC)
        try:
            addresses = await self._context.resolver.addresses(host)
            own = self._context.own_addresses
            if not self._private_addresses:
                addresses = public_addresses(host, addresses)
            endpoints = route(destination, addresses, self._context.hostname, own)
        except (LookupFailed, NoRoute) as error:
            self._reason = str(error)
            return False
        for endpoint in endpoints:
            end = await self._try_endpoint(endpoint, destination)
            if end.kind is EndKind.TLS_FAILED:
                end = await self._try_endpoint(endpoint, replace(destination, tls=TlsUse.OFF))
            if end.was_ready:
                return True
        return False

    async def _try_endpoint(self, endpoint: Endpoint, destination: Destination) -> ConnectionEnd:
        context = self._context
        terms = LinkPlan(
            endpoint=endpoint,
            destination=destination.text,
            options=ClientOptions(context.hostname, destination.tls, pipelining=Pipelining.OPENING),
            tls=await context.tls_plans.plan(destination),
            settings=context.settings,
        )
        self._connection = DeliveryConnection(
            dial(endpoint, context.settings.connect_timeout, context.own_addresses),
            terms,
            ConnectionWork(self._take, self._report, self._no_file),
        )
        end = await self._connection.run()
        self._reason = f"{destination.text}: {end.reason}" if end.reason else self._reason
        for message in end.outstanding:
            self._report(message, deferred_for(message, self._reason), "")
        return end

    def _take(self) -> HeldMessage | None:
        if self._waiting:
            return self._waiting.popleft()
        assert self._connection is not None
        self._connection.finish()  # sends QUIT after the outstanding replies
        return None

    def _report(self, message: HeldMessage, outcome: Outcome, reply: str) -> None:
        [recipient] = outcome.recipients
        self.outcomes[message.number] = recipient._replace(reply=recipient.reply or reply)

    def _no_file(self, file: ContentFile) -> AsyncIterator[bytes]:
        raise AssertionError(file)  # these have their content in memory
