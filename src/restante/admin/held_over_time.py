"""How much a domain held over time, as its account saw it."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.admin_context import AdminContext
from restante.admin.auditing import moment
from restante.admin.domains import find_domain
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import check_span
from restante.queue.held_peak import (
    KEPT,
    WIDE,
    HeldAmount,
    PeakTally,
    merged,
    shown_width,
    stored_width,
)
from restante.tenancy.policy import DAY

DEFAULT_SPAN: Final = DAY
MOST_POINTS: Final = 300  # or one more; longer spans are shown in wider slots

ShownTime = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]


class HeldSpan(BaseModel):
    """The span of time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: ShownTime | None = None  # None: a day before the end
    until: ShownTime | None = None  # None: now


class HeldPointView(BaseModel):
    """The most that was held in a slot of time."""

    at: datetime  # the beginning of the slot
    messages: int
    octets: int  # of all stored mail, refused mail included


class HeldOverTimeView(BaseModel):
    """The mail of a domain over time. A slot in which it held nothing has no point."""

    domain: str
    since: datetime
    until: datetime
    slot_seconds: int
    points: list[HeldPointView]  # oldest first


async def show_held(context: AdminContext, name: str, wanted: HeldSpan) -> HeldOverTimeView:
    """Return the most that a domain held in each slot of a time span. Raises AdminError.

    The present slot has what is held now, and may lack mail that came and left in five minutes.
    """
    permit(context.principal, AdminAction.DOMAIN_SHOW)
    domain = find_domain(context, name)
    now = context.now()
    until = now if wanted.until is None else min(wanted.until, now)
    since = until - DEFAULT_SPAN if wanted.since is None else wanted.since
    since = max(since, now - KEPT[WIDE])
    check_span(since, until)
    stored = stored_width(now - since)
    width = shown_width(until - since, stored, MOST_POINTS)
    first = since // width * width
    peaks = await context.store.peaks.peaks(domain.id, domain.account, stored, first, until)
    if until == now:
        usage = context.store.figures.usage(domain.id)
        present = PeakTally()
        present.add(domain.id, domain.account, HeldAmount(usage.held, usage.octets), now)
        peaks += [one for one in present.take() if one.place.width == stored]
    return HeldOverTimeView(
        domain=domain.name,
        since=moment(first),
        until=moment(until),
        slot_seconds=width,
        points=[
            HeldPointView(at=moment(place.at), messages=held.messages, octets=held.octets)
            for place, held in merged(peaks, width)
        ],
    )
