"""A look at a destination: connect, hear its greeting, say EHLO and QUIT. No mail, no TLS, no password."""

from typing import Final

from restante.delivery.delivery_connection import DeliveryConnection
from restante.delivery.delivery_context import Equipment
from restante.delivery.dial_plan import addresses_of
from restante.delivery.link_plan import ConnectionEnd, Terms, Work
from restante.delivery.route import Endpoint, NoRoute, route
from restante.mail.message import HeldMessage
from restante.smtp.handshake import ClientOptions
from restante.smtp.pipelining import Pipelining
from restante.tenancy.model import Destination, TlsUse

# Seconds. A probe is not worth a delivery's patience; the next one comes.
_CONNECT_TIMEOUT: Final = 10.0
_REPLY_TIMEOUT: Final = 30.0


async def probe(destination: Destination, equipment: Equipment) -> str:
    """Return "" if transactions could begin at one of the destination's addresses, else why not."""
    try:
        addresses = await addresses_of(destination, equipment)
        endpoints = route(destination, addresses, equipment.hostname, equipment.own_addresses)
    except NoRoute as error:
        equipment.resolver.forget(destination.host)
        return str(error)
    reason = ""
    for endpoint in endpoints:
        reason = await _probe_endpoint(endpoint, destination, equipment)
        if not reason:
            break
    if reason:
        equipment.resolver.forget(destination.host)  # it may have moved
    return reason


async def _probe_endpoint(endpoint: Endpoint, destination: Destination, equipment: Equipment) -> str:
    end = await _look(endpoint, destination, equipment, uses_ehlo=equipment.caution.uses_ehlo(destination.text))
    if end.closed_at_ehlo:
        end = await _look(endpoint, destination, equipment, uses_ehlo=False)
        equipment.caution.learn(destination.text, end)
    return "" if end.was_ready else end.reason or str(end.kind)


async def _look(
    endpoint: Endpoint, destination: Destination, equipment: Equipment, *, uses_ehlo: bool
) -> ConnectionEnd:
    settings = equipment.settings
    terms = Terms(
        endpoint=endpoint,
        destination=destination.text,
        options=ClientOptions(equipment.hostname, TlsUse.OFF, pipelining=Pipelining.OFF, uses_ehlo=uses_ehlo),
        tls=None,
        settings=settings.model_copy(
            update={
                "connect_timeout": min(settings.connect_timeout, _CONNECT_TIMEOUT),
                "reply_timeout": min(settings.reply_timeout, _REPLY_TIMEOUT),
            }
        ),
        own_addresses=equipment.own_addresses,
    )

    def take() -> HeldMessage | None:
        """Leave as soon as mail is asked for: the destination has answered EHLO then."""
        connection.finish_soon()
        return None

    connection = DeliveryConnection(terms, Work(take, lambda *_: None, equipment.store.read_file))
    return await connection.run()
