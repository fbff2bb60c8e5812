"""When a domain's destination answered and when it was away, as the domain's account saw it."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.admin_context import AdminContext
from restante.admin.auditing import moment
from restante.admin.domains import find_domain
from restante.admin.permissions import AdminAction, permit
from restante.admin.primary_state import PrimaryView, primary_view
from restante.admin.request_bounds import UnixTime, check_span
from restante.queue.presence import DestinationState, PresenceChange
from restante.queue.uptime import stretches, uptime
from restante.tenancy.policy import DAY

DEFAULT_SPAN: Final = 30 * DAY
OUTAGE_SPAN: Final = 90 * DAY
PAGE: Final = 1000  # changes
MOST_CHANGES: Final = 20 * PAGE  # that are read: one each half hour for 400 days


class UptimeSelection(BaseModel):
    """The span of time, and how many changes and stretches to list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: UnixTime | None = None  # Unix time; None: 30 days before the end
    until: UnixTime | None = None  # Unix time; None: now
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class PresenceChangeView(BaseModel):
    """The destination came up, went away, or is not probed any more."""

    at: datetime
    seen: DestinationState
    reason: str  # why it was found away


class StretchView(BaseModel):
    """A time in which the destination was in one state. Its ends are within the span."""

    since: datetime
    until: datetime
    seen: DestinationState
    reason: str  # why it was found away


class UptimeView(BaseModel):
    """The uptime of a domain's present destination."""

    domain: str
    destination: str
    primary: PrimaryView  # now
    since: datetime  # later than asked for where there are too many changes
    until: datetime
    up_seconds: float
    away_seconds: float  # the rest of the span is unknown
    up_ratio: float | None  # of the known time; null if nothing is known
    outages: int
    changes: list[PresenceChangeView]  # in the span, newest first
    stretches: list[StretchView]  # of the known time, newest first


async def show_uptime(context: AdminContext, name: str, wanted: UptimeSelection) -> UptimeView:
    """Return the uptime of a domain's destination in a span of time. Raises AdminError."""
    permit(context.principal, AdminAction.DOMAIN_SHOW)
    domain = find_domain(context, name)
    now = context.now()
    until = now if wanted.until is None else min(wanted.until, now)
    since = until - DEFAULT_SPAN if wanted.since is None else wanted.since
    check_span(since, until)
    changes, since = await _changes(context, domain.account, domain.destination.text, since, until)
    spent = uptime(changes, since, until)
    return UptimeView(
        domain=domain.name,
        destination=domain.destination.text,
        primary=primary_view(context, domain.destination),
        since=moment(since),
        until=moment(until),
        up_seconds=spent.up,
        away_seconds=spent.away,
        up_ratio=spent.ratio,
        outages=spent.outages,
        changes=[
            PresenceChangeView(at=moment(one.at), seen=one.seen, reason=one.reason)
            for one in changes
            if one.at >= since
        ][: wanted.limit],
        stretches=_stretches(changes, since, until, wanted.limit),
    )


async def longest_outage(context: AdminContext, account: str, destination: str) -> float:
    """Return the seconds of the longest outage of a destination in the last 90 days."""
    now = context.now()
    since = now - OUTAGE_SPAN
    changes, since = await _changes(context, account, destination, since, now)
    away = (
        one.until - one.since
        for one in stretches(changes, since, now)
        if one.seen is DestinationState.AWAY
    )
    return max(away, default=0.0)


def _stretches(
    changes: Sequence[PresenceChange], since: float, until: float, limit: int
) -> list[StretchView]:
    return [
        StretchView(
            since=moment(one.since), until=moment(one.until), seen=one.seen, reason=one.reason
        )
        for one in islice(stretches(changes, since, until), limit)
    ]


async def _changes(
    context: AdminContext, account: str, destination: str, since: float, until: float
) -> tuple[list[PresenceChange], float]:
    """Return the changes back to the last one before `since`, and the time they reach back to."""
    found: list[PresenceChange] = []
    before: int | None = None
    while len(found) < MOST_CHANGES:
        page = await context.store.presence.presence_changes(
            account, destination, before=before, limit=PAGE
        )
        for number, change in page:
            before = number
            if change.at < until:
                found.append(change)
            if change.at <= since:
                return found, since
        if len(page) < PAGE:
            return found, since
    return found, found[-1].at
