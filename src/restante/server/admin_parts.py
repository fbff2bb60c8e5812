"""The groups of the parts that show a server and let an operator act.

They are apart from the parts of mail, which a start needs first.
"""

from dataclasses import dataclass

from restante.acme.acme_renewal import AcmeRenewal
from restante.admin.admin_context import AdminContext
from restante.admin.change_keeper import ChangeKeeper
from restante.admin.drill_keeper import DrillKeeper
from restante.admin.event_feed import EventFeed
from restante.admin.portal_sessions import PortalSessions
from restante.admin.proof_keeper import ProofKeeper
from restante.admin.token_uses import TokenUses
from restante.server.late_web import LateWeb
from restante.server.listener_settings_maker import ListenerSettingsMaker
from restante.server.reload import Reloader
from restante.server.server_instruments import ServerInstruments
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
    late: LateWeb

    @property
    def connections(self) -> tuple[HttpConnections, ...]:
        """Return those of each service."""
        return self.control, self.metrics, self.web, self.acme


@dataclass(frozen=True, slots=True)
class RecordKeepers:
    """The parts that act on records by themselves, when their time comes."""

    changes: ChangeKeeper
    proofs: ProofKeeper
    drills: DrillKeeper


@dataclass(frozen=True, slots=True)
class AdminParts:
    """The parts that show the server and let an operator act."""

    context: AdminContext
    feed: EventFeed
    instruments: ServerInstruments
    reloader: Reloader
    scrubber: Scrubber
    loop_lag: LoopLag
    token_uses: TokenUses
    sessions: PortalSessions
    keepers: RecordKeepers
    http: HttpParts
