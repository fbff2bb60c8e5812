"""The state of a domain's primary, from probes: up, down, or unknown."""

from datetime import datetime

from pydantic import BaseModel

from restante.admin.admin_context import AdminContext
from restante.admin.auditing import moment
from restante.queue.presence import DestinationState
from restante.tenancy.model import Destination


class PrimaryView(BaseModel):
    """A domain's destination as the server sees it.

    All is empty without a running server, or if nobody has it probed.
    """

    seen: DestinationState = DestinationState.UNKNOWN
    since: datetime | None = None  # when that became known
    probed_at: datetime | None = None  # when the last probe ended; null if there was none so far
    next_probe_at: datetime | None = None  # None: it is not probed
    reason: str = ""  # why the last probe failed


def primary_view(context: AdminContext, destination: Destination) -> PrimaryView:
    """Return the view of a destination's state."""
    sighting = context.server.sighting(destination) if context.server else None
    if sighting is None:
        return PrimaryView()
    return PrimaryView(
        seen=sighting.seen,
        since=None if sighting.since is None else moment(sighting.since),
        probed_at=None if sighting.probed_at is None else moment(sighting.probed_at),
        next_probe_at=moment(sighting.next_probe_at),
        reason=sighting.reason,
    )
