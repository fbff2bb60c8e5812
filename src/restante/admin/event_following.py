"""Following events as they happen."""

from collections.abc import AsyncIterator

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import no_server
from restante.admin.event_feed import PlacedEvent
from restante.admin.permissions import AdminAction, permit


def follow_events(context: AdminContext, after: str) -> AsyncIterator[PlacedEvent | None]:
    """Return the events that the principal may see, from now on or after one that it has.

    Raises AdminError at once without a server, and before the first if too many clients follow.
    """
    permit(context.principal, AdminAction.EVENTS_FOLLOW)
    if context.parts.feed is None:
        raise no_server("events")
    return context.parts.feed.follow(context.principal, after)
