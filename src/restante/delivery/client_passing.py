"""The first octets of a connection to a destination, by its record.

A port that speaks the PROXY protocol takes no connection without its header. So every connection
to such a destination begins with one: drains, callouts, probes, and the look for a key.
"""

from restante.delivery.route import Endpoint
from restante.smtp.passed_client import PassedClient
from restante.smtp.proxy_header import proxy_header
from restante.tenancy.model import ClientPassing, Destination


def opening_octets(
    destination: Destination, endpoint: Endpoint, client: PassedClient | None
) -> bytes:
    """Return what is sent before anything else; b"" for a server that speaks first."""
    if destination.client_address is not ClientPassing.PROXY:
        return b""
    return proxy_header(client, endpoint.address, endpoint.port)
