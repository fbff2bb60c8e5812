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
from restante.admin.identity_provider import IdentityProvider
from restante.admin.own_credentials import OwnCredentials
from restante.admin.passkey_service import PasskeyService
from restante.admin.portal_hashing import PortalHashing
from restante.admin.portal_sessions import PortalSessions
from restante.admin.proof_keeper import ProofKeeper
from restante.admin.provider_sign_in import ProviderSignIn
from restante.admin.sign_in import SignInService
from restante.admin.token_authentication import TokenGate
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
from restante.server.listener_settings_maker import (
    ListenerSettingsMaker,
    WebListenerSettingsMaker,
    acme_settings,
    web_connections,
)
from restante.server.reload import Reloader, ReloadTargets
from restante.server.server_instruments import ProcessGauges, ReceptionGauges, ServerInstruments
from restante.server.server_surface import RunningServer
from restante.store.scrubber import Scrubber
from restante.telemetry.events import RecordChanged
from restante.telemetry.loop_lag import LoopLag
from restante.telemetry.work_word import WorkWord
from restante.web.api.api_application import PreparedApi, build_api
from restante.web.api.bearer_tokens import identify
from restante.web.http_connections import HttpConnections, HttpService
from restante.web.portal.portal_application import PreparedPortal, build_portal
from restante.web.portal.session_cookie import CookieSessions
from restante.web.portal.sign_in_parts import SignInParts
from restante.web.portal.sign_in_routes import sign_in_routes
from restante.web.request_counts import RequestCounts
from restante.web.web_gate import GateParts


def build_admin(mail: MailParts) -> AdminParts:
    """Build them on those of mail."""
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
    token_gate = TokenGate(
        ground.records.directory,
        uses,
        log,
        now=time.time,
        monotonic=time.monotonic,
        share=ground.failures.share,
    )
    gate = _gate(
        context, reception, token_gate, process.web_requests, _portal(ground, context, sessions)
    )
    reloader, http = _http(ground, reception, gate)
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
        http=http,
    )


def _http(
    ground: BuildContext, reception: ReceptionParts, gate: GateParts
) -> tuple[Reloader, HttpParts]:
    limit, web, answers = http_connections_possible(), web_connections(gate), ChallengeAnswers()
    acme = acme_settings(answers, gate.counts)
    listener_settings = ListenerSettingsMaker(
        reception.session_settings, WebListenerSettingsMaker(gate, web), acme
    )
    reloader = _reloader(ground, reception, listener_settings)
    return reloader, HttpParts(
        listener_settings=listener_settings,
        control=HttpConnections(HttpService.CONTROL, limit),
        metrics=HttpConnections(HttpService.METRICS, limit),
        web=web,
        acme=acme.connections,
        orders=_orders(ground, reloader, answers),
        counts=gate.counts,
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
    ground: BuildContext, reception: ReceptionParts, listener_settings: ListenerSettingsMaker
) -> Reloader:
    targets = ReloadTargets(
        listeners=reception.listeners,
        listener_settings=listener_settings.settings,
        vault=ground.setup.vault,
        log=ground.setup.log,
        now=time.time,
        spawn=ground.spawner.spawn,
    )
    return Reloader(ground.settings, targets)


def _orders(ground: BuildContext, reloader: Reloader, answers: ChallengeAnswers) -> AcmeRenewal:
    settings = ground.settings
    renewal = AcmeRenewal(
        OrderGround(
            lambda: settings.config.acme,
            ground.setup.config.acme_directory,
            ground.resolver,
            answers,
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


def _portal(
    ground: BuildContext, context: AdminContext, sessions: PortalSessions
) -> PreparedPortal:
    look, hashing = ground.setup.config.portal.look, PortalHashing()
    provider = IdentityProvider(
        lambda: ground.settings.config.oidc.provider_settings,
        ground.resolver,
        context.one_time_seals,
        time.time,
        time.monotonic,
    )
    sign_in = SignInService(context, hashing, time.monotonic, ground.failures.share)
    credentials = OwnCredentials(context, hashing, context.network.hostname)
    passkeys = PasskeyService(context, sign_in, look.name)
    provided = ProviderSignIn(context, sign_in, provider, time.monotonic)
    parts = SignInParts(context, sign_in, credentials, sessions, passkeys, provided)
    routes = sign_in_routes(parts)
    return PreparedPortal(partial(build_portal, context, CookieSessions(sessions), look, routes))


def _gate(
    context: AdminContext,
    reception: ReceptionParts,
    token_gate: TokenGate,
    request_counts: RequestCounts,
    portal: PreparedPortal,
) -> GateParts:
    care, disk_space = context.store.upkeep, reception.disk_space
    return GateParts(
        api=PreparedApi(build_api(context)),
        identify=lambda scope, client: identify(scope, token_gate, client),
        is_ready=lambda: not (care.failure or care.absence or disk_space.is_short),
        defers_large_mail=lambda: bool(care.content_absence),
        counts=request_counts,
        monotonic=time.monotonic,
        now=time.time,
        portal=portal,
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
