"""The first octets of connections, by the record of the destination."""

import ipaddress

from restante.delivery.client_passing import opening_octets
from restante.delivery.route import Endpoint
from restante.smtp.passed_client import PassedClient
from restante.smtp.proxy_header import LOCAL_HEADER, proxy_header
from restante.tenancy.model import ClientPassing, Destination

ENDPOINT = Endpoint(ipaddress.ip_address("203.0.113.1"), 2526)
CLIENT = PassedClient(ipaddress.ip_address("198.51.100.7"), "h")


def test_only_the_proxy_protocol_has_a_header_and_always() -> None:
    def octets(passing: ClientPassing, client: PassedClient | None) -> bytes:
        destination = Destination("mail.example", 2526, client_address=passing)
        return opening_octets(destination, ENDPOINT, client)

    assert octets(ClientPassing.PROXY, None) == LOCAL_HEADER
    assert octets(ClientPassing.PROXY, CLIENT) == proxy_header(CLIENT, ENDPOINT.address, 2526)
    for passing in (ClientPassing.NONE, ClientPassing.XCLIENT):
        assert octets(passing, CLIENT) == octets(passing, None) == b""
