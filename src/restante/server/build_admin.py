"""Builds the parts that show the server and let an operator act.

A server loads this module when somebody needs them first (`late_admin`).
"""

import time
from collections.abc import Coroutine, Iterator
from functools import partial

from restante.admin.admin_context import (
    AdminContext,
    AdminSettings,
    NetworkAccess,
    ProcessParts,
    RequestMemory,
)
from restante.admin.change_keeper import ChangeKeeper
from restante.admin.configuration_state import ConfigurationState
from restante.admin.drill_keeper import DrillKeeper
from restante.admin.event_feed import EventFeed
from restante.admin.held_changes import HeldChanges
from restante.admin.portal_sessions import PortalSessions
from restante.admin.proof_keeper import ProofKeeper
from restante.admin.token_uses import TokenUses
from restante.background.rounds import Rounds
from restante.config.portal_url import portal_url
from restante.network import http_library  # noqa: F401  what follows sends requests
from restante.network.proof_lookup import ProofLookup
from restante.reception.intake import hold_all
from restante.request_limits.dial_limits import DialLimits
from restante.server.admin_parts import AdminParts, RecordKeepers
from restante.server.built_parts import BuildContext, DeliveryParts, MailParts, ReceptionParts
from restante.server.domain_instruments import DomainInstruments
from restante.server.file_watch import FileWatch
from restante.server.identity_watch import IdentityWatch
from restante.server.late_admin import AdminGround
from restante.server.server_instruments import ProcessGauges, ReceptionGauges, ServerInstruments
from restante.server.server_surface import RunningServer
from restante.telemetry.event_bus import Log
from restante.telemetry.events import RecordChanged
from restante.telemetry.work_word import WorkWord


def build_admin(ground: AdminGround) -> AdminParts:
    """Build them on those of mail and of upkeep."""
    base, delivery = ground.mail.ground, ground.mail.delivery
    store, log = base.records.store, base.setup.log
    instruments = _instruments(ground)
    surface = _surface(ground.mail, instruments)
    feed = _event_feed(base)
    context = _admin_context(base, delivery, ground.mail.reception, surface, feed)
    return AdminParts(
        context=context,
        feed=feed,
        instruments=instruments,
        token_uses=TokenUses(store.records, Rounds(log, WorkWord.TOKEN_USES), time.time),
        sessions=PortalSessions(
            store.sessions,
            base.records.directory,
            Rounds(log, WorkWord.PORTAL_SESSIONS),
            time.time,
        ),
        keepers=_keepers(base, context, delivery),
    )


def work_of(parts: AdminParts, log: Log) -> Iterator[Coroutine[None, None, None]]:
    """Yield the works of these parts, which run until they are cancelled."""
    yield parts.token_uses.run()
    yield parts.sessions.run()
    yield parts.keepers.changes.run()
    yield parts.keepers.proofs.run()
    yield parts.keepers.drills.run()
    yield Rounds(log, WorkWord.EVENT_FEED).run_rounds(parts.feed.look_at_held)


def _surface(mail: MailParts, instruments: ServerInstruments) -> RunningServer:
    ground, delivery, reception = mail.ground, mail.delivery, mail.reception
    settings, identities = ground.settings, IdentityWatch()
    watch = FileWatch(ground.setup.config.file)

    async def configuration_state() -> ConfigurationState:
        state = await watch.add_to(settings.state, settings.config, settings.read)
        return await identities.add_to(state, settings.config, settings.identity)

    return RunningServer(
        releaser=delivery.releaser,
        dispatcher=delivery.dispatcher,
        watcher=delivery.watcher,
        reports=delivery.reports,
        notices=delivery.notices,
        listeners_open=reception.listeners,
        counts=ground.setup.heard.counts,
        instruments=instruments,
        domain_instruments=_domain_instruments(ground, delivery),
        configuration_state=configuration_state,
    )


def _keepers(ground: BuildContext, context: AdminContext, delivery: DeliveryParts) -> RecordKeepers:
    return RecordKeepers(
        _change_keeper(ground, context, delivery),
        _proof_keeper(ground, context),
        _drill_keeper(ground, context, delivery),
    )


def _change_keeper(
    ground: BuildContext, context: AdminContext, delivery: DeliveryParts
) -> ChangeKeeper:
    keeper = ChangeKeeper(context, ground.setup.log, delivery.notices.until_stored)
    ground.setup.log.subscribe(keeper.record_changed, RecordChanged)
    return keeper


def _proof_keeper(ground: BuildContext, context: AdminContext) -> ProofKeeper:
    log, lookup = ground.setup.log, ProofLookup(ground.setup.config.resolver.endpoints)
    keeper = ProofKeeper(context, lookup, log, time.monotonic)
    log.subscribe(keeper.record_changed, RecordChanged)
    return keeper


def _drill_keeper(
    ground: BuildContext, context: AdminContext, delivery: DeliveryParts
) -> DrillKeeper:
    log = ground.setup.log
    keeper = DrillKeeper(context, log, ground.ages.now, delivery.notices.until_stored)
    log.subscribe(keeper.record_changed, RecordChanged)
    return keeper


def _process_gauges(ground: AdminGround) -> ProcessGauges:
    base = ground.mail.ground
    return ProcessGauges(
        started_at=base.setup.started_at,
        certificates=lambda: base.settings.identity.served,
        loop_lag=ground.loop_lag,
        web_requests=ground.web_requests,
        clock_doubt=base.ages.doubt,
        trace_spans_dropped=base.setup.trace_spans_dropped,
        log_failure=base.setup.log_place.failure,
    )


def _instruments(ground: AdminGround) -> ServerInstruments:
    reception = ground.mail.reception
    return ServerInstruments(
        store=ground.mail.ground.records.store,
        scrubber=ground.scrubber,
        drains=ground.mail.delivery.dispatcher.census,
        reception=ReceptionGauges(
            door=reception.door,
            memory_budget=reception.memory_budget,
            intake=reception.intake,
            disk_space=reception.disk_space,
            sessions=reception.listeners.sessions,
        ),
        process=_process_gauges(ground),
        now=time.time,
    )


def _domain_instruments(ground: BuildContext, delivery: DeliveryParts) -> DomainInstruments:
    return DomainInstruments(
        store=ground.records.store,
        directory=ground.records.directory,
        counts=ground.setup.heard.domain_counts,
        seen=delivery.watcher.seen,
        is_draining=delivery.dispatcher.is_draining,
        limit=lambda: ground.settings.config.metrics.limit,
        now=time.time,
    )


def _event_feed(ground: BuildContext) -> EventFeed:
    held = HeldChanges(ground.records.store.figures)
    feed = EventFeed(ground.records.directory, time.time, held=held)
    ground.records.directory.on_numbered(feed.hear_changes)
    ground.setup.heard.inbox.on_facts(feed.hear_notice)
    return feed


def _admin_context(
    ground: BuildContext,
    delivery: DeliveryParts,
    reception: ReceptionParts,
    surface: RunningServer,
    feed: EventFeed,
) -> AdminContext:
    return AdminContext(
        store=ground.records.store.apart(),
        directory=ground.records.directory,
        vault=ground.setup.vault,
        now=time.time,
        network=_network(ground),
        settings=_settings(ground),
        parts=ProcessParts(
            hold=partial(hold_all, reception.intake),
            recipients=ground.records.recipients,
            transports=delivery.transports,
            reservations=reception.reservations,
            log=ground.setup.log,
            feed=feed,
            traces=reception.traces,
        ),
        server=surface,
        memory=RequestMemory(DialLimits(lambda: ground.records.store.nodes.servers)),
    )


def _network(ground: BuildContext) -> NetworkAccess:
    hostname, resolver = ground.setup.config.hostname, ground.resolver
    return NetworkAccess(
        hostname,
        ground.own_addresses,
        resolver,
        resolver,
        certificates=lambda: ground.settings.identity.served,
    )


def _settings(ground: BuildContext) -> AdminSettings:
    running = ground.settings
    return AdminSettings(
        message_size_limit=lambda: running.config.reception.message_size_limit,
        portal_url=lambda: portal_url(running.config),
        private_addresses=lambda: running.config.reports.private_addresses,
        change_delay=lambda: running.config.portal.change_delay,
        blocklists=lambda: [*running.config.hygiene.weights],
    )
