"""Builds the parts that show the server and let an operator act."""

import time
from functools import partial

from restante.admin.admin_context import AdminContext
from restante.admin.change_keeper import ChangeKeeper
from restante.admin.event_feed import EventFeed
from restante.admin.identity_provider import IdentityProvider
from restante.admin.own_credentials import OwnCredentials
from restante.admin.passkey_service import PasskeyService
from restante.admin.portal_hashing import PortalHashing
from restante.admin.portal_sessions import PortalSessions
from restante.admin.provider_sign_in import ProviderSignIn
from restante.admin.sign_in import SignInService
from restante.admin.token_authentication import TokenGate
from restante.admin.token_uses import TokenUses
from restante.background.rounds import Rounds
from restante.config.portal_url import portal_url
from restante.reception.descriptor_limit import http_connections_possible
from restante.reception.intake import hold_all
from restante.server.built_parts import (
    AdminParts,
    DeliveryParts,
    Ground,
    ReceptionParts,
)
from restante.server.domain_instruments import DomainInstruments
from restante.server.file_watch import FileWatch
from restante.server.reload import Reloader, ReloadTargets
from restante.server.server_instruments import Instruments
from restante.server.server_surface import RunningServer
from restante.server.web_terms_maker import ListenerTermsMaker, WebTermsMaker, web_connections
from restante.store.scrubber import Scrubber
from restante.telemetry.events import RecordChanged
from restante.telemetry.loop_lag import LoopLag
from restante.web.api.api_application import Prepared, build_api
from restante.web.api.bearer_tokens import identify
from restante.web.http_connections import HttpConnections, HttpService
from restante.web.portal.portal_application import PreparedPortal, build_portal
from restante.web.portal.portal_look import PortalLook
from restante.web.portal.session_cookie import CookieSessions
from restante.web.portal.sign_in_parts import SignInParts
from restante.web.portal.sign_in_routes import sign_in_routes
from restante.web.request_counts import RequestCounts
from restante.web.web_gate import GateParts


def build_admin(ground: Ground, delivery: DeliveryParts, reception: ReceptionParts) -> AdminParts:
    """Build them on those of delivery and reception."""
    store, log = ground.records.store, ground.setup.log
    scrubber = Scrubber(store.upkeep, log, time.time, time.monotonic)
    loop_lag = LoopLag(log, time.monotonic)
    request_counts = RequestCounts()
    instruments = _instruments(
        ground, delivery, reception, scrubber, loop_lag, request_counts=request_counts
    )
    surface = _surface(ground, delivery, reception, instruments)
    uses = TokenUses(store.records, Rounds(log, "token uses"), time.time)
    context = _admin_context(ground, delivery, reception, surface)
    token_gate = TokenGate(
        ground.records.directory, uses, log, now=time.time, monotonic=time.monotonic
    )
    sessions = PortalSessions(
        store.sessions, ground.records.directory, Rounds(log, "portal sessions"), time.time
    )
    provider = IdentityProvider(
        lambda: ground.settings.config.oidc.terms,
        ground.resolver,
        context.one_time_seals,
        time.time,
        time.monotonic,
    )
    portal = _portal(context, sessions, provider, ground.setup.config.portal.look)
    web = _web(context, reception, token_gate, request_counts, portal)
    terms = ListenerTermsMaker(reception.terms, web)
    return AdminParts(
        context=context,
        terms=terms,
        web_connections=web.connections,
        request_counts=request_counts,
        instruments=instruments,
        reloader=_reloader(ground, reception, terms),
        scrubber=scrubber,
        loop_lag=loop_lag,
        token_uses=uses,
        token_gate=token_gate,
        sessions=sessions,
        changes=_change_keeper(ground, context, delivery),
        control_connections=HttpConnections(HttpService.CONTROL, http_connections_possible()),
        metrics_connections=HttpConnections(HttpService.METRICS, http_connections_possible()),
    )


def _surface(
    ground: Ground, delivery: DeliveryParts, reception: ReceptionParts, instruments: Instruments
) -> RunningServer:
    settings, watch = ground.settings, FileWatch(ground.setup.config.file)
    return RunningServer(
        releaser=delivery.releaser,
        dispatcher=delivery.dispatcher,
        watcher=delivery.watcher,
        reports=delivery.reports,
        notices=delivery.notices,
        listeners_open=reception.listeners,
        counts=ground.setup.counts,
        instruments=instruments,
        domain_instruments=_domain_instruments(ground, delivery),
        configuration_state=lambda: watch.add_to(settings.state, settings.config, settings.read),
    )


def _reloader(ground: Ground, reception: ReceptionParts, terms: ListenerTermsMaker) -> Reloader:
    targets = ReloadTargets(
        listeners=reception.listeners,
        terms=terms.terms,
        vault=ground.setup.vault,
        log=ground.setup.log,
        now=time.time,
        spawn=ground.spawner.spawn,
    )
    return Reloader(ground.settings, targets)


def _change_keeper(ground: Ground, context: AdminContext, delivery: DeliveryParts) -> ChangeKeeper:
    keeper = ChangeKeeper(context, ground.setup.log, delivery.notices.until_stored)
    ground.setup.log.subscribe(keeper.record_changed, RecordChanged)
    return keeper


def _instruments(
    ground: Ground,
    delivery: DeliveryParts,
    reception: ReceptionParts,
    scrubber: Scrubber,
    loop_lag: LoopLag,
    *,
    request_counts: RequestCounts,
) -> Instruments:
    return Instruments(
        store=ground.records.store,
        drains=delivery.dispatcher.census,
        door=reception.door,
        memory_budget=reception.memory_budget,
        intake=reception.intake,
        disk_space=reception.disk_space,
        sessions=reception.listeners.sessions,
        now=time.time,
        started_at=ground.setup.started_at,
        certificate_expires_at=lambda: ground.settings.identity.expires_at,
        scrubber=scrubber,
        loop_lag=loop_lag,
        request_counts=request_counts,
        trace_spans_dropped=ground.setup.trace_spans_dropped,
    )


def _portal(
    context: AdminContext, sessions: PortalSessions, provider: IdentityProvider, look: PortalLook
) -> PreparedPortal:
    hashing = PortalHashing()
    sign_in = SignInService(context, hashing, time.monotonic)
    credentials = OwnCredentials(context, hashing, context.hostname)
    passkeys = PasskeyService(context, sign_in, look.name)
    provided = ProviderSignIn(context, sign_in, provider, time.monotonic)
    parts = SignInParts(context, sign_in, credentials, sessions, passkeys, provided)
    routes = sign_in_routes(parts)
    return PreparedPortal(partial(build_portal, context, CookieSessions(sessions), look, routes))


def _web(
    context: AdminContext,
    reception: ReceptionParts,
    token_gate: TokenGate,
    request_counts: RequestCounts,
    portal: PreparedPortal,
) -> WebTermsMaker:
    care, disk_space = context.store.upkeep, reception.disk_space
    gate = GateParts(
        api=Prepared(build_api(context)),
        identify=lambda scope, client: identify(scope, token_gate, client),
        is_ready=lambda: not (care.failure or care.absence or disk_space.is_short),
        counts=request_counts,
        monotonic=time.monotonic,
        now=time.time,
        portal=portal,
    )
    return WebTermsMaker(gate, web_connections())


def _domain_instruments(ground: Ground, delivery: DeliveryParts) -> DomainInstruments:
    return DomainInstruments(
        store=ground.records.store,
        directory=ground.records.directory,
        counts=ground.setup.domain_counts,
        seen=delivery.watcher.seen,
        is_draining=delivery.dispatcher.is_draining,
        limit=lambda: ground.settings.config.metrics.limit,
        now=time.time,
    )


def _admin_context(
    ground: Ground,
    delivery: DeliveryParts,
    reception: ReceptionParts,
    surface: RunningServer,
) -> AdminContext:
    feed = EventFeed(ground.records.directory, time.time)
    ground.records.directory.on_numbered(feed.hear_changes)
    ground.setup.inbox.on_facts(feed.hear_notice)
    return AdminContext(
        store=ground.records.store.apart(),
        directory=ground.records.directory,
        vault=ground.setup.vault,
        now=time.time,
        own_addresses=ground.own_addresses,
        hostname=ground.setup.config.hostname,
        resolver=ground.resolver,
        hold=partial(hold_all, reception.intake),
        server=surface,
        recipients=ground.records.recipients,
        reservations=reception.facts.reservations,
        transports=delivery.transports,
        message_size_limit=lambda: ground.settings.config.reception.message_size_limit,
        private_addresses=lambda: ground.settings.config.reports.private_addresses,
        portal_url=lambda: portal_url(ground.settings.config),
        change_delay=lambda: ground.settings.config.portal.change_delay,
        feed=feed,
        log=ground.setup.log,
    )
