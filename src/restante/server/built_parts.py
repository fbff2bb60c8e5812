"""The groups of a server's parts, and the ground on which they are built.

Plain wiring: nothing here runs or decides. A later part subscribes to an earlier one (`on_end`,
`on_stored`, `on_change`), so that no attribute is assigned afterwards.
"""

import time
from dataclasses import dataclass

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
from restante.reception.session_traces import SessionTraces
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
from restante.server.late_code import LateCode
from restante.server.record_poll import RecordPoll
from restante.server.server_setup import HostAndPort, RunningSettings, ServerSetup
from restante.server.session_settings_maker import SessionSettingsMaker
from restante.server.task_spawner import TaskSpawner
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients


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
    traces: SessionTraces


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
    late: LateCode

    @property
    def clocks(self) -> Clocks:
        """The clocks of this process."""
        return Clocks(time.time, time.monotonic, ages=self.ages.now)


@dataclass(frozen=True, slots=True)
class MailParts:
    """The parts of one server by which mail comes and goes. Administration is built on them."""

    ground: BuildContext
    record_poll: RecordPoll
    delivery: DeliveryParts
    reception: ReceptionParts
