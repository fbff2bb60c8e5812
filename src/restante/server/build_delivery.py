"""Builds the parts by which mail leaves."""

import asyncio
import time
from functools import partial

from restante.background.clocks import Clocks
from restante.background.rounds import Rounds
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.dispatcher import Dispatcher
from restante.delivery.presence_journal import PresenceJournal
from restante.delivery.watcher import Probing, UnaskedDrains, Watcher
from restante.notices.notice_service import Notices
from restante.release.release_allowance import ReleaseAllowance
from restante.release.release_request import BY_POLICY, ReleaseRequest
from restante.release.releaser import Releaser
from restante.reports.report_sender import Reports
from restante.retention.held_recorder import HeldRecorder, HeldSources
from restante.retention.history_sweep import HistorySweep
from restante.retention.presence_sweep import PresenceSweep
from restante.retention.retention_sweep import RetentionSweep
from restante.retention.use_ledger import UseLedger
from restante.retention.use_recorder import UseRecorder
from restante.server.built_parts import (
    DeliveryParts,
    Ground,
    RetentionSweeps,
)
from restante.telemetry.events import DeliveryAttempt
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import Hold, OnRefusal


def build_delivery(ground: Ground, tasks: asyncio.TaskGroup) -> DeliveryParts:
    """Build them; drains run as tasks of `tasks`."""
    store, directory = ground.records.store, ground.records.directory
    context = _delivery_context(ground)
    dispatcher = Dispatcher(context, tasks)
    ground.settings.on_change(lambda _: dispatcher.settings_changed())
    releaser = _releaser(ground, dispatcher)
    watcher = _watcher(ground, dispatcher, releaser)
    ground.settings.on_change(lambda _: watcher.settings_changed())
    dispatcher.on_end(watcher.drain_ended)
    ground.setup.log.subscribe(watcher.connection_ended, DeliveryAttempt)
    directory.on_numbered(dispatcher.records_changed)
    directory.on_change(watcher.records_changed)
    reports = Reports(
        store.reports,
        store.queue,
        context,
        ground.resolver,
        lambda: ground.settings.config.reports,
        duties=store.duties,
    )
    context.dsn_writer.on_stored(reports.wake)
    notices = Notices(
        store=store.notices,
        duties=store.duties,
        context=context,
        exchangers=ground.resolver,
        inbox=ground.setup.inbox,
        settings=lambda: ground.settings.config.notices,
        reports=lambda: ground.settings.config.reports,
        certificate_expires_at=lambda: ground.settings.identity.expires_at,
    )
    retention = _retention(ground, context, dispatcher, notices)
    sweeps = _sweeps(ground, retention)
    return DeliveryParts(context, dispatcher, releaser, watcher, reports, notices, sweeps)


def _releaser(ground: Ground, dispatcher: Dispatcher) -> Releaser:
    per_minute = ground.settings.config.reception.releases_per_minute
    allowance = ReleaseAllowance(per_minute, time.monotonic)
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


def _watcher(ground: Ground, dispatcher: Dispatcher, releaser: Releaser) -> Watcher:
    return Watcher(
        figures=ground.records.store.figures,
        duties=ground.records.store.duties,
        directory=ground.records.directory,
        drains=UnaskedDrains(
            probe=dispatcher.probe,
            greet=dispatcher.greet,
            busy=dispatcher.busy_destinations,
            start=partial(_start_unasked, dispatcher, releaser),
            is_draining=dispatcher.is_draining,
            runs_here=dispatcher.runs_here,
        ),
        probing=Probing(
            settings=lambda: ground.settings.config.delivery,
            presence=lambda: ground.settings.config.presence,
            journal=PresenceJournal(
                ground.records.store.presence, ground.setup.log, ground.spawner.spawn
            ),
        ),
        log=ground.setup.log,
        clocks=Clocks(time.time, time.monotonic),
        spawn=ground.spawner.spawn,
    )


def _retention(
    ground: Ground, context: DeliveryContext, dispatcher: Dispatcher, notices: Notices
) -> RetentionSweep:
    return RetentionSweep(
        store=ground.records.store,
        directory=ground.records.directory,
        is_draining=dispatcher.is_draining,
        dsn_writer=context.dsn_writer,
        log=context.log,
        now=time.time,
        until_told=notices.until_stored,
    )


def _sweeps(ground: Ground, retention: RetentionSweep) -> RetentionSweeps:
    store, directory = ground.records.store, ground.records.directory
    history = HistorySweep(
        history=store.history,
        releases=store.releases,
        duties=store.duties,
        directory=directory,
        settings=lambda: ground.settings.config.history,
        log=ground.setup.log,
        now=time.time,
    )
    presence = PresenceSweep(
        presence=store.presence,
        duties=store.duties,
        directory=directory,
        settings=lambda: ground.settings.config.presence,
        log=ground.setup.log,
        now=time.time,
    )
    return RetentionSweeps(retention, history, presence, *_recorders(ground))


def _recorders(ground: Ground) -> tuple[HeldRecorder, UseRecorder]:
    store, directory = ground.records.store, ground.records.directory
    clocks = Clocks(time.time, time.monotonic)
    held = HeldRecorder(
        HeldSources(store.figures, store.peaks, store.uses, store.duties, directory),
        UseLedger(store.uses, directory, clocks.now),
        Rounds(ground.setup.log, "held mail"),
        clocks,
    )
    uses = UseRecorder(
        ground.setup.uses,
        UseLedger(store.uses, directory, clocks.now),
        directory,
        Rounds(ground.setup.log, "account use"),
    )
    return held, uses


def _delivery_context(ground: Ground) -> DeliveryContext:
    return DeliveryContext(
        handover=ground.records.store.handover,
        content=ground.records.store.content,
        figures=ground.records.store.figures,
        directory=ground.records.directory,
        resolver=ground.resolver,
        current_settings=lambda: ground.settings.config.delivery,
        log=ground.setup.log,
        now=time.time,
        monotonic=time.monotonic,
        hostname=ground.setup.config.hostname,
        own_addresses=ground.own_addresses,
        vault=ground.setup.vault,
        learn=ground.records.recipients.learn,
        bounces_refused=lambda domain: domain.policy.on_refusal is OnRefusal.BOUNCE,
        takers=ground.records.takers,
    )


async def _start_unasked(dispatcher: Dispatcher, releaser: Releaser, domain: HostedDomain) -> None:
    """Begin a drain that policy asks for. Only a release on return is audited."""
    if domain.policy.hold is Hold.RELAY:
        await dispatcher.start(domain, "policy relay")
    else:
        await releaser.release(ReleaseRequest(BY_POLICY, domain.name))
