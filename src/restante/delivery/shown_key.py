"""The key that a destination shows now, for an operator who pins it. No mail, no password.

The session is: connect, STARTTLS, QUIT. The first look is trusted, as with SSH: the server that
answers for the name at this moment is pinned. The operator compares the key with the primary's own.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from restante.delivery.callout_session import CalloutSession
from restante.delivery.client_passing import opening_octets
from restante.delivery.connection_source import dial
from restante.delivery.route import Endpoint, NoRoute, recorded_address, route
from restante.delivery.tls_plan import TlsPlan
from restante.delivery.wire_reader import WireReader
from restante.network.resolver import LookupFailed, Resolver
from restante.network.tls import TlsFailed
from restante.network.tls_context import unverified_client_context
from restante.phrases import cause_of
from restante.smtp.handshake import ClientOptions, Handshake
from restante.smtp.pipelining import Pipelining
from restante.smtp.protocol_errors import PeerBroke
from restante.tenancy.model import Destination, TlsUse

SECONDS: Final = 30.0  # for all addresses together: the operator waits for it


class NoKey(Exception):  # noqa: N818
    """The destination shows no key now. The text says why."""


async def shown_key(
    destination: Destination,
    resolver: Resolver,
    hostname: str,
    own_addresses: Sequence[tuple[str, int]],
) -> str:
    """Return the hex SHA-256 of the key at the first address that shows one. Raises NoKey."""
    try:
        async with asyncio.timeout(SECONDS):
            literal = recorded_address(destination)
            resolver.forget(destination.host)
            addresses = (literal,) if literal else await resolver.addresses(destination.host)
            return await _first(
                route(destination, addresses, hostname, own_addresses),
                destination,
                hostname,
                own_addresses,
            )
    except TimeoutError:
        raise NoKey("no answer in time") from None
    except (LookupFailed, NoRoute) as error:
        raise NoKey(str(error)) from None


async def _first(
    endpoints: Sequence[Endpoint],
    destination: Destination,
    hostname: str,
    own_addresses: Sequence[tuple[str, int]],
) -> str:
    why = "no address"
    for endpoint in endpoints:
        try:
            return await _look(endpoint, destination, hostname, own_addresses)
        except OSError as error:
            why = cause_of(error)
        except (PeerBroke, TlsFailed, EOFError) as error:
            why = str(error)
    raise NoKey(why)


async def _look(
    endpoint: Endpoint,
    destination: Destination,
    hostname: str,
    own_addresses: Sequence[tuple[str, int]],
) -> str:
    reader = WireReader()
    opening = opening_octets(destination, endpoint, None)
    await reader.open(dial(endpoint, SECONDS, own_addresses, opening=opening))
    try:
        handshake = Handshake(ClientOptions(hostname, TlsUse.REQUIRED, pipelining=Pipelining.OFF))
        await CalloutSession(reader).begin(
            handshake, TlsPlan(unverified_client_context(), destination.host)
        )
        reader.send(b"QUIT\r\n")
        return reader.peer_key
    finally:
        reader.close()
