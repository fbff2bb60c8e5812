"""Drains as an operator sees and stops them."""

import math
from collections.abc import Iterator
from datetime import datetime
from heapq import nsmallest
from itertools import chain
from operator import attrgetter
from typing import Final

from pydantic import BaseModel, ConfigDict

from restante.admin.admin_context import AdminContext, ServerSurface
from restante.admin.admin_error import AdminError, ErrorKind, no_server
from restante.admin.auditing import announce, entry, moment
from restante.admin.domains import find_domain
from restante.admin.listing_page import MOST_ROWS, ListingPage, bad_cursor, page_of
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import LineText
from restante.background.loop_slices import in_slices, in_turns
from restante.delivery.drain_state import DrainSnapshot
from restante.queue.deferral_cause import DeferralCause
from restante.queue.drain_word import DrainEnd, DrainState, DrainWay
from restante.store.handover_store import PastDrain
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import HostedDomain

AT_ONCE: Final = 200  # snapshots of drains, before others get a turn: about a millisecond


class DrainView(BaseModel):
    """One drain. Counts are of messages, since it started."""

    domain: str
    destination: str
    way: DrainWay = DrainWay.DESTINATION
    state: DrainState
    started_at: datetime
    delivered: int
    refused: int
    uncertain: int  # the destination may have them
    deferred: int
    connections: int
    next_attempt_at: datetime | None
    last_error: str
    hindrance: DeferralCause | None  # the cause of the last error; a rate limit passes with time
    rate: float = 0.0  # messages delivered a second, in the last half minute of progress
    last_reply: str = ""  # the destination's last reply about a message
    last_reply_at: datetime | None = None
    failed_at: datetime | None = None  # the end of the last attempt, if it failed


class LastDrainView(BaseModel):
    """The result of a domain's last drain."""

    domain: str
    started_at: datetime
    ended_at: datetime
    requested_by: str
    end: DrainEnd
    reason: str  # why it ended
    delivered: int
    deferred: int
    refused: int
    uncertain: int  # not among the refused
    last_error: str  # the last error, mostly in the destination's words


class DrainStop(BaseModel):
    """Why a drain must stop."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: LineText = ""


async def list_drains(
    context: AdminContext, after: str = "", limit: int = MOST_ROWS
) -> ListingPage[DrainView]:
    """Return the first drains that run or wait, in the order of their start; none without a server.

    Raises AdminError for a bad cursor.
    """
    permit(context.principal, AdminAction.DRAIN_LIST)
    begin = _place_of(after)
    first: list[DrainSnapshot] = []
    async for some in in_slices(running_drains(context), AT_ONCE):
        found = (one for one in some if _place(one) > begin)
        first = nsmallest(limit + 1, chain(first, found), _place)
    return page_of(first, limit, drain_view, _cursor)


def running_drains(context: AdminContext) -> Iterator[DrainSnapshot]:
    """Yield the drains in scope. Each snapshot is made at its turn: there may be ten thousand."""
    drains = () if context.server is None else context.server.drains()
    return (one for one in drains if _is_in_scope(context, one))


def _place(drain: DrainSnapshot) -> tuple[float, str]:
    return drain.started_at, drain.domain


def _cursor(drain: DrainSnapshot) -> str:
    return f"{drain.started_at!r}/{drain.domain}"


def _place_of(cursor: str) -> tuple[float, str]:
    if not cursor:
        return -math.inf, ""
    began, slash, domain = cursor.partition("/")
    try:
        place = float(began)
    except ValueError:
        place = math.nan
    if not slash or not math.isfinite(place):
        raise bad_cursor(cursor)
    return place, domain


async def _drain_of(server: ServerSurface, domain: HostedDomain) -> DrainSnapshot | None:
    """Return a domain's drain; it may run on another node."""
    if (here := server.drain_of(domain.id)) is not None:
        return here
    async for one in in_turns(server.drains()):
        if one.domain == domain.name:
            return one
    return None


async def stop_drain(context: AdminContext, name: str, order: DrainStop) -> DrainView:
    """End a domain's drain; the remaining mail stays held. Returns the drain as it was.

    It ends when the outstanding replies are there, after some seconds at most. Raises AdminError.
    """
    permit(context.principal, AdminAction.DRAIN_STOP)
    if context.server is None:
        raise no_server("drain stop")
    domain = find_domain(context, name)
    running = None
    if context.server.is_draining(domain.id):
        running = await _drain_of(context.server, domain)
    if running is None:
        remedy = "`restante drain list` shows the domains that have one"
        raise AdminError(ErrorKind.NOT_FOUND, f"domain {domain.name}: has no drain now", remedy)
    if running.state is DrainState.STOPPING:
        return drain_view(running)
    recorded = entry(
        context,
        AuditAction.DRAIN_STOPPED,
        domain.name,
        domain.account,
        order.reason,
        domain=domain.name,
    )
    await context.store.audit.record([recorded])
    announce(context, recorded)
    why = f": {order.reason}" if order.reason else ""
    await context.server.stop_drain(domain.id, f"stopped by {context.principal.name}{why}")
    return drain_view(running)


async def last_drains(
    context: AdminContext, name: str | None = None, after: str = ""
) -> Iterator[LastDrainView]:
    """Return the result of the last drain of each domain by name, or of one domain.

    `after` is the domain of the last one that is left out. There is none for a domain without a
    drain so far. Raises AdminError.
    """
    permit(context.principal, AdminAction.DRAIN_LIST)
    hosted = (
        [
            one
            for one in context.directory.now.domains.values()
            if context.principal.sees_domain(one.account, one.name)
        ]
        if name is None
        else [find_domain(context, name)]
    )
    only = None if name is None else [one.id for one in hosted]
    past = await context.store.handover.past_drains(only)
    ended = [one for one in hosted if one.name > after and one.id in past]
    ended.sort(key=attrgetter("name"))
    return (last_drain_view(domain.name, past[domain.id]) for domain in ended)


def _is_in_scope(context: AdminContext, drain: DrainSnapshot) -> bool:
    domain = context.directory.now.domains.get(drain.domain)
    if domain is None:  # it was removed meanwhile
        return context.principal.sees_everything
    return context.principal.sees_domain(domain.account, domain.name)


def last_drain_view(domain: str, past: PastDrain) -> LastDrainView:
    """Return the view of a domain's last drain."""
    return LastDrainView(
        domain=domain,
        started_at=moment(past.started_at),
        ended_at=moment(past.ended_at),
        requested_by=past.requested_by,
        end=past.end,
        reason=past.reason,
        delivered=past.delivered,
        deferred=past.deferred,
        refused=past.refused,
        uncertain=past.uncertain,
        last_error=past.last_error,
    )


def drain_view(drain: DrainSnapshot) -> DrainView:
    """Return the view of a running drain."""
    return DrainView(
        domain=drain.domain,
        destination=drain.destination,
        way=drain.way,
        state=drain.state,
        started_at=moment(drain.started_at),
        delivered=drain.delivered,
        refused=drain.refused,
        uncertain=drain.uncertain,
        deferred=drain.deferred,
        connections=drain.connections,
        next_attempt_at=None if drain.next_attempt_at is None else moment(drain.next_attempt_at),
        last_error=drain.last_error,
        hindrance=drain.hindrance,
        rate=round(drain.rate, 3),
        last_reply=drain.last_reply,
        last_reply_at=None if drain.last_reply_at is None else moment(drain.last_reply_at),
        failed_at=None if drain.failed_at is None else moment(drain.failed_at),
    )
