"""The audit trail, as far as it concerns the account."""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.trail import AuditView, list_audit
from restante.tenancy.audit import AuditAction, AuditFilter
from restante.web.portal.portal_visit import Visit, in_turns, page_route

ROWS: Final = 100


async def audit(visit: Visit) -> Response:
    """List the newest entries; older ones by their time."""
    query = visit.query
    asked = {name: query.text(name) for name in ("domain", "action", "actor")}
    wanted = AuditFilter(
        domain=query.given("domain"),
        action=query.given("action"),
        actor=query.given("actor"),
        until=_time(query.text("until")),
    )
    rows: list[AuditView] = []
    async for page in list_audit(visit.context, wanted, ROWS):
        rows += await in_turns(page)
    return visit.page(
        "audit.html",
        rows=rows,
        asked=asked,
        actions=[str(one) for one in AuditAction],
        more=_more(asked, rows),
    )


def _time(text: str) -> float | None:
    """Return a Unix time; None for a text that is not one."""
    try:
        at = float(text)
    except ValueError:
        return None
    return at if 0 <= at < 1e11 else None  # noqa: PLR2004  the year 5138


def _more(asked: dict[str, str], rows: list[AuditView]) -> str:
    """Return the address of older entries, "" if there are none.

    The next page begins with the time of the last entry: entries of that time are shown twice.
    """
    if len(rows) < ROWS:
        return ""
    given = {name: value for name, value in asked.items() if value}
    until = rows[-1].at.timestamp() + 1e-6
    return "/audit?" + urlencode(given | {"until": f"{until:.6f}"})


ROUTES: Final[list[Route]] = [page_route("/audit", audit)]
