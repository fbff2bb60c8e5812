"""Connects this server to the mail hosts of others: looks up, chooses endpoints, and dials.

Drains, callouts, probes, reports and notices by mail all leave through it. It never dials an
address of this server itself.
"""

from collections.abc import Callable, Sequence

from restante.delivery.client_passing import opening_octets
from restante.delivery.connection_source import ConnectionSource, dial
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.route import Endpoint, NoRoute, recorded_address, route
from restante.delivery.tls_plan import TlsPlan, TlsPlans
from restante.network.resolver import LookupFailed, Resolver
from restante.network.tlsa import DaneCheck
from restante.smtp.passed_client import PassedClient
from restante.tenancy.model import Destination, IpAddress


class Dialer:
    """The one of this process."""

    def __init__(
        self,
        resolver: Resolver,
        hostname: str,
        own_addresses: Sequence[tuple[str, int]],
        settings: Callable[[], DeliverySettings],
    ) -> None:
        """`settings` returns those of the last reload; `own_addresses` are of our listeners."""
        self._resolver = resolver
        self._own_addresses = own_addresses
        self._settings = settings
        self._tls_plans = TlsPlans()
        self.hostname = hostname  # our own, for EHLO

    @property
    def settings(self) -> DeliverySettings:
        """The operator's settings now; running attempts keep those they began with."""
        return self._settings()

    async def endpoints(self, destination: Destination) -> tuple[Endpoint, ...]:
        """Look up a destination's endpoints. Raises NoRoute if there is none."""
        if not destination.is_reachable:
            return self.endpoints_at(destination, ())
        literal = recorded_address(destination)
        if literal is not None:
            return self.endpoints_at(destination, (literal,))
        try:
            addresses = await self._resolver.addresses(destination.host)
        except LookupFailed as error:
            raise NoRoute(str(error)) from error
        return self.endpoints_at(destination, addresses)

    def endpoints_at(
        self, destination: Destination, addresses: Sequence[IpAddress]
    ) -> tuple[Endpoint, ...]:
        """Return a destination's endpoints at these addresses. Raises NoRoute."""
        return route(destination, addresses, self.hostname, self._own_addresses)

    async def addresses(self, host: str) -> tuple[IpAddress, ...]:
        """Return the addresses of a host. Raises LookupFailed."""
        return await self._resolver.addresses(host)

    def forget(self, name: str) -> None:
        """Look a name up again the next time: it may have moved."""
        self._resolver.forget(name)

    async def tls_plan(self, destination: Destination) -> TlsPlan | None:
        """Return how the hop is encrypted, None for `off`. Raises OSError for a bad CA file."""
        return await self._tls_plans.plan(destination)

    def dane_plan(self, check: DaneCheck) -> TlsPlan:
        """Return how the hop to a host with TLSA records is encrypted."""
        return self._tls_plans.dane_plan(check)

    def dial(
        self,
        destination: Destination,
        endpoint: Endpoint,
        seconds: float | None = None,
        *,
        client: PassedClient | None = None,
    ) -> ConnectionSource:
        """Return a connection to be made, within the time that the settings allow, or less.

        `client`: in whose name it is; None for our own.
        """
        timeout = self.settings.connect_timeout if seconds is None else seconds
        opening = opening_octets(destination, endpoint, client)
        return dial(endpoint, timeout, self._own_addresses, opening=opening)
