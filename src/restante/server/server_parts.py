"""The parts of a running server, built in the order in which they need each other.

Plain wiring: nothing here runs or decides. A later part subscribes to an earlier one
(`on_end`, `on_stored`, `on_change`), so that no attribute is assigned afterwards. The builders
share one `_Ground`, and each returns its group of `ServerParts`.
"""

import asyncio
import time
from dataclasses import dataclass
from functools import partial

from restante.admin.admin_context import AdminContext
from restante.background.waiting import Clocks
from restante.config.schema import Config
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.dispatcher import Dispatcher
from restante.delivery.watcher import UnaskedDrains, Watcher
from restante.network.resolver import DnsResolver
from restante.notices.notice_service import Notices
from restante.reception.arrivals import Arrivals
from restante.reception.auth_bursts import AuthBursts
from restante.reception.auth_gate import AuthGate
from restante.reception.authentication import Authenticator
from restante.reception.check_lane import password_lanes, proof_lanes
from restante.reception.descriptors import http_connections_possible, sessions_possible
from restante.reception.disk_space import DiskSpace, free_octets
from restante.reception.domain_facts import FactsLookup
from restante.reception.doorkeeper import Doorkeeper, DoorLimits, door_limits
from restante.reception.expected_hosts import ExpectedHosts
from restante.reception.intake import Intake, hold_all
from restante.reception.listeners import Listeners
from restante.reception.memory_budget import MemoryBudget
from restante.reception.services import Services
from restante.release.host_names import HostNames
from restante.release.release_allowance import ReleaseAllowance
from restante.release.releaser import Releaser
from restante.release.request import BY_POLICY, ReleaseRequest
from restante.reports.report_sender import Reports
from restante.retention.retention_sweep import RetentionSweep
from restante.server.damage_log import DamageLog
from restante.server.reload import Reloader, ReloadTargets
from restante.server.server_instruments import Instruments
from restante.server.server_setup import Address, RunningSettings, ServerSetup
from restante.server.server_surface import RunningServer
from restante.server.session_terms_maker import SessionTermsMaker, admission_settings
from restante.server.task_spawner import TaskSpawner
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients
from restante.store.scrubber import Scrubber
from restante.telemetry.loop_lag import LoopLag
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import Hold, OnRefusal
from restante.web.http_door import HttpDoor, HttpService


@dataclass(frozen=True, slots=True)
class Records:
    """The store, and the records that are kept in memory."""

    store: Store
    directory: LiveDirectory
    recipients: LiveRecipients


@dataclass(frozen=True, slots=True)
class ReceptionParts:
    """The parts that accept mail."""

    door: Doorkeeper
    memory_budget: MemoryBudget
    disk_space: DiskSpace
    auth_gate: AuthGate
    facts: FactsLookup
    intake: Intake
    listeners: Listeners
    terms: SessionTermsMaker


@dataclass(frozen=True, slots=True)
class DeliveryParts:
    """The parts by which mail leaves: handed over, reported, announced, or deleted."""

    context: DeliveryContext
    dispatcher: Dispatcher
    releaser: Releaser
    watcher: Watcher
    reports: Reports
    notices: Notices
    retention: RetentionSweep


@dataclass(frozen=True, slots=True)
class AdminParts:
    """The parts that show the server and let an operator act."""

    context: AdminContext
    instruments: Instruments
    reloader: Reloader
    scrubber: Scrubber
    loop_lag: LoopLag
    control_door: HttpDoor
    metrics_door: HttpDoor


@dataclass(frozen=True, slots=True)
class ServerParts:
    """All parts of one server."""

    settings: RunningSettings
    records: Records
    own_addresses: list[Address]  # that we listen on; changed in place by a reload
    delivery: DeliveryParts
    reception: ReceptionParts
    admin: AdminParts


@dataclass(frozen=True, slots=True)
class _Ground:
    """Needed by every builder."""

    setup: ServerSetup
    settings: RunningSettings
    records: Records
    resolver: DnsResolver
    host_names: HostNames
    own_addresses: list[Address]
    spawner: TaskSpawner


async def read_records(store: Store, damage: DamageLog) -> Records:
    """Read accounts, domains and recipients. Raises StoreError."""
    directory = LiveDirectory(store)
    await directory.refresh()
    damage.records_read(directory)
    recipients = LiveRecipients(store, directory)
    await recipients.load()
    return Records(store, directory, recipients)


def build(setup: ServerSetup, records: Records, tasks: asyncio.TaskGroup) -> ServerParts:
    """Build every part; nothing runs yet. Later their tasks belong to `tasks`."""
    resolver = DnsResolver(setup.config.resolver.endpoints)
    ground = _Ground(
        setup=setup,
        settings=RunningSettings(setup.config, setup.identity),
        records=records,
        resolver=resolver,
        host_names=HostNames(resolver, time.monotonic),
        own_addresses=setup.addresses,
        spawner=TaskSpawner(tasks, setup.log),
    )
    delivery = _build_delivery(ground, tasks)
    reception = _build_reception(ground, delivery)
    admin = _build_admin(ground, delivery, reception)
    return ServerParts(ground.settings, records, ground.own_addresses, delivery, reception, admin)


# Delivery


def _build_delivery(ground: _Ground, tasks: asyncio.TaskGroup) -> DeliveryParts:
    store, directory = ground.records.store, ground.records.directory
    context = _delivery_context(ground)
    dispatcher = Dispatcher(context, tasks)
    ground.settings.on_change(lambda _: dispatcher.settings_changed())
    releaser = _releaser(ground, dispatcher)
    watcher = _watcher(ground, dispatcher, releaser)
    dispatcher.on_end(watcher.drain_ended)
    directory.on_change(watcher.records_changed)
    reports = Reports(store, context, ground.resolver, lambda: ground.settings.config.reports)
    context.dsn_writer.on_stored(reports.wake)
    notices = Notices(
        store=store,
        context=context,
        exchangers=ground.resolver,
        inbox=ground.setup.inbox,
        settings=lambda: ground.settings.config.notices,
        reports=lambda: ground.settings.config.reports,
        certificate_expires_at=lambda: ground.settings.identity.expires_at,
    )
    retention = _retention(ground, context, dispatcher, notices)
    return DeliveryParts(context, dispatcher, releaser, watcher, reports, notices, retention)


def _releaser(ground: _Ground, dispatcher: Dispatcher) -> Releaser:
    per_minute = ground.settings.config.reception.releases_per_minute
    allowance = ReleaseAllowance(per_minute, time.monotonic)
    ground.settings.on_change(
        lambda config: allowance.set_limit(config.reception.releases_per_minute)
    )
    return Releaser(
        store=ground.records.store,
        directory=ground.records.directory,
        drains=dispatcher,
        host_names=ground.host_names,
        log=ground.setup.log,
        now=time.time,
        allowance=allowance,
    )


def _watcher(ground: _Ground, dispatcher: Dispatcher, releaser: Releaser) -> Watcher:
    return Watcher(
        store=ground.records.store,
        directory=ground.records.directory,
        drains=UnaskedDrains(
            probe=dispatcher.probe,
            start=partial(_start_unasked, dispatcher, releaser),
            is_draining=dispatcher.is_draining,
        ),
        settings=lambda: ground.settings.config.delivery,
        log=ground.setup.log,
        clocks=Clocks(time.time, time.monotonic),
        spawn=ground.spawner.spawn,
    )


def _retention(
    ground: _Ground, context: DeliveryContext, dispatcher: Dispatcher, notices: Notices
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


def _delivery_context(ground: _Ground) -> DeliveryContext:
    return DeliveryContext(
        store=ground.records.store,
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
    )


async def _start_unasked(dispatcher: Dispatcher, releaser: Releaser, domain: HostedDomain) -> None:
    """Begin a drain that policy asks for. Only a release on return is audited."""
    if domain.policy.hold is Hold.RELAY:
        await dispatcher.start(domain, "policy relay")
    else:
        await releaser.release(ReleaseRequest(BY_POLICY, domain.name))


# Reception


def _build_reception(ground: _Ground, delivery: DeliveryParts) -> ReceptionParts:
    setup, records = ground.setup, ground.records
    expected = ExpectedHosts(records.directory, ground.host_names.known)
    door = _doorkeeper(ground, expected)
    memory_budget = _memory_budget(ground)
    disk_space = _disk_space(ground)
    authenticator = _authenticator(ground)
    auth_gate = _auth_gate(ground, authenticator, expected)
    arrivals = Arrivals(
        records.store,
        records.directory,
        setup.log,
        time.monotonic,
        on_mail=delivery.watcher.mail_came,
    )
    intake = _intake(ground, arrivals)
    facts = _domain_facts(ground, delivery)
    services = Services(
        directory=records.directory,
        store=records.store,
        intake=intake,
        auth_gate=auth_gate,
        releaser=delivery.releaser,
        log=setup.log,
        memory_budget=memory_budget,
        spawn=ground.spawner.spawn,
        settings=setup.config.reception,
        admission_settings=admission_settings(setup.config, ground.own_addresses),
        disk_space=disk_space,
        facts=facts,
        arrivals=arrivals,
        callout=delivery.dispatcher.ask_destination,
    )
    return ReceptionParts(
        door=door,
        memory_budget=memory_budget,
        disk_space=disk_space,
        auth_gate=auth_gate,
        facts=facts,
        intake=intake,
        listeners=_listeners(ground, door),
        terms=SessionTermsMaker(services, authenticator, ground.own_addresses),
    )


def _doorkeeper(ground: _Ground, expected: ExpectedHosts) -> Doorkeeper:
    def limits(config: Config) -> DoorLimits:
        return door_limits(config.reception, sessions_possible())

    door = Doorkeeper(limits(ground.settings.config), expected.is_home, time.monotonic)
    ground.settings.on_change(lambda config: door.set_limits(limits(config)))
    return door


def _listeners(ground: _Ground, door: Doorkeeper) -> Listeners:
    """Make the listeners, which a reload opens and closes; `own_addresses` follows."""
    listeners = Listeners(door, time.monotonic)
    metrics_addresses = ground.setup.metrics_addresses

    def note_addresses(_config: Config) -> None:
        bound = [listener.address for listener in listeners]
        ground.own_addresses[:] = [*bound, *metrics_addresses]

    ground.settings.on_change(note_addresses)
    return listeners


def _memory_budget(ground: _Ground) -> MemoryBudget:
    budget = MemoryBudget(ground.settings.config.reception.octets_in_flight_limit)
    ground.settings.on_change(
        lambda config: budget.set_limit(config.reception.octets_in_flight_limit)
    )
    return budget


def _disk_space(ground: _Ground) -> DiskSpace:
    free = partial(free_octets, ground.setup.config.store_directory)
    space = DiskSpace(free, ground.settings.config.reception.disk_reserve)
    ground.settings.on_change(lambda config: space.set_reserve(config.reception.disk_reserve))
    return space


def _authenticator(ground: _Ground) -> Authenticator:
    pending = ground.setup.config.reception.pending_authentications_limit
    return Authenticator(ground.setup.vault, password_lanes(pending), proof_lanes(pending))


def _auth_gate(ground: _Ground, authenticator: Authenticator, expected: ExpectedHosts) -> AuthGate:
    bursts = AuthBursts(ground.setup.log, time.monotonic)
    settings = ground.setup.config.reception
    gate = AuthGate(authenticator, expected, settings, time.monotonic, on_failure=bursts.failed)
    ground.settings.on_change(lambda config: gate.set_limits(config.reception))
    return gate


def _intake(ground: _Ground, arrivals: Arrivals) -> Intake:
    return Intake(
        ground.records.store,
        ground.setup.log,
        time.time,
        hostname=ground.setup.config.hostname,
        on_held=arrivals.held,
    )


def _domain_facts(ground: _Ground, delivery: DeliveryParts) -> FactsLookup:
    records = ground.records
    return FactsLookup(
        records.store, records.directory, time.time, delivery.watcher.is_up, records.recipients.of
    )


# Administration


def _build_admin(ground: _Ground, delivery: DeliveryParts, reception: ReceptionParts) -> AdminParts:
    store, log = ground.records.store, ground.setup.log
    scrubber = Scrubber(store, log, time.time, time.monotonic)
    loop_lag = LoopLag(log, time.monotonic)
    instruments = _instruments(ground, delivery, reception, scrubber, loop_lag)
    reloader = Reloader(
        ground.settings,
        ReloadTargets(
            listeners=reception.listeners,
            terms=reception.terms.terms,
            vault=ground.setup.vault,
            log=log,
            now=time.time,
            spawn=ground.spawner.spawn,
        ),
    )
    surface = RunningServer(
        releaser=delivery.releaser,
        dispatcher=delivery.dispatcher,
        watcher=delivery.watcher,
        reports=delivery.reports,
        listeners_open=reception.listeners,
        counts=ground.setup.counts,
        instruments=instruments,
        configuration_state=lambda: reloader.state,
    )
    return AdminParts(
        context=_admin_context(ground, delivery, reception, surface),
        instruments=instruments,
        reloader=reloader,
        scrubber=scrubber,
        loop_lag=loop_lag,
        control_door=HttpDoor(HttpService.CONTROL, http_connections_possible()),
        metrics_door=HttpDoor(HttpService.METRICS, http_connections_possible()),
    )


def _instruments(
    ground: _Ground,
    delivery: DeliveryParts,
    reception: ReceptionParts,
    scrubber: Scrubber,
    loop_lag: LoopLag,
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
    )


def _admin_context(
    ground: _Ground,
    delivery: DeliveryParts,
    reception: ReceptionParts,
    surface: RunningServer,
) -> AdminContext:
    return AdminContext(
        store=ground.records.store,
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
        transports=delivery.notices.transports,
        message_size_limit=lambda: ground.settings.config.reception.message_size_limit,
        log=ground.setup.log,
    )
