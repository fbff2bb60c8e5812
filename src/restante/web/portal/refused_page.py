"""Refused mail, in groups by the primary's reply: after a fix, one press tries a group again."""

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.refusal_groups import AT_FIRST, PATIENCE, refusal_groups
from restante.web.portal.portal_visit import Visit, page_route


async def refused(visit: Visit) -> Response:
    """Show the refused mail of a domain or of all."""
    domain, is_whole = visit.query.given("domain"), visit.query.given("count") == "all"
    found = await refusal_groups(visit.context, domain, PATIENCE if is_whole else AT_FIRST)
    return visit.page(
        "refused.html",
        groups=found.groups,
        domain=domain,
        count=found.count,
        is_cut=found.is_cut,
        may_count_all=not is_whole,
    )


ROUTES: Final[list[Route]] = [page_route("/refused", refused)]
