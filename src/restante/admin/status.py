"""How things stand: held mail by domain, running drains, open listeners; and all of it as numbers, for programs."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel

from restante import __version__
from restante.admin.errors import no_server
from restante.admin.office import Office, RunningDrain
from restante.admin.trail import moment
from restante.store.interface import NO_USAGE, Usage
from restante.telemetry.metrics import Exposition
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import HostedDomain

TRAIL_SEARCHED = 1000  # entries of the trail in which the last request of each domain is looked for


class DomainStatus(BaseModel):
    """What one domain holds."""

    domain: str
    account: str
    destination: str
    messages: int  # refused ones included
    octets: int
    refused: int
    oldest_at: datetime | None
    last_request_at: datetime | None  # None: not among the newest entries of the trail


class DrainView(BaseModel):
    """One drain."""

    domain: str
    destination: str
    state: str
    started_at: datetime
    delivered: int
    refused: int
    deferred: int
    connections: int
    next_attempt_at: datetime | None
    last_error: str


class ListenerView(BaseModel):
    """One listener."""

    service: str
    address: str
    tls_minimum: str
    sessions: int


class StatusView(BaseModel):
    """All of it. Without a running server there are no drains and no listeners."""

    version: str
    hostname: str
    is_running: bool
    messages: int
    octets: int
    refused: int
    domains: list[DomainStatus]
    drains: list[DrainView]
    listeners: list[ListenerView]


async def show_status(office: Office) -> StatusView:
    """Return how things stand."""
    usages = office.store.usages()
    server = office.server
    return StatusView(
        version=__version__,
        hostname=office.hostname,
        is_running=server is not None,
        messages=sum(usage.messages for usage in usages.values()),
        octets=sum(usage.octets for usage in usages.values()),
        refused=sum(usage.refused for usage in usages.values()),
        domains=await _domains(office, usages),
        drains=[_drain_view(drain) for drain in server.drains()] if server else [],
        listeners=[ListenerView(**asdict(listener)) for listener in server.listeners()] if server else [],
    )


async def show_metrics(office: Office, accept: str) -> Exposition:
    """Return the metrics, in the format that an Accept header asks for. Raises AdminError without a running server."""
    if office.server is None:
        raise no_server("metrics")
    return await office.server.metrics(accept)


async def _domains(office: Office, usages: Mapping[int, Usage]) -> list[DomainStatus]:
    oldest = await office.store.oldest()
    requests = await _last_requests(office)
    domains = office.directory.now.domains
    return [
        _domain_status(domain, usages.get(domain.id, NO_USAGE), oldest.get(domain.id), requests.get(name))
        for name, domain in sorted(domains.items())
    ]


async def _last_requests(office: Office) -> dict[str, float]:
    """Return when each domain was last asked for by its name."""
    entries = await office.store.audit(limit=TRAIL_SEARCHED)
    requests = [entry for entry in entries if entry.action is AuditAction.RELEASE_REQUESTED]
    return {entry.subject.lower(): entry.at for entry in reversed(requests)}  # the newest comes first, and so stays


def _domain_status(domain: HostedDomain, usage: Usage, oldest: float | None, request: float | None) -> DomainStatus:
    return DomainStatus(
        domain=domain.name,
        account=domain.account,
        destination=domain.destination.text,
        messages=usage.messages,
        octets=usage.octets,
        refused=usage.refused,
        oldest_at=None if oldest is None else moment(oldest),
        last_request_at=None if request is None else moment(request),
    )


def _drain_view(drain: RunningDrain) -> DrainView:
    next_attempt = None if drain.next_attempt_at is None else moment(drain.next_attempt_at)
    return DrainView(
        **asdict(drain) | {"started_at": moment(drain.started_at), "next_attempt_at": next_attempt}  # the rest is alike
    )
