"""One domain: its mail, the drain as it runs, and the policy in sentences."""

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.domain_glances import show_glance
from restante.admin.domains import show_domain
from restante.admin.release_requests import ReleaseOrder, release
from restante.web.portal.domain_sentence import needs, sentence
from restante.web.portal.portal_visit import Visit, page_route, see_other, segment

_REFUSED: Final = 400  # SMTP reply codes from here on


async def domain(visit: Visit) -> Response:
    """Show a domain."""
    glance = await show_glance(visit.context, visit.part("name"))
    record = await show_domain(visit.context, glance.name)
    return visit.page(
        "domain.html",
        glance=glance,
        record=record,
        sentence=sentence(glance, visit.now),
        needs=list(needs(glance, visit.now)),
    )


async def release_domain(visit: Visit) -> Response:
    """Release a domain's mail, as an ETRN of its primary does."""
    name = (await show_domain(visit.context, visit.part("name"))).name
    [answer] = await release(visit.context, ReleaseOrder(nodes=(name,), reason="portal"))
    if answer.code >= _REFUSED:
        return visit.page("release_refused.html", status=409, answer=answer, name=name)
    return see_other(f"/domains/{segment(name)}")


ROUTES: Final[list[Route]] = [
    page_route("/domains/{name}", domain),
    page_route("/domains/{name}/release", release_domain, ["POST"]),
]
