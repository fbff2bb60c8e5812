"""The status: held mail by domain, running drains, open listeners; also as numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from heapq import heappush, heappushpop
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from restante import __version__
from restante.admin.accounts import find_account
from restante.admin.admin_context import AdminContext, ScrubFacts, ServerVitals
from restante.admin.admin_error import no_server
from restante.admin.auditing import moment
from restante.admin.configuration_state import ConfigurationState
from restante.admin.domains import find_domain
from restante.admin.drains import (
    DrainView,
    LastDrainView,
    drain_view,
    last_drain_view,
    running_drains,
)
from restante.admin.drill_records import drill_facts
from restante.admin.health import HealthFacts, HealthLevel, judge
from restante.admin.last_requests import LastRequests
from restante.admin.nodes import NodeView, node_views
from restante.admin.permissions import AdminAction, permit
from restante.admin.primary_state import PrimaryView, primary_view
from restante.admin.request_bounds import HostList
from restante.background.loop_slices import in_turns
from restante.queue.sending_outcome import Backlog
from restante.readiness.drill_facts import NO_DRILL, DrillFacts, drill_text
from restante.readiness.drill_timer import next_drill
from restante.reception.doorkeeper import ShedCause
from restante.store.figure_store import NO_USAGE, NONE_SET_APART, DomainUsage, SetApart
from restante.store.handover_store import PastDrain
from restante.telemetry.metric_types import Exposition
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy_settings import hold_in_force


class DomainStatus(BaseModel):
    """The status of one domain."""

    domain: str
    account: str
    destination: str
    messages: int  # in any state
    octets: int
    held: int  # a release hands them over
    refused: int  # by the destination; no recipient is held
    uncertain: int  # the destination may have them
    damaged: int
    deferred_by_policy: int  # held, although it was tried: by a policy of the destination
    oldest_at: datetime | None
    last_request_at: datetime | None  # and granted; by its name, or by a target that covers it
    primary: PrimaryView
    hold: str  # "suspended" while it is
    suspended_for: str  # the reason of the suspension; "" without one
    last_drain: LastDrainView | None
    drill: str  # the last one, such as "proven 12 days ago in 1.9 s"; "" if there was none
    next_drill_at: datetime | None  # by the timer; null without one, or in its first minutes


class ListenerView(BaseModel):
    """One listener."""

    service: str
    address: str
    tls_minimum: str
    sessions: int


class ConfigurationView(BaseModel):
    """The running configuration."""

    read_at: datetime  # when it was read: at the start, or by the last reload that worked
    reload_failed_at: datetime | None  # null unless the last reload failed
    reload_failure: str  # the reason; it changed nothing
    restart_for: list[str]  # settings and listeners that differ from the file until a restart
    unread: list[str]  # settings that were changed in the file and wait for a reload
    file_error: str  # why the file as it is now would not be accepted; "" if it would
    is_file_changed: bool  # the file was changed, and the server may not read how
    unseen: str  # why the server cannot see edits of the file; "" if it sees them
    unread_certificates: list[str]  # changed files of certificates and keys; they wait for a reload
    certificate_error: str  # why these would not be accepted; "" if they would


class BacklogView(BaseModel):
    """The reports or notices that wait to be sent."""

    waiting: int
    oldest_at: datetime | None  # when the oldest of them was made; null if there is none


class StoreView(BaseModel):
    """Whether stored data is as it was written."""

    failure: str  # why no mail is taken or delivered any more; "" while all is well
    damaged_messages: int
    scrubbed_at: (
        datetime | None
    )  # when all of it was last checked; null: not since the start, or no server runs
    is_scrub_under_way: bool
    scrubbed_messages: int  # by the running scrub, or the last one


class RoomView(BaseModel):
    """The disk of the store."""

    free_octets: int | None  # null: the store is in a database, or was not looked at yet
    disk_reserve: int  # octets; with less room, no mail is taken
    is_short: bool


class DoorView(BaseModel):
    """The sessions of the SMTP listeners, and the connections that were turned away."""

    sessions: int  # open now
    sessions_limit: int
    shed: dict[ShedCause, int]  # connections answered 421 since the start, by the limit


class HealthProblemView(BaseModel):
    """One problem."""

    level: HealthLevel
    text: str


class HealthView(BaseModel):
    """Whether the server does its work."""

    level: HealthLevel  # the worst of its problems
    problems: list[HealthProblemView]  # the worst first


class StatusSelection(BaseModel):
    """The domains to show; by default those with mail or problems.

    Of these, at most 1,000 are shown by default: those with a running drain, and those with most
    mail.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: HostList = ()
    account: str | None = None
    everything: bool = False


MOST_SHOWN: Final = 1_000  # domains, without a selection: an answer of 0.9 MB
BUSY_DOMAINS: Final = StatusSelection()


class StatusView(BaseModel):
    """The whole status. Without a running server there are no drains and no listeners."""

    version: str
    hostname: str
    health: HealthView
    at: datetime  # now, by the server's clock
    is_running: bool
    messages: int
    octets: int
    held: int  # a release hands them over
    refused: int  # by the destination; no recipient is held
    uncertain: int  # the destination may have them
    oldest_at: datetime | None  # of the selected domains' mail; null if there is none
    store: StoreView
    room: RoomView | None  # null without a running server
    door: DoorView | None  # null without a running server
    reports: BacklogView  # to senders
    notices: BacklogView
    domains: list[DomainStatus]
    domains_not_shown: int  # those with neither mail nor problems
    domains_left_out: int  # others, as more than 1,000 have mail or problems
    drains: list[DrainView]
    listeners: list[ListenerView]
    nodes: list[NodeView]  # servers that share the store; none if it is of one server
    configuration: ConfigurationView | None  # null without a running server


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The whole status, in parts: there may be ten thousand domains, and as many drains.

    Each view is made at its turn.
    """

    view: StatusView  # without domains and drains
    domains: Iterator[DomainStatus]
    drains: Iterator[DrainView]


async def show_status(
    context: AdminContext, wanted: StatusSelection = BUSY_DOMAINS
) -> ServerStatus:
    """Return the status with the selected domains. Raises AdminError for an unknown one."""
    permit(context.principal, AdminAction.SERVER_STATUS)
    usages = context.store.figures.usages()
    parked = await context.store.figures.set_apart()
    selected = await _selected(context, wanted, usages)
    view = await _summary(context, parked)
    view.domains_not_shown, view.domains_left_out = selected.idle, selected.left_out
    oldest = await _oldest(context, selected)
    view.oldest_at = moment(min(oldest.values())) if oldest else None
    domains = await _domains(context, selected.domains, usages, parked, oldest)
    return ServerStatus(view, domains, map(drain_view, running_drains(context)))


async def summarize_status(context: AdminContext) -> StatusView:
    """Return the status without any domain or drain. Raises AdminError."""
    permit(context.principal, AdminAction.SERVER_STATUS)
    parked = await context.store.figures.set_apart()
    return await _summary(context, parked)


async def _summary(context: AdminContext, parked: Mapping[int, SetApart]) -> StatusView:
    server, usage = context.server, context.store.figures.usage_of_all()
    total = SetApart(*map(sum, zip(NONE_SET_APART, *parked.values(), strict=True)))
    store = _store_view(context, total.damaged)
    notices = await context.store.notices.notice_backlog()
    configuration = await server.configuration() if server is not None else None
    vitals = server.vitals() if server is not None else None
    return StatusView(
        version=__version__,
        hostname=context.network.hostname,
        health=_health(context, store, total.uncertain, notices, configuration),
        at=moment(context.now()),
        is_running=server is not None,
        messages=usage.messages,
        octets=usage.octets,
        held=usage.held,
        refused=usage.refused - total.unheld,
        uncertain=total.uncertain,
        store=store,
        room=None if vitals is None else _room_view(vitals),
        door=None if vitals is None else DoorView(**asdict(vitals.door)),
        reports=_backlog(await context.store.reports.report_backlog()),
        notices=_backlog(notices),
        domains=[],
        oldest_at=None,
        domains_not_shown=0,
        domains_left_out=0,
        drains=[],
        listeners=[ListenerView(**asdict(listener)) for listener in server.listeners()]
        if server
        else [],
        nodes=await node_views(context),
        configuration=_configuration_view(configuration) if configuration else None,
    )


async def show_metrics(context: AdminContext, accept: str) -> Exposition:
    """Return the metrics, in the format of an Accept header.

    Raises AdminError without a running server.
    """
    permit(context.principal, AdminAction.SERVER_METRICS)
    if context.server is None:
        raise no_server("metrics")
    return await context.server.metrics(accept)


def _store_view(context: AdminContext, damaged: int) -> StoreView:
    scrub = context.server.scrub() if context.server is not None else ScrubFacts()
    return StoreView(
        failure=context.store.upkeep.failure,
        damaged_messages=damaged,
        scrubbed_at=None if scrub.ended_at is None else moment(scrub.ended_at),
        is_scrub_under_way=scrub.is_under_way,
        scrubbed_messages=scrub.messages,
    )


def _room_view(vitals: ServerVitals) -> RoomView:
    return RoomView(
        free_octets=vitals.free_octets,
        disk_reserve=vitals.disk_reserve,
        is_short=vitals.is_room_short,
    )


def _backlog(backlog: Backlog) -> BacklogView:
    return BacklogView(
        waiting=backlog.count, oldest_at=None if backlog.since is None else moment(backlog.since)
    )


def _configuration_view(state: ConfigurationState) -> ConfigurationView:
    failed_at = None if state.reload_failed_at is None else moment(state.reload_failed_at)
    return ConfigurationView(
        read_at=moment(state.read_at),
        reload_failed_at=failed_at,
        reload_failure=state.reload_failure,
        restart_for=list(state.restart_for),
        unread=list(state.unread),
        file_error=state.file_error,
        is_file_changed=state.is_file_changed,
        unseen=state.unseen,
        unread_certificates=list(state.unread_certificates),
        certificate_error=state.certificate_error,
    )


def _health(
    context: AdminContext,
    store: StoreView,
    uncertain: int,
    notices: Backlog,
    configuration: ConfigurationState | None,
) -> HealthView:
    server = context.server
    facts = HealthFacts(
        context.now(),
        is_running=server is not None,
        store_failure=store.failure,
        damaged_messages=store.damaged_messages,
        uncertain_messages=uncertain,
        store_absence=context.store.upkeep.absence,
        content_absence=context.store.upkeep.content_absence,
        notices_waiting=notices.count,
        notices_since=notices.since,
    )
    if server is not None:
        facts = _with_vitals(facts, server.vitals())
    if configuration is not None:
        facts = _with_configuration(facts, configuration)
    health = judge(facts)
    problems = [HealthProblemView(level=one.level, text=one.text) for one in health.problems]
    return HealthView(level=health.level, problems=problems)


def _with_vitals(facts: HealthFacts, vitals: ServerVitals) -> HealthFacts:
    return replace(
        facts,
        is_room_short=vitals.is_room_short,
        certificate_expires_at=vitals.certificate_expires_at,
        clock_leap=vitals.clock_leap,
        clock_trusted_from=vitals.clock_trusted_from,
        log_failure=vitals.log_failure,
    )


def _with_configuration(facts: HealthFacts, configuration: ConfigurationState) -> HealthFacts:
    return replace(
        facts,
        reload_failure=configuration.reload_failure,
        restart_for=configuration.restart_for,
        unread=configuration.unread,
        file_error=configuration.file_error,
        is_file_changed=configuration.is_file_changed,
        unread_certificates=configuration.unread_certificates,
        certificate_error=configuration.certificate_error,
        config_warnings=configuration.warnings,
    )


class _Selected(NamedTuple):
    """The domains to show, by name, and how many others were candidates."""

    domains: Sequence[HostedDomain]
    left_out: int = 0  # although they have mail or problems
    idle: int = 0


async def _selected(
    context: AdminContext, wanted: StatusSelection, usages: Mapping[int, DomainUsage]
) -> _Selected:
    """Return the domains to show."""
    directory, now = context.directory.now, context.now()
    if wanted.domain:
        found = {
            find_domain(context, name).name: find_domain(context, name) for name in wanted.domain
        }
        return _Selected([found[name] for name in sorted(found)])
    if wanted.account is not None:
        find_account(context, wanted.account)
    server, most = context.server, MOST_SHOWN if wanted == BUSY_DOMAINS else len(directory.domains)
    shown: list[tuple[bool, int, str]] = []  # a heap, so that the least of them leaves
    busy = idle = 0
    async for domain in in_turns(directory.domains.values()):
        if wanted.account not in (None, domain.account):
            continue
        is_draining = server is not None and server.is_draining(domain.id)
        if not (
            wanted.everything
            or domain.id in usages
            or is_draining
            or domain.policy.suspension_at(now) is not None
        ):
            idle += 1
            continue
        busy += 1
        one = (is_draining, usages.get(domain.id, NO_USAGE).messages, domain.name)
        (heappush if len(shown) < most else heappushpop)(shown, one)
    names = sorted(name for *_, name in shown)
    domains = [directory.domains[name] for name in names if name in directory.domains]
    return _Selected(domains, busy - len(shown), idle)


async def _oldest(context: AdminContext, selected: _Selected) -> Mapping[int, float]:
    """Return since when mail of the selected domains is held, and of those left out."""
    ids = {domain.id for domain in selected.domains}
    if not selected.left_out and len(ids) <= MOST_SHOWN:
        return await context.store.figures.oldest(sorted(ids))
    found = await context.store.figures.oldest()
    return found if selected.left_out else {key: at for key, at in found.items() if key in ids}


async def _domains(
    context: AdminContext,
    domains: Sequence[HostedDomain],
    usages: Mapping[int, DomainUsage],
    parked: Mapping[int, SetApart],
    oldest: Mapping[int, float],
) -> Iterator[DomainStatus]:
    only = [domain.id for domain in domains] if len(domains) <= MOST_SHOWN else None
    requests = LastRequests()
    async for request in in_turns(await context.store.audit.last_requests()):
        requests.add(request)
    past = await context.store.handover.past_drains(only)
    drills = await drill_facts(context.store.retention, only)
    return (
        _domain_status(
            context,
            domain,
            usages.get(domain.id, NO_USAGE),
            oldest.get(domain.id),
            requests.last_for(domain),
            parked=parked.get(domain.id, NONE_SET_APART),
            past=past.get(domain.id),
            drill=drills.get(domain.id, NO_DRILL),
        )
        for domain in domains
    )


def _domain_status(
    context: AdminContext,
    domain: HostedDomain,
    usage: DomainUsage,
    oldest: float | None,
    request: float | None,
    *,
    parked: SetApart,
    past: PastDrain | None,
    drill: DrillFacts,
) -> DomainStatus:
    suspension = domain.policy.suspension_at(context.now())
    next_at = next_drill(domain.name, domain.policy.drill_every, drill)
    return DomainStatus(
        domain=domain.name,
        account=domain.account,
        destination=domain.destination.text,
        messages=usage.messages,
        octets=usage.octets,
        held=usage.held,
        refused=usage.refused - parked.unheld,
        uncertain=parked.uncertain,
        damaged=parked.damaged,
        deferred_by_policy=parked.deferred_by_policy,
        oldest_at=None if oldest is None else moment(oldest),
        last_request_at=None if request is None else moment(request),
        primary=primary_view(context, domain.destination),
        hold=hold_in_force(domain.policy, context.now()),
        suspended_for=suspension.reason if suspension else "",
        last_drain=None if past is None else last_drain_view(domain.name, past),
        drill=drill_text(drill.at(domain.destination), context.now()),
        next_drill_at=None if next_at is None else moment(next_at),
    )
