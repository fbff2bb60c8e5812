"""Delivery of our own messages, reports and notices, to one mail domain.

Hosts are tried in order until all messages have an outcome or no host is left. The first host that
accepts a connection is the last one tried: messages that it does not take wait. TLS is used where
it is offered, whatever the certificate. If the handshake fails, the report goes in clear, as mail
between strangers does (RFC 7435). Hosts that demand more by DANE or MTA-STS get it, or no mail
(hop_security.py).
"""

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

from restante.delivery.delivery_connection import DeliveryConnection
from restante.delivery.dialer import Dialer
from restante.delivery.link_plan import ConnectionEnd, ConnectionWork, EndKind, LinkPlan
from restante.delivery.reply_outcome import deferred_for
from restante.delivery.route import Endpoint, NoRoute, public_addresses
from restante.mail.message import ContentFile, HeldMessage
from restante.network.resolver import LookupFailed, MailExchangers
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome
from restante.reports.hop_security import DomainSecurity, HopDemand, HopSecurity, NoSafeHop
from restante.reports.mx_hosts import NoMailHost, mail_hosts
from restante.reports.report_settings import ReportSettings
from restante.smtp.handshake import ClientOptions
from restante.smtp.pipelining import Pipelining
from restante.tenancy.model import Destination, TlsUse


@dataclass(frozen=True, slots=True)
class MxAccess:
    """The way of our own messages to the public MX of a domain."""

    dialer: Dialer
    exchangers: MailExchangers
    security: HopSecurity
    settings: Callable[[], ReportSettings]  # those of the last reload


class MxDelivery:
    """One attempt. After `run`, `outcomes` has one for each message, by its number."""

    def __init__(
        self,
        domain: str,
        messages: Sequence[HeldMessage],
        access: MxAccess,
        *,
        is_operators: bool = False,
    ) -> None:
        """Each message has one forward-path, and all of its content in memory.

        Messages that are not the operator's go to hosts of the public Internet alone, unless the
        settings allow more.
        """
        settings = access.settings()
        self._domain = domain
        self._dialer = access.dialer
        self._exchangers = access.exchangers
        self._security = access.security
        self._port = settings.port
        self._private_addresses = settings.private_addresses or is_operators
        self._waiting = deque(messages)
        self._connection: DeliveryConnection | None = None
        self._reason = f"no host takes mail for {domain}"  # for messages that have no outcome yet
        self.outcomes: dict[int, RecipientOutcome] = {}

    async def run(self) -> None:
        """Send as much as possible. Raises only for defects of ours."""
        move = RecipientMove.DEFERRED
        try:
            answer = await self._exchangers.exchangers(self._domain)
            hosts = mail_hosts(self._domain, answer.records, self._dialer.hostname)
            security = await self._security.of_domain(self._domain, is_mx_secure=answer.is_secure)
            for host in hosts:
                if not self._waiting or await self._try_host(host, security):
                    break
                self._dialer.forget(host)  # it may have moved
        except NoMailHost as error:
            move, self._reason = RecipientMove.REFUSED, str(error)
        except LookupFailed as error:
            move, self._reason = (
                RecipientMove.DEFERRED if error.is_temporary else RecipientMove.REFUSED,
                str(error),
            )
        if self._waiting:
            self._dialer.forget(self._domain)  # its MX records, for the next attempt
        for message in self._waiting:
            self.outcomes[message.number] = RecipientOutcome(
                message.envelope.forward_paths[0], move, self._reason
            )

    async def _try_host(self, host: str, security: DomainSecurity) -> bool:
        """Try one host at each of its addresses; return whether one of them let us begin."""
        try:
            demand = await security.of_host(host)
            destination = Destination(host, self._port, demand.tls)
            addresses = await self._dialer.addresses(host)
            if not self._private_addresses:
                addresses = public_addresses(host, addresses)
            endpoints = self._dialer.endpoints_at(destination, addresses)
        except (LookupFailed, NoRoute, NoSafeHop) as error:
            self._reason = str(error)
            return False
        for endpoint in endpoints:
            end = await self._try_endpoint(endpoint, destination, demand)
            if end.kind is EndKind.TLS_FAILED and demand.may_go_in_clear:
                in_clear = replace(destination, tls=TlsUse.OFF)
                end = await self._try_endpoint(endpoint, in_clear, demand)
            if end.was_ready:
                return True
        return False

    async def _try_endpoint(
        self, endpoint: Endpoint, destination: Destination, demand: HopDemand
    ) -> ConnectionEnd:
        dialer = self._dialer
        tls = (
            dialer.dane_plan(demand.dane)
            if demand.dane is not None
            else await dialer.tls_plan(destination)
        )
        plan = LinkPlan(
            endpoint=endpoint,
            destination=destination.text,
            options=ClientOptions(dialer.hostname, destination.tls, pipelining=Pipelining.OPENING),
            tls=tls,
            settings=dialer.settings,
        )
        self._connection = DeliveryConnection(
            dialer.dial(destination, endpoint),
            plan,
            ConnectionWork(self._take, self._report, self._no_file),
        )
        end = await self._connection.run()
        if end.reason:
            by = f" ({demand.source} demands TLS)" if demand.source and not end.was_ready else ""
            self._reason = f"{destination.text}: {end.reason}{by}"
        for message in end.outstanding:
            self._report(message, deferred_for(message, self._reason), "")
        return end

    def _take(self) -> HeldMessage | None:
        if self._waiting:
            return self._waiting.popleft()
        assert self._connection is not None
        self._connection.finish()  # sends QUIT after the outstanding replies
        return None

    def _report(self, message: HeldMessage, outcome: MessageOutcome, reply: str) -> None:
        [recipient] = outcome.recipients
        self.outcomes[message.number] = recipient._replace(reply=recipient.reply or reply)

    def _no_file(self, file: ContentFile) -> AsyncIterator[bytes]:
        raise AssertionError(file)  # these have their content in memory
