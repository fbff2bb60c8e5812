"""Requests for release: the person, the address, the answer, and the true reason."""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.releases import ReleaseSelection, list_releases, show_release
from restante.web.portal.portal_visit import Visit, page_route

ROWS: Final = 50


async def releases(visit: Visit) -> Response:
    """List the newest requests."""
    domain, before = visit.query.given("domain"), visit.query.given("before")
    wanted = ReleaseSelection(domain=domain, before=before, limit=ROWS)
    rows = list(await list_releases(visit.context, wanted))
    more = ""
    if len(rows) == ROWS:
        more = "/releases?" + urlencode({"domain": domain or "", "before": rows[-1].id})
    return visit.page("releases.html", rows=rows, domain=domain or "", more=more)


async def one_release(visit: Visit) -> Response:
    """Show one request, and each domain's part."""
    found = await show_release(visit.context, visit.part("release"))
    return visit.page("release.html", found=found)


ROUTES: Final[list[Route]] = [
    page_route("/releases", releases),
    page_route("/releases/{release}", one_release),
]
