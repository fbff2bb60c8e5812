"""The groups of the parts beside those of mail that a server always has."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from restante.acme.acme_renewal import AcmeRenewal
from restante.config.schema import Config
from restante.server.keeper_watch import KeeperWatch
from restante.server.late_admin import LateAdmin
from restante.server.listener_settings_maker import ListenerSettingsMaker
from restante.server.reload import Reloader
from restante.store.scrubber import Scrubber
from restante.telemetry.loop_lag import LoopLag
from restante.web.http_connections import HttpConnections
from restante.web.request_counts import RequestCounts


@dataclass(frozen=True, slots=True)
class HttpParts:
    """The parts that serve HTTP, and count what they serve."""

    listener_settings: ListenerSettingsMaker  # of SMTP listeners too
    control: HttpConnections
    metrics: HttpConnections
    web: HttpConnections
    acme: HttpConnections
    orders: AcmeRenewal  # of certificates: `acme` listeners answer for them
    counts: RequestCounts  # of the `web` listeners

    @property
    def connections(self) -> tuple[HttpConnections, ...]:
        """Return those of each service."""
        return self.control, self.metrics, self.web, self.acme


@dataclass(frozen=True, slots=True)
class UpkeepParts:
    """The parts that look after a server, and those of administration once they are needed."""

    prepare: Callable[[Config], Awaitable[None]]  # has the code loaded that it needs
    reloader: Reloader
    scrubber: Scrubber
    loop_lag: LoopLag
    http: HttpParts
    admin: LateAdmin
    keepers: KeeperWatch
