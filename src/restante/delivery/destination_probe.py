"""A probe of a destination: connect, read its greeting, send EHLO and QUIT. No mail, no TLS."""

from typing import Final

from restante.delivery.delivery_connection import DeliveryConnection
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.link_plan import ConnectionEnd, ConnectionWork, LinkPlan
from restante.delivery.route import Endpoint, NoRoute
from restante.mail.message import HeldMessage
from restante.smtp.handshake import ClientOptions
from restante.smtp.pipelining import Pipelining
from restante.tenancy.model import Destination, TlsUse

# Seconds. A probe is not worth a delivery's patience; another follows.
_CONNECT_TIMEOUT: Final = 10.0
_REPLY_TIMEOUT: Final = 30.0


async def probe(destination: Destination, context: DeliveryContext) -> str:
    """Return "" if transactions could begin at one of the addresses, otherwise the reason."""
    try:
        endpoints = await context.dialer.endpoints(destination)
    except NoRoute as error:
        context.dialer.forget(destination.host)
        return str(error)
    reason = ""
    for endpoint in endpoints:
        reason = await _probe_endpoint(endpoint, destination, context)
        if not reason:
            break
    if reason:
        context.dialer.forget(destination.host)  # it may have moved
    return reason


async def _probe_endpoint(
    endpoint: Endpoint, destination: Destination, context: DeliveryContext
) -> str:
    end = await _look(
        endpoint, destination, context, uses_ehlo=context.memory.backoff.uses_ehlo(destination.text)
    )
    if end.closed_at_ehlo:
        end = await _look(endpoint, destination, context, uses_ehlo=False)
        context.memory.backoff.learn(destination.text, end)
    return "" if end.was_ready else end.reason or str(end.kind)


async def _look(
    endpoint: Endpoint, destination: Destination, context: DeliveryContext, *, uses_ehlo: bool
) -> ConnectionEnd:
    settings = context.settings
    link_plan = LinkPlan(
        endpoint=endpoint,
        destination=destination.text,
        options=ClientOptions(
            context.dialer.hostname, TlsUse.OFF, pipelining=Pipelining.OFF, uses_ehlo=uses_ehlo
        ),
        tls=None,
        settings=settings.model_copy(
            update={
                "connect_timeout": min(settings.connect_timeout, _CONNECT_TIMEOUT),
                "reply_timeout": min(settings.reply_timeout, _REPLY_TIMEOUT),
            }
        ),
    )

    def take() -> HeldMessage | None:
        """End the connection when mail is wanted: the destination has then answered EHLO."""
        connection.finish_soon()
        return None

    connection = DeliveryConnection(
        context.dialer.dial(destination, endpoint, link_plan.settings.connect_timeout),
        link_plan,
        ConnectionWork(take, lambda *_: None, context.store.content.read_file),
    )
    return await connection.run()
