"""The groups of a server's parts, and the ground on which they are built.

Plain wiring: nothing here runs or decides. A later part subscribes to an earlier one (`on_end`,
`on_stored`, `on_change`), so that no attribute is assigned afterwards.
"""

import time
from dataclasses import dataclass

from restante.acme.acme_renewal import AcmeRenewal
from restante.admin.admin_context import AdminContext
from restante.admin.change_keeper import ChangeKeeper
from restante.admin.event_feed import EventFeed
from restante.admin.portal_sessions import PortalSessions
from restante.admin.proof_keeper import ProofKeeper
from restante.admin.token_uses import TokenUses
from restante.background.clocks import Clocks
from restante.delivery.dispatcher import Dispatcher
from restante.delivery.watcher import Watcher
from restante.network.resolver import DnsResolver
from restante.notices.notice_service import NoticeService
from restante.notices.transports import Transports
from restante.reception.auth_gate import AuthGate
from restante.reception.disk_space import DiskSpace
from restante.reception.doorkeeper import Doorkeeper
from restante.reception.intake import Intake
from restante.reception.listeners import Listeners
from restante.reception.login_keeper import LoginKeeper
from restante.reception.memory_budget import MemoryBudget
from restante.reception.quota_reservations import QuotaReservations
from restante.release.authorized_host_lookup import HostNames
from restante.release.releaser import Releaser
from restante.reports.report_sender import ReportSender
from restante.retention.age_clock import AgeClock
from restante.retention.clock_watch import ClockWatch
from restante.retention.held_recorder import HeldRecorder
from restante.retention.history_sweep import HistorySweep
from restante.retention.object_sweep import ObjectSweep
from restante.retention.presence_sweep import PresenceSweep
from restante.retention.retention_sweep import RetentionSweep
from restante.retention.use_recorder import UseRecorder
from restante.retention.used_value_sweep import UsedValueSweep
from restante.server.failure_exchange import FailureExchange
from restante.server.listener_settings_maker import ListenerSettingsMaker
from restante.server.record_poll import RecordPoll
from restante.server.reload import Reloader
from restante.server.server_instruments import ServerInstruments
from restante.server.server_setup import HostAndPort, RunningSettings, ServerSetup
from restante.server.session_settings_maker import SessionSettingsMaker
from restante.server.task_spawner import TaskSpawner
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients
from restante.store.scrubber import Scrubber
from restante.telemetry.loop_lag import LoopLag
from restante.web.http_connections import HttpConnections
from restante.web.request_counts import RequestCounts


@dataclass(frozen=True, slots=True)
class KeptRecords:
    """The store, and the records that are kept in memory."""

    store: Store
    directory: LiveDirectory
    recipients: LiveRecipients
    takers: frozenset[str] = frozenset()  # the destinations that have ever taken mail
    known_at: float | None = None  # the newest time that was trusted


@dataclass(frozen=True, slots=True)
class ReceptionParts:
    """The parts that accept mail."""

    door: Doorkeeper
    memory_budget: MemoryBudget
    disk_space: DiskSpace
    auth_gate: AuthGate
    reservations: QuotaReservations
    intake: Intake
    listeners: Listeners
    session_settings: SessionSettingsMaker
    logins: LoginKeeper


@dataclass(frozen=True, slots=True)
class RetentionSweeps:
    """The parts that end what was kept long enough."""

    mail: RetentionSweep
    history: HistorySweep
    presence: PresenceSweep
    used_values: UsedValueSweep
    objects: ObjectSweep
    held: HeldRecorder
    uses: UseRecorder
    clock: ClockWatch


@dataclass(frozen=True, slots=True)
class DeliveryParts:
    """The parts by which mail leaves: handed over, reported, announced, or deleted."""

    dispatcher: Dispatcher
    releaser: Releaser
    watcher: Watcher
    reports: ReportSender
    notices: NoticeService
    transports: Transports  # of notices
    retention: RetentionSweeps


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
class RecordKeepers:
    """The parts that change records by themselves, when their time comes."""

    changes: ChangeKeeper
    proofs: ProofKeeper


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


@dataclass(frozen=True, slots=True)
class ServerParts:
    """All parts of one server."""

    settings: RunningSettings
    records: KeptRecords
    own_addresses: list[HostAndPort]  # that we listen on; changed in place by a reload
    record_poll: RecordPoll
    failures: FailureExchange
    delivery: DeliveryParts
    reception: ReceptionParts
    admin: AdminParts


@dataclass(frozen=True, slots=True)
class BuildContext:
    """Needed by every builder."""

    setup: ServerSetup
    settings: RunningSettings
    records: KeptRecords
    resolver: DnsResolver
    host_names: HostNames
    own_addresses: list[HostAndPort]
    ages: AgeClock
    spawner: TaskSpawner
    failures: FailureExchange

    @property
    def clocks(self) -> Clocks:
        """The clocks of this process."""
        return Clocks(time.time, time.monotonic, ages=self.ages.now)
