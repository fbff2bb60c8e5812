"""Builds the parts that show the server and let an operator act.

Their code is larger than that of mail, so the server loads this module once mail is served.
"""

import time
from functools import partial

from restante.acme.acme_renewal import AcmeRenewal, OrderGround
from restante.acme.challenge_answers import ChallengeAnswers
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
from restante.network.proof_lookup import ProofLookup
from restante.reception.descriptor_limit import http_connections_possible
from restante.reception.intake import hold_all
from restante.request_limits.dial_limits import DialLimits
from restante.server.admin_parts import AdminParts, HttpParts, RecordKeepers
from restante.server.built_parts import BuildContext, DeliveryParts, MailParts, ReceptionParts
from restante.server.domain_instruments import DomainInstruments
from restante.server.file_watch import FileWatch
from restante.server.identity_watch import IdentityWatch
from restante.server.late_code import LateCode
from restante.server.late_web import HttpGround, LateWeb, WebGround, http_ground
from restante.server.listener_settings_maker import ListenerSettingsMaker
from restante.server.reload import Reloader, ReloadTargets
from restante.server.server_instruments import ProcessGauges, ReceptionGauges, ServerInstruments
from restante.server.server_surface import RunningServer
from restante.store.scrubber import Scrubber
from restante.telemetry.events import RecordChanged
from restante.telemetry.loop_lag import LoopLag
from restante.telemetry.work_word import WorkWord
from restante.web.http_connections import HttpConnections, HttpService
from restante.web.request_counts import RequestCounts


def build_admin(mail: MailParts, late: LateCode) -> AdminParts:
    """Build them on those of mail. `late` loads what only some servers need."""
    ground, delivery, reception = mail.ground, mail.delivery, mail.reception
    store, log = ground.records.store, ground.setup.log
    scrubber = Scrubber(store.upkeep, log, time.time, time.monotonic)
    process = _process_gauges(ground)
    instruments = _instruments(ground, delivery, reception, scrubber, process)
    surface = _surface(ground, delivery, reception, instruments)
    uses = TokenUses(store.records, Rounds(log, WorkWord.TOKEN_USES), time.time)
    feed = _event_feed(ground)
    context = _admin_context(ground, delivery, reception, surface, feed)
    sessions = PortalSessions(
        store.sessions, ground.records.directory, Rounds(log, WorkWord.PORTAL_SESSIONS), time.time
    )
    http = http_ground(process.web_requests, time.monotonic)
    late_web = LateWeb(late, WebGround(ground, reception, context, sessions, uses, http))
    reloader, http_parts = _http(ground, reception, http, late_web, late)
    return AdminParts(
        context=context,
        feed=feed,
        instruments=instruments,
        reloader=reloader,
        scrubber=scrubber,
        loop_lag=process.loop_lag,
        token_uses=uses,
        sessions=sessions,
        keepers=_keepers(ground, context, delivery),
        http=http_parts,
    )


def _http(
    ground: BuildContext,
    reception: ReceptionParts,
    http: HttpGround,
    late_web: LateWeb,
    late: LateCode,
) -> tuple[Reloader, HttpParts]:
    limit = http_connections_possible()
    listener_settings = ListenerSettingsMaker(reception.session_settings, late_web.settings)
    reloader = _reloader(ground, reception, listener_settings, late_web)
    return reloader, HttpParts(
        listener_settings=listener_settings,
        control=HttpConnections(HttpService.CONTROL, limit),
        metrics=HttpConnections(HttpService.METRICS, limit),
        web=http.web,
        acme=http.acme,
        orders=_orders(ground, reloader, http.answers, late),
        counts=http.counts,
        late=late_web,
    )


def _surface(
    ground: BuildContext,
    delivery: DeliveryParts,
    reception: ReceptionParts,
    instruments: ServerInstruments,
) -> RunningServer:
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


def _reloader(
    ground: BuildContext,
    reception: ReceptionParts,
    listener_settings: ListenerSettingsMaker,
    late_web: LateWeb,
) -> Reloader:
    targets = ReloadTargets(
        listeners=reception.listeners,
        prepare=late_web.prepare,
        listener_settings=listener_settings.settings,
        vault=ground.setup.vault,
        log=ground.setup.log,
        now=time.time,
        spawn=ground.spawner.spawn,
    )
    return Reloader(ground.settings, targets)


def _orders(
    ground: BuildContext, reloader: Reloader, answers: ChallengeAnswers, late: LateCode
) -> AcmeRenewal:
    settings = ground.settings
    renewal = AcmeRenewal(
        OrderGround(
            lambda: settings.config.acme,
            ground.setup.config.acme_directory,
            ground.resolver,
            answers,
            late.load,
        ),
        ground.setup.log,
        ground.clocks,
        reloader.show_certificates,
    )
    settings.on_change(lambda config: renewal.settings_changed(config.acme))
    return renewal


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


def _process_gauges(ground: BuildContext) -> ProcessGauges:
    return ProcessGauges(
        started_at=ground.setup.started_at,
        certificates=lambda: ground.settings.identity.served,
        loop_lag=LoopLag(ground.setup.log, time.monotonic),
        web_requests=RequestCounts(),
        clock_doubt=ground.ages.doubt,
        trace_spans_dropped=ground.setup.trace_spans_dropped,
        log_failure=ground.setup.log_place.failure,
    )


def _instruments(
    ground: BuildContext,
    delivery: DeliveryParts,
    reception: ReceptionParts,
    scrubber: Scrubber,
    process: ProcessGauges,
) -> ServerInstruments:
    return ServerInstruments(
        store=ground.records.store,
        scrubber=scrubber,
        drains=delivery.dispatcher.census,
        reception=ReceptionGauges(
            door=reception.door,
            memory_budget=reception.memory_budget,
            intake=reception.intake,
            disk_space=reception.disk_space,
            sessions=reception.listeners.sessions,
        ),
        process=process,
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
