"""The check of a domain: its rows, with remedies and lines to copy."""

from collections import Counter
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.domain_check import DomainCheckView, check_domain
from restante.admin.domains import show_domain
from restante.admin.permissions import AdminAction, permit
from restante.readiness.readiness_row import ReadinessVerdict
from restante.web.portal.portal_visit import Visit, page_route
from restante.web.portal.shell_lines import of_check

VERDICT_STATES: Final = {
    ReadinessVerdict.PASS: "good",
    ReadinessVerdict.WARN: "warn",
    ReadinessVerdict.FAIL: "bad",
    ReadinessVerdict.UNKNOWN: "",
}


async def offer_check(visit: Visit) -> Response:
    """Offer to check a domain."""
    permit(visit.session.principal, AdminAction.DOMAIN_CHECK)
    name = (await show_domain(visit.context, visit.part("name"))).name
    return _page(visit, name, None)


async def run_check(visit: Visit) -> Response:
    """Check a domain, and show the rows."""
    view = await check_domain(visit.context, visit.part("name"))
    return _page(visit, view.domain, view)


def _page(visit: Visit, name: str, view: DomainCheckView | None) -> Response:
    counts = Counter(row.verdict for row in view.rows) if view is not None else Counter()
    return visit.page(
        "domain_check.html",
        name=name,
        view=view,
        counts=[f"{counts[one]} {one.text}" for one in reversed(ReadinessVerdict) if counts[one]],
        states=VERDICT_STATES,
        is_remembered=view is not None
        and view.destination_seen_at is not None
        and view.destination_seen_at < view.at,
        commands=of_check(name, visit.renderer.base_url),
    )


ROUTES: Final[list[Route]] = [
    page_route("/domains/{name}/check", offer_check),
    page_route("/domains/{name}/check", run_check, ["POST"]),
]
