"""The audit trail, as far as it concerns the account."""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.auditing import list_audit
from restante.tenancy.audit import AuditAction, AuditFilter
from restante.web.portal.portal_visit import Visit, all_made, page_route

ROWS: Final = 50


async def audit(visit: Visit) -> Response:
    """List the newest entries, or those older than a page's last one."""
    query = visit.query
    asked = {name: query.text(name) for name in ("domain", "action", "actor")}
    wanted = AuditFilter(
        domain=query.given("domain"),
        action=query.given("action"),
        actor=query.given("actor"),
    )
    page = await list_audit(visit.context, wanted, ROWS, query.text("after"))
    rows = await all_made(page.views)
    return visit.page(
        "audit.html",
        rows=rows,
        asked=asked,
        actions=[str(one) for one in AuditAction],
        more=_more(asked, page.after),
        is_short=page.is_short,
    )


def _more(asked: dict[str, str], after: str | None) -> str:
    """Return the address of older entries, "" if there are none."""
    if after is None:
        return ""
    given = {name: value for name, value in asked.items() if value}
    return "/audit?" + urlencode(given | {"after": after})


ROUTES: Final[list[Route]] = [page_route("/audit", audit)]
