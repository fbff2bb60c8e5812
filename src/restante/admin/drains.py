"""Drains as an operator sees and stops them."""

from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from restante.admin.domains import find_domain
from restante.admin.errors import AdminError, Kind, no_server
from restante.admin.office import Office, RunningDrain
from restante.admin.trail import announce, entry, moment
from restante.tenancy.audit import AuditAction


class DrainView(BaseModel):
    """One drain. Counts are of messages, since it started."""

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
    hindrance: str  # what the last error is a sign of: "rate limit" (passes with time), "policy" (does not), or ""


class DrainStop(BaseModel):
    """Why a drain is to be stopped."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str = ""


def list_drains(office: Office) -> list[DrainView]:
    """Return the drains that run or wait, in the order in which they started; none without a running server."""
    return [_view(drain) for drain in office.server.drains()] if office.server else []


async def stop_drain(office: Office, name: str, order: DrainStop) -> DrainView:
    """End a domain's drain; what it has not handed over stays held. Returns it as it was.

    It ends when the replies outstanding are there, after some seconds at most. Raises AdminError.
    """
    if office.server is None:
        raise no_server("drain stop")
    domain = find_domain(office, name)
    running = next((drain for drain in office.server.drains() if drain.domain == domain.name), None)
    if running is None:
        remedy = "`restante drain list` shows the domains that have one"
        raise AdminError(Kind.NOT_FOUND, f"domain {domain.name}: has no drain now", remedy)
    recorded = entry(office, AuditAction.DRAIN_STOPPED, domain.name, domain.account, order.reason, domain=domain.name)
    await office.store.record([recorded])
    announce(office, recorded)
    why = f": {order.reason}" if order.reason else ""
    office.server.stop_drain(domain.id, f"stopped by the operator{why}")
    return _view(running)


def _view(drain: RunningDrain) -> DrainView:
    next_attempt = None if drain.next_attempt_at is None else moment(drain.next_attempt_at)
    return DrainView(
        **asdict(drain) | {"started_at": moment(drain.started_at), "next_attempt_at": next_attempt}  # the rest is alike
    )
