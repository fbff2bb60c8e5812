"""Requests to release mail, by anybody, and how far each has come."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import moment
from restante.admin.domains import find_domain
from restante.admin.held_mail import MAX_NAME_LENGTH
from restante.admin.listing_page import (
    PAGE_ROWS,
    Cursor,
    ListingPage,
    PageLimit,
    bad_cursor,
    page_of,
)
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import UnixTime, check_span
from restante.admin.scope import domain_ids_in_scope, list_past_releases
from restante.delivery.drain_state import DrainSnapshot
from restante.mail.message import message_name, message_number
from restante.queue.drain_word import DrainEnd, DrainState, DrainWay
from restante.store.release_store import (
    PastRelease,
    ReleaseDrain,
    ReleaseFilter,
    ReleaseProgress,
    ReleaseRecord,
)
from restante.tenancy.release_result import ReleaseResult, result_text

DRAINS_SHOWN: Final = 100  # of one release: an account may have ten thousand domains
REQUESTS_READ: Final = 100  # the newest, to find those that were refused
_DRAINS_READ: Final = 20_000
_REFUSALS: Final = (ReleaseResult.REFUSED, ReleaseResult.NOT_A_TARGET)  # of somebody known


class ReleaseSelection(BaseModel):
    """The releases to list; None means any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: str | None = None  # it was named, or its mail was released
    account: str | None = None
    since: UnixTime | None = None  # Unix time
    until: UnixTime | None = None  # Unix time
    after: Cursor = ""  # the id of a release
    limit: PageLimit = PAGE_ROWS


class PastReleaseView(BaseModel):
    """A request for release: the answer and the progress. Counts are of messages since then."""

    id: str
    at: datetime
    requested_by: str
    acted_from: str  # the address or the place that it came from
    target: str  # as it was asked for
    account: str
    result: ReleaseResult
    text: str  # the result in words
    reason: str  # the true one
    pending: int  # messages released, at the time of the request
    way: DrainWay  # of its mail: to the destination, or over the client's connection (ATRN)
    state: Literal["running", "ended"]
    ends: list[DrainEnd]  # of its drains, each once; empty while it runs, and without a drain
    drains: int  # domains whose mail was released
    running: int  # of them, those whose drain is not over
    delivered: int
    refused: int
    uncertain: int  # not among the refused
    left: int  # held: now, and at its end for a drain that is over
    ended_at: datetime | None
    rate: float  # messages delivered a second: lately, or on average if it has ended
    eta: datetime | None  # the end, if it goes on at this rate; None if nobody can tell


class ReleaseDrainView(BaseModel):
    """One domain's part of a release."""

    domain: str
    state: DrainState | Literal["ended"]
    delivered: int
    refused: int
    uncertain: int
    left: int
    ended_at: datetime | None
    end: DrainEnd | None  # None while it runs
    next_attempt_at: datetime | None
    last_error: str  # mostly in the destination's words; "" if it is over


class ReleaseDetailView(PastReleaseView):
    """One release, with the drains of its first domains."""

    drains_shown: list[ReleaseDrainView]


class RefusedReleaseRequests(BaseModel):
    """Requests for one target that were refused; the newest is described."""

    id: str  # of the newest
    at: datetime
    requested_by: str
    acted_from: str
    target: str
    domain: str  # of the target; "" if none is hosted here for the principal
    reason: str  # the true one
    count: int


@dataclass(frozen=True, slots=True)
class _Work:
    """The rest of a release, and whether it moves."""

    left: int
    is_moving: bool = False
    rate: float | None = None  # messages a second, lately; None: not all of its drains run here


async def list_releases(
    context: AdminContext, wanted: ReleaseSelection
) -> ListingPage[PastReleaseView]:
    """Return the newest releases that match, newest first. Raises AdminError."""
    permit(context.principal, AdminAction.RELEASE_LIST)
    check_span(wanted.since, wanted.until)
    before = _place_of(wanted.after)
    domain = find_domain(context, wanted.domain) if wanted.domain else None
    found = await list_past_releases(
        context,
        ReleaseFilter(
            account=wanted.account,
            domain=None if domain is None else (domain.name, domain.id),
            since=wanted.since,
            until=wanted.until,
            before=before,
            limit=wanted.limit + 1,
        ),
    )
    works = {
        one.record.id: _work(context, one.progress, await _open_drains(context, one))
        for one in found[: wanted.limit]
    }
    return page_of(
        found,
        wanted.limit,
        lambda one: release_view(one, works[one.record.id], context.now()),
        lambda one: message_name(one.record.id),
    )


async def list_refused_requests(
    context: AdminContext, account: str | None, since: float
) -> list[RefusedReleaseRequests]:
    """Return the targets whose newest request since a Unix time was refused, newest first.

    Only the newest requests are looked at. Raises AdminError.
    """
    permit(context.principal, AdminAction.RELEASE_LIST)
    wanted = ReleaseFilter(account=account, since=since, limit=REQUESTS_READ)
    newest: dict[str, ReleaseRecord] = {}
    counts: Counter[str] = Counter()
    for one in await list_past_releases(context, wanted):
        record = one.record
        newest.setdefault(record.target, record)
        counts[record.target] += record.result in _REFUSALS
    return [
        RefusedReleaseRequests(
            id=message_name(record.id),
            at=moment(record.at),
            requested_by=record.actor,
            acted_from=record.acted_from,
            target=target,
            domain=record.domain if _is_hosted(context, record.domain) else "",
            reason=record.reason,
            count=counts[target],
        )
        for target, record in newest.items()
        if record.result in _REFUSALS
    ]


def _is_hosted(context: AdminContext, name: str) -> bool:
    domain = context.directory.now.domains.get(name)
    return domain is not None and context.principal.sees_domain(domain.account, domain.name)


async def show_release(context: AdminContext, name: str) -> ReleaseDetailView:
    """Return one release. Raises AdminError, the same for a foreign and an unknown one."""
    permit(context.principal, AdminAction.RELEASE_LIST)
    found = await list_past_releases(context, ReleaseFilter(ids=(_number_of(name),)))
    if not found:
        raise _unknown(name)
    [release] = found
    drains = await context.store.releases.release_drains(release.record.id, _DRAINS_READ)
    work = _work(context, release.progress, [one for one in drains if one.ended_at is None])
    seen = domain_ids_in_scope(context)
    shown = [one for one in drains if seen is None or one.domain_id in seen][:DRAINS_SHOWN]
    return ReleaseDetailView(
        **release_view(release, work, context.now()).model_dump(),
        drains_shown=[_drain_view(context, one) for one in shown],
    )


async def _open_drains(context: AdminContext, release: PastRelease) -> Sequence[ReleaseDrain]:
    if not release.progress.open:
        return ()
    drains = await context.store.releases.release_drains(release.record.id, _DRAINS_READ)
    return [one for one in drains if one.ended_at is None]


def _work(
    context: AdminContext, progress: ReleaseProgress, running: Sequence[ReleaseDrain]
) -> _Work:
    seen = domain_ids_in_scope(context)  # a domain may have moved to another account since
    if seen is not None:
        running = [one for one in running if one.domain_id in seen]
    held = sum(context.store.figures.usage(one.domain_id).held for one in running)
    snapshots = [_snapshot(context, one.domain_id) for one in running[:DRAINS_SHOWN]]
    known = [one for one in snapshots if one is not None and one.state is not DrainState.UNCLAIMED]
    is_moving = any(one.state is DrainState.DELIVERING for one in known)
    rate = sum(one.rate for one in known) if len(known) == len(running) else None
    return _Work(progress.left + held, is_moving, rate)


def release_view(release: PastRelease, work: _Work, now: float) -> PastReleaseView:
    """Return the view of a release; `now` is Unix time."""
    record, progress = release.record, release.progress
    is_running = bool(progress.open)
    ended_at = record.at if progress.ended_at is None else progress.ended_at
    seconds = (now if is_running else ended_at) - record.at
    rate = progress.delivered / seconds if seconds > 0 else 0.0
    if is_running and work.rate is not None:
        rate = work.rate
    can_tell = is_running and work.is_moving and rate > 0
    return PastReleaseView(
        id=message_name(record.id),
        at=moment(record.at),
        requested_by=record.actor,
        acted_from=record.acted_from,
        target=record.target,
        account=record.account,
        result=record.result,
        text=result_text(record.result, record.pending),
        reason=record.reason,
        pending=record.pending,
        way=record.way,
        state="running" if is_running else "ended",
        ends=[] if is_running else list(progress.ends),
        drains=progress.drains,
        running=progress.open,
        delivered=progress.delivered,
        refused=progress.refused,
        uncertain=progress.uncertain,
        left=work.left,
        ended_at=None if is_running else moment(ended_at),
        rate=round(rate, 3),
        eta=moment(now + work.left / rate) if can_tell else None,
    )


def ended_view(release: PastRelease, now: float) -> PastReleaseView:
    """Return the view of a release, with `left` of the drains that are over."""
    return release_view(release, _Work(release.progress.left), now)


def _drain_view(context: AdminContext, drain: ReleaseDrain) -> ReleaseDrainView:
    domain = context.directory.now.domain_by_id(drain.domain_id)
    is_open = drain.ended_at is None
    snapshot = _snapshot(context, drain.domain_id) if is_open else None
    held = context.store.figures.usage(drain.domain_id).held
    next_attempt_at = snapshot.next_attempt_at if snapshot else None
    return ReleaseDrainView(
        domain=domain.name if domain is not None else "",
        state=_state(snapshot) if is_open else "ended",
        delivered=drain.delivered,
        refused=drain.refused,
        uncertain=drain.uncertain,
        left=held if is_open else drain.left,
        ended_at=None if drain.ended_at is None else moment(drain.ended_at),
        end=drain.end,
        next_attempt_at=None if next_attempt_at is None else moment(next_attempt_at),
        last_error=snapshot.last_error if snapshot else "",
    )


def _state(snapshot: DrainSnapshot | None) -> DrainState:
    return DrainState.UNCLAIMED if snapshot is None else snapshot.state


def _snapshot(context: AdminContext, domain_id: int) -> DrainSnapshot | None:
    return None if context.server is None else context.server.drain_of(domain_id)


def _place_of(cursor: str) -> int | None:
    try:
        return _number_of(cursor) if cursor else None
    except AdminError:
        raise bad_cursor(cursor) from None


def _number_of(name: str) -> int:
    try:
        if not 0 < len(name) <= MAX_NAME_LENGTH:
            raise ValueError(name)  # noqa: TRY301  the same answer as for a wrong letter
        return message_number(name)
    except ValueError:
        raise _unknown(name) from None


def _unknown(name: str) -> AdminError:
    remedy = "`restante drain list --past` shows the requests to release mail"
    return AdminError(ErrorKind.NOT_FOUND, f"release {name!r}: does not exist", remedy)
