"""Builds the parts that accept mail."""

import socket
import time
from collections.abc import Sequence
from typing import Any

from restante.background.stranger_lookups import StrangerLookups
from restante.checks.check import Check, CheckLimits
from restante.checks.check_runner import CheckRunner
from restante.checks.dns_list_check import DnsListCheck
from restante.checks.early_talker import EarlyTalkerCheck
from restante.checks.filter_check import ContentFilter, FilterCheck
from restante.checks.greylist_check import GreylistCheck
from restante.checks.milter_filter import MilterFilter
from restante.checks.rspamd_filter import RspamdFilter
from restante.checks.spf_check import NO_SPF, SpfCheck, spf_seconds
from restante.checks.suspicion import SuspicionCheck
from restante.config.listen_settings import ACME, WEB
from restante.config.schema import CONTROL_NAME, Config
from restante.network.dns_lists import NO_LIST_ANSWERED, DnsListLookup, list_seconds
from restante.network.ptr_lookup import LOOKUP_FAILED, PtrLookup, ptr_seconds
from restante.readiness.spf_lookup import find_spf
from restante.reception.after_holding import AfterHolding
from restante.reception.auth_bursts import AuthBursts
from restante.reception.auth_gate import AuthGate
from restante.reception.authentication import Authenticator
from restante.reception.batch_gathering import BatchGathering
from restante.reception.content_buffer import ContentParts
from restante.reception.credential_lanes import password_lanes, proof_lanes
from restante.reception.descriptor_limit import sessions_possible
from restante.reception.disk_space import DiskSpace
from restante.reception.domain_facts import FactsLookup, quotas_of
from restante.reception.doorkeeper import Doorkeeper, DoorLimits, door_limits
from restante.reception.greeting_pause import GreetingPause
from restante.reception.intake import Intake
from restante.reception.listeners import AnyListener, Listeners
from restante.reception.login_keeper import LoginKeeper
from restante.reception.memory_budget import MemoryBudget
from restante.reception.primary_addresses import ExpectedHosts
from restante.reception.quota_reservations import QuotaReservations
from restante.reception.recipient_admission import AdmissionParts
from restante.reception.services import DialogueServices
from restante.reception.session_traces import SessionTraces, TracedProcess
from restante.request_limits.failed_logins import FailureLedger
from restante.server.built_parts import (
    BuildContext,
    DeliveryParts,
    ReceptionParts,
)
from restante.server.session_settings_maker import SessionSettingsMaker, admission_settings
from restante.tenancy.drill_pass import is_drill_pass

# A look-up has bounds of its own: many sessions may wait for it.
LOOKUP_LIMITS = CheckLimits(seconds=3.0, at_once=2000)
# A filter limits its time itself; these seconds have the wait for a slot too.
FILTER_LIMITS = CheckLimits(seconds=12.0, at_once=50)


def build_reception(ground: BuildContext, delivery: DeliveryParts) -> ReceptionParts:
    """Build them on those of delivery."""
    expected = ExpectedHosts(ground.records.directory, ground.host_names.known)
    authenticator = _authenticator(ground)
    auth_gate = _auth_gate(ground, authenticator, expected)
    after_holding, reservations = _after_holding(ground, delivery), QuotaReservations()
    intake = _intake(ground, after_holding)
    content, disk_space = _content_parts(ground), _disk_space(ground)
    services = DialogueServices(
        admission=_admission_parts(ground, delivery, after_holding, reservations),
        content=content,
        intake=intake,
        auth_gate=auth_gate,
        releaser=delivery.releaser,
        log=ground.setup.log,
        settings=ground.setup.config.reception,
        disk_space=disk_space,
        store=ground.records.store.upkeep,
        checks=_checks(ground, delivery),
    )
    door, traces = _doorkeeper(ground, expected), _session_traces(ground)
    return ReceptionParts(
        door=door,
        memory_budget=content.budget,
        disk_space=disk_space,
        auth_gate=auth_gate,
        reservations=reservations,
        intake=intake,
        listeners=_listeners(ground, door),
        session_settings=SessionSettingsMaker(
            services,
            authenticator,
            ground.own_addresses,
            _greeting_pause(ground, expected),
            traces,
        ),
        logins=_login_keeper(ground),
        traces=traces,
    )


def _session_traces(ground: BuildContext) -> SessionTraces:
    worker, config = ground.setup.worker, ground.setup.config
    if worker is None:
        return SessionTraces()
    others = {
        number: str(config.worker_directory(number) / CONTROL_NAME)
        for number in range(1, config.workers + 1)
        if number != worker.number
    }
    return SessionTraces(process=TracedProcess(worker.number, config.workers, others))


def _admission_parts(
    ground: BuildContext,
    delivery: DeliveryParts,
    after_holding: AfterHolding,
    reservations: QuotaReservations,
) -> AdmissionParts:
    records, setup = ground.records, ground.setup
    names = PtrLookup(setup.config.resolver.endpoints)
    facts = FactsLookup(
        records.store.figures,
        records.directory,
        time.time,
        is_up=delivery.watcher.is_up,
        book=records.recipients.of,
        reservations=reservations,
    )
    return AdmissionParts(
        directory=records.directory,
        facts=facts,
        after_holding=after_holding,
        settings=admission_settings(setup.config, ground.own_addresses, setup.identity),
        callout=delivery.dispatcher.ask_destination,
        is_drill=lambda given, domain: is_drill_pass(setup.vault, given, domain.name, time.time()),
        client_names=StrangerLookups(
            lambda address, _about: names.answer(address),
            LOOKUP_FAILED,
            ptr_seconds,
            ground.spawner.spawn,
            time.monotonic,
        ),
    )


def _content_parts(ground: BuildContext) -> ContentParts:
    store = ground.records.store
    return ContentParts(
        store.reception, store.content, _memory_budget(ground), ground.spawner.spawn
    )


def _doorkeeper(ground: BuildContext, expected: ExpectedHosts) -> Doorkeeper:
    def limits(config: Config) -> DoorLimits:
        return door_limits(config.reception, sessions_possible())

    door = Doorkeeper(
        limits(ground.settings.config),
        expected.is_authorized,
        time.monotonic,
        lambda: ground.records.store.nodes.servers,
    )
    ground.settings.on_change(lambda config: door.set_limits(limits(config)))
    return door


def _listeners(ground: BuildContext, door: Doorkeeper) -> Listeners:
    """Make the listeners, which a reload opens and closes; `own_addresses` follows."""
    is_shared = ground.setup.worker is not None
    listeners = Listeners(
        door, time.monotonic, {WEB: _http_listener, ACME: _http_listener}, is_shared=is_shared
    )
    metrics_addresses = ground.setup.metrics_addresses

    def note_addresses(_config: Config) -> None:
        bound = [listener.address for listener in listeners]
        ground.own_addresses[:] = [*bound, *metrics_addresses]

    ground.settings.on_change(note_addresses)
    return listeners


def _http_listener(service: str, bound: socket.socket, settings: Any) -> AnyListener:
    """Make a listener of HTTP. Administration asks for one, and has loaded its module."""
    from restante.web.web_listener import WebListener  # noqa: PLC0415  heavy

    return WebListener(service, bound, settings)


def _memory_budget(ground: BuildContext) -> MemoryBudget:
    budget = MemoryBudget(ground.settings.config.reception.octets_in_flight_limit)
    ground.settings.on_change(
        lambda config: budget.set_limit(config.reception.octets_in_flight_limit)
    )
    return budget


def _disk_space(ground: BuildContext) -> DiskSpace:
    care = ground.records.store.upkeep
    space = DiskSpace(care.free_octets, ground.settings.config.reception.disk_reserve)
    ground.settings.on_change(lambda config: space.set_reserve(config.reception.disk_reserve))
    return space


def _checks(ground: BuildContext, delivery: DeliveryParts) -> Sequence[CheckRunner]:
    """Return the checks that are on, in the order in which they are asked.

    A reload changes them. Sessions keep those that were on at their first message.
    """
    checks: list[tuple[Check, CheckLimits]] = [
        (SuspicionCheck(ground.records.directory), CheckLimits()),
        (EarlyTalkerCheck(), CheckLimits()),
        (_greylist_check(ground, delivery), CheckLimits()),
        (_dns_list_check(ground), LOOKUP_LIMITS),
        (_spf_check(ground), LOOKUP_LIMITS),
        (_rspamd_check(ground), FILTER_LIMITS),
    ]

    def running(check: Check, limits: CheckLimits) -> CheckRunner:
        return CheckRunner(check, limits, ground.setup.log, time.monotonic)

    def milters(config: Config) -> list[CheckRunner]:
        return [
            running(_filter_check(ground, MilterFilter(one, ground.resolver)), FILTER_LIMITS)
            for one in config.hygiene.milters
        ]

    known = [running(check, limits) for check, limits in checks]
    asked: list[CheckRunner] = []

    def begin_again(config: Config) -> None:
        asked[:] = [runner for runner in (*known, *milters(config)) if runner.is_on]

    begin_again(ground.settings.config)
    ground.settings.on_change(begin_again)
    return asked


def _filter_check(ground: BuildContext, asked: ContentFilter) -> FilterCheck:
    return FilterCheck(asked, ground.setup.log, time.monotonic)


def _greylist_check(ground: BuildContext, delivery: DeliveryParts) -> GreylistCheck:
    settings = ground.settings
    return GreylistCheck(lambda: settings.config.hygiene, delivery.watcher.is_up, time.monotonic)


def _dns_list_check(ground: BuildContext) -> DnsListCheck:
    """Make the check of block lists; after a reload, it asks the lists of the new settings."""
    settings = ground.settings
    lookup = DnsListLookup(
        ground.setup.config.resolver.endpoints, lambda: [*settings.config.hygiene.weights]
    )
    found = StrangerLookups(
        lambda address, _about: lookup.answer(address),
        NO_LIST_ANSWERED,
        list_seconds,
        ground.spawner.spawn,
        time.monotonic,
    )
    settings.on_change(lambda _config: found.forget())
    return DnsListCheck(found, lambda: settings.config.hygiene)


def _spf_check(ground: BuildContext) -> SpfCheck:
    settings, hostname = ground.settings, ground.setup.config.hostname
    found = StrangerLookups(
        lambda address, domain: find_spf(ground.resolver, str(address), domain, hostname),
        NO_SPF,
        spf_seconds,
        ground.spawner.spawn,
        time.monotonic,
    )
    return SpfCheck(found, lambda: settings.config.hygiene)


def _rspamd_check(ground: BuildContext) -> FilterCheck:
    """Make the check by rspamd; after a reload, it asks the one of the new settings."""
    settings = ground.settings
    rspamd = RspamdFilter(lambda: settings.config.hygiene.rspamd, ground.resolver)
    check = _filter_check(ground, rspamd)

    def begin_again(_config: Config) -> None:
        check.settings_changed()
        ground.spawner.spawn(rspamd.forget())

    settings.on_change(begin_again)
    return check


def _greeting_pause(ground: BuildContext, expected: ExpectedHosts) -> GreetingPause:
    return GreetingPause(
        lambda: ground.settings.config.hygiene.greeting_pause,
        expected.is_authorized,
        time.monotonic,
    )


def _authenticator(ground: BuildContext) -> Authenticator:
    pending = ground.setup.config.reception.pending_authentications_limit
    return Authenticator(ground.setup.vault, password_lanes(pending), proof_lanes(pending))


def _auth_gate(
    ground: BuildContext, authenticator: Authenticator, expected: ExpectedHosts
) -> AuthGate:
    bursts = AuthBursts(ground.setup.log, time.monotonic)
    settings = ground.setup.config.reception
    ledger = FailureLedger(settings.failures_until_refusal, settings.failure_memory)
    gate = AuthGate(
        authenticator,
        expected,
        settings,
        time.monotonic,
        on_failure=bursts.failed,
        failures=ground.failures.share("login", ledger),
        servers=lambda: ground.records.store.nodes.servers,
    )
    ground.settings.on_change(lambda config: gate.set_limits(config.reception))
    return gate


def _login_keeper(ground: BuildContext) -> LoginKeeper:
    records, setup = ground.records, ground.setup
    clocks = ground.clocks
    return LoginKeeper(
        records.store, records.directory, setup.heard.logins, setup.log, clocks=clocks
    )


def _after_holding(ground: BuildContext, delivery: DeliveryParts) -> AfterHolding:
    return AfterHolding(
        ground.records.store.figures,
        ground.records.directory,
        ground.setup.log,
        time.monotonic,
        on_mail=delivery.watcher.mail_came,
    )


def _intake(ground: BuildContext, after_holding: AfterHolding) -> Intake:
    return Intake(
        ground.records.store.reception,
        ground.setup.log,
        time.time,
        hostname=ground.setup.config.hostname,
        on_held=after_holding.held,
        quotas_of=lambda domain_ids: quotas_of(ground.records.directory.now, domain_ids),
        gathering=BatchGathering() if ground.setup.config.store_directory is None else None,
    )
