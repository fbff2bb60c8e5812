"""Builds the parts by which mail leaves."""

import asyncio
import time
from functools import partial

from restante.background.rounds import Rounds
from restante.delivery.delivery_context import (
    DeliveryContext,
    HeldMailPorts,
    new_destination_memory,
)
from restante.delivery.destination_watch import DestinationProbes
from restante.delivery.dialer import Dialer
from restante.delivery.dispatcher import Dispatcher
from restante.delivery.presence_journal import PresenceJournal
from restante.delivery.watcher import UnaskedDrains, Watcher
from restante.dsn.dsn_writer import DsnWriter
from restante.notices.notice_service import NoticePorts, NoticeService, make_transports
from restante.notices.transports import Transports
from restante.release.release_allowance import ReleaseAllowance
from restante.release.release_request import BY_POLICY, ReleaseRequest
from restante.release.releaser import Releaser
from restante.release.turnaround_places import TurnaroundPlaces
from restante.reports.hop_security import make_hop_security
from restante.reports.mx_delivery import MxAccess
from restante.reports.report_sender import ReportPorts, ReportSender
from restante.reports.report_settings import ReportSettings
from restante.retention.clock_watch import ClockWatch
from restante.retention.held_recorder import HeldRecorder, HeldSources
from restante.retention.history_sweep import HistorySweep
from restante.retention.object_sweep import ObjectSweep
from restante.retention.presence_sweep import PresenceSweep
from restante.retention.retention_sweep import RetentionSweep
from restante.retention.use_ledger import UseLedger
from restante.retention.use_recorder import UseRecorder
from restante.retention.used_value_sweep import UsedValueSweep
from restante.server.built_parts import (
    BuildContext,
    DeliveryParts,
    RetentionSweeps,
)
from restante.telemetry.events import DeliveryAttempt, TurnaroundGranted
from restante.telemetry.work_word import WorkWord
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import HoldPolicy


def build_delivery(ground: BuildContext, tasks: asyncio.TaskGroup) -> DeliveryParts:
    """Build them; drains run as tasks of `tasks`."""
    dialer, dsn_writer = _dialer(ground), _dsn_writer(ground)
    dispatcher = Dispatcher(_delivery_context(ground, dialer, dsn_writer), tasks)
    ground.settings.on_change(lambda _: dispatcher.settings_changed())
    ground.records.directory.on_numbered(dispatcher.records_changed)
    releaser = _releaser(ground, dispatcher)
    _watch_places(ground)
    watcher = _watcher(ground, dispatcher, releaser)
    access = _mail_access(ground, dialer)
    reports = _reports(ground, dsn_writer, access)
    transports = _transports(ground, access)
    notices = _notices(ground, transports)
    retention = _retention(ground, dsn_writer, dispatcher, notices)
    sweeps = _sweeps(ground, retention)
    return DeliveryParts(dispatcher, releaser, watcher, reports, notices, transports, sweeps)


def _dialer(ground: BuildContext) -> Dialer:
    return Dialer(
        ground.resolver,
        ground.setup.config.hostname,
        ground.own_addresses,
        lambda: ground.settings.config.delivery,
    )


def _mail_access(ground: BuildContext, dialer: Dialer) -> MxAccess:
    def settings() -> ReportSettings:
        return ground.settings.config.reports

    security = make_hop_security(ground.resolver, settings, ground.late.load)
    return MxAccess(dialer, ground.resolver, security, settings)


def _dsn_writer(ground: BuildContext) -> DsnWriter:
    hostname, content = ground.setup.config.hostname, ground.records.store.content
    return DsnWriter(content, hostname, time.time, ground.setup.log)


def _delivery_context(
    ground: BuildContext, dialer: Dialer, dsn_writer: DsnWriter
) -> DeliveryContext:
    store, records = ground.records.store, ground.records
    return DeliveryContext(
        store=HeldMailPorts(
            store.handover, store.content, store.figures, store.retention, store.releases
        ),
        directory=records.directory,
        dialer=dialer,
        vault=ground.setup.vault,
        memory=new_destination_memory(time.monotonic, records.takers),
        dsn_writer=dsn_writer,
        log=ground.setup.log,
        clocks=ground.clocks,
        learn=records.recipients.learn,
    )


def _reports(ground: BuildContext, dsn_writer: DsnWriter, access: MxAccess) -> ReportSender:
    store = ground.records.store
    ports = ReportPorts(store.reports, store.queue, store.duties)
    reports = ReportSender(
        ports,
        ground.records.directory,
        dsn_writer,
        access,
        log=ground.setup.log,
        clocks=ground.clocks,
    )
    dsn_writer.on_stored(reports.wake)
    return reports


def _transports(ground: BuildContext, access: MxAccess) -> Transports:
    return make_transports(
        ground.setup.vault,
        ground.records.directory,
        access,
        ground.resolver,
        settings=lambda: ground.settings.config.notices,
        now=time.time,
        load=ground.late.load,
    )


def _notices(ground: BuildContext, transports: Transports) -> NoticeService:
    store = ground.records.store
    return NoticeService(
        NoticePorts(store.notices, store.duties),
        ground.records.directory,
        transports,
        ground.setup.heard.inbox,
        settings=lambda: ground.settings.config.notices,
        log=ground.setup.log,
        clocks=ground.clocks,
        certificates=lambda: ground.settings.identity.served,
    )


def _releaser(ground: BuildContext, dispatcher: Dispatcher) -> Releaser:
    per_minute = ground.settings.config.reception.releases_per_minute
    nodes = ground.records.store.nodes
    allowance = ReleaseAllowance(per_minute, time.monotonic, lambda: nodes.servers)
    ground.settings.on_change(
        lambda config: allowance.set_limit(config.reception.releases_per_minute)
    )
    return Releaser(
        figures=ground.records.store.figures,
        releases=ground.records.store.releases,
        directory=ground.records.directory,
        drains=dispatcher,
        host_names=ground.host_names,
        log=ground.setup.log,
        now=time.time,
        allowance=allowance,
    )


def _watch_places(ground: BuildContext) -> None:
    """Tell accounts of turnarounds from new places."""
    places = TurnaroundPlaces(
        ground.records.store.used,
        ground.records.directory,
        ground.setup.log,
        time.time,
        ground.spawner.spawn,
    )
    ground.setup.log.subscribe(places.granted, TurnaroundGranted)


def _watcher(ground: BuildContext, dispatcher: Dispatcher, releaser: Releaser) -> Watcher:
    watcher = Watcher(
        figures=ground.records.store.figures,
        duties=ground.records.store.duties,
        directory=ground.records.directory,
        drains=UnaskedDrains(
            start=partial(_start_unasked, dispatcher, releaser),
            is_draining=dispatcher.is_draining,
            runs_here=dispatcher.runs_here,
        ),
        probes=DestinationProbes(
            probe=dispatcher.probe,
            greet=dispatcher.greet,
            busy=dispatcher.busy_destinations,
            settings=lambda: ground.settings.config.delivery,
            presence=lambda: ground.settings.config.presence,
            journal=PresenceJournal(
                ground.records.store.presence, ground.setup.log, ground.spawner.spawn
            ),
        ),
        log=ground.setup.log,
        clocks=ground.clocks,
        spawn=ground.spawner.spawn,
    )
    ground.settings.on_change(lambda _: watcher.settings_changed())
    dispatcher.on_end(watcher.drain_ended)
    ground.setup.log.subscribe(watcher.connection_ended, DeliveryAttempt)
    ground.records.directory.on_change(watcher.records_changed)
    return watcher


def _retention(
    ground: BuildContext, dsn_writer: DsnWriter, dispatcher: Dispatcher, notices: NoticeService
) -> RetentionSweep:
    return RetentionSweep(
        store=ground.records.store,
        directory=ground.records.directory,
        is_draining=dispatcher.is_draining,
        dsn_writer=dsn_writer,
        log=ground.setup.log,
        clocks=ground.clocks,
        until_told=notices.until_stored,
    )


def _sweeps(ground: BuildContext, retention: RetentionSweep) -> RetentionSweeps:
    store, directory = ground.records.store, ground.records.directory
    history = HistorySweep(
        history=store.history,
        releases=store.releases,
        duties=store.duties,
        directory=directory,
        settings=lambda: ground.settings.config.history,
        log=ground.setup.log,
        ages=ground.ages.now,
    )
    presence = PresenceSweep(
        presence=store.presence,
        duties=store.duties,
        directory=directory,
        settings=lambda: ground.settings.config.presence,
        log=ground.setup.log,
        ages=ground.ages.now,
    )
    used_values = UsedValueSweep(
        store.used, store.duties, Rounds(ground.setup.log, WorkWord.USED_VALUES), ground.ages.now
    )
    objects = ObjectSweep(
        store.upkeep,
        store.duties,
        Rounds(ground.setup.log, WorkWord.SWEEP_OBJECTS),
        ground.ages.now,
        orphan_hours=lambda: ground.settings.config.objects.hours_of_grace,
        log=ground.setup.log,
    )
    clock = ClockWatch(ground.ages, store.retention, directory, ground.setup.log, ground.clocks)
    held, uses = _recorders(ground)
    return RetentionSweeps(retention, history, presence, used_values, objects, held, uses, clock)


def _recorders(ground: BuildContext) -> tuple[HeldRecorder, UseRecorder]:
    store, directory = ground.records.store, ground.records.directory
    clocks = ground.clocks
    held = HeldRecorder(
        HeldSources(store.figures, store.peaks, store.uses, store.duties, directory),
        UseLedger(store.uses, directory, clocks.now),
        Rounds(ground.setup.log, WorkWord.HELD_MAIL),
        clocks,
    )
    uses = UseRecorder(
        ground.setup.heard.uses,
        UseLedger(store.uses, directory, clocks.now),
        directory,
        Rounds(ground.setup.log, WorkWord.ACCOUNT_USE),
    )
    return held, uses


async def _start_unasked(dispatcher: Dispatcher, releaser: Releaser, domain: HostedDomain) -> None:
    """Begin a drain that policy asks for. Only a release on return is audited."""
    if domain.policy.hold is HoldPolicy.RELAY:
        await dispatcher.start(domain, "policy relay")
    else:
        await releaser.release(ReleaseRequest(BY_POLICY, domain.name))
