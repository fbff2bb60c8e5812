"""Requests for release: the person, the address, the answer, and the true reason."""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.releases import ReleaseSelection, list_releases, show_release
from restante.web.portal.portal_visit import Visit, all_made, page_route

ROWS: Final = 50
MOST_CHARACTERS: Final = 64  # of a cursor


async def releases(visit: Visit) -> Response:
    """List the newest requests."""
    domain, after = visit.query.given("domain"), visit.query.text("after")[:MOST_CHARACTERS]
    wanted = ReleaseSelection(domain=domain, after=after, limit=ROWS)
    page = await list_releases(visit.context, wanted)
    rows = await all_made(page.views)
    more = ""
    if page.after is not None:
        more = "/releases?" + urlencode({"domain": domain or "", "after": page.after})
    return visit.page("releases.html", rows=rows, domain=domain or "", more=more)


async def one_release(visit: Visit) -> Response:
    """Show one request, and each domain's part."""
    found = await show_release(visit.context, visit.part("release"))
    return visit.page("release.html", found=found)


ROUTES: Final[list[Route]] = [
    page_route("/releases", releases),
    page_route("/releases/{release}", one_release),
]
