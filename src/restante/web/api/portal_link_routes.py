"""The route of one-time links into the portal. A link is in one answer only."""

from fastapi import APIRouter, Response

from restante.admin import portal_links
from restante.admin.portal_links import NewPortalLink, PortalLinkView
from restante.web.api.idempotency_keys import REPEATABLE, SECRET_ANSWER, ActingRoute
from restante.web.api.request_context import RequestContext

router = APIRouter(route_class=ActingRoute, prefix="/portal-links", tags=["users"])


@router.post("", status_code=201, dependencies=[REPEATABLE, SECRET_ANSWER])
async def make_portal_link(
    context: RequestContext, new: NewPortalLink, response: Response
) -> PortalLinkView:
    """Make a link that opens a session of a user: once, and within 30 seconds."""
    made = await portal_links.make_portal_link(context, new)
    response.headers["Cache-Control"] = "no-store"
    return made
