"""What is known of a domain's primary: up, away, or not known, as probes have shown it."""

from datetime import datetime

from pydantic import BaseModel

from restante.admin.admin_context import AdminContext
from restante.admin.trail import moment
from restante.queue.presence import Seen
from restante.tenancy.model import Destination


class PrimaryView(BaseModel):
    """A domain's destination as the server sees it. All is empty where none runs, or where no policy has it watched."""

    seen: Seen = Seen.UNKNOWN
    since: datetime | None = None  # when that came to be known
    next_probe_at: datetime | None = None  # None: it is not watched
    reason: str = ""  # why the last probe found nothing


def primary_view(context: AdminContext, destination: Destination) -> PrimaryView:
    """Return what is known of a destination."""
    sighting = context.server.sighting(destination) if context.server else None
    if sighting is None:
        return PrimaryView()
    return PrimaryView(
        seen=sighting.seen,
        since=None if sighting.since is None else moment(sighting.since),
        next_probe_at=moment(sighting.next_probe_at),
        reason=sighting.reason,
    )
