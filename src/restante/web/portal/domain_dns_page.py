"""The records to publish in DNS for a domain, and which of them are missing."""

from collections import Counter
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.domain_dns import DomainDnsView, show_dns
from restante.admin.domains import show_domain
from restante.admin.published_records import RecordState
from restante.web.portal.portal_visit import Visit, page_route
from restante.web.portal.shell_lines import of_dns

_STATES: Final = {
    RecordState.PRESENT: "good",
    RecordState.MISSING: "bad",
    RecordState.WRONG: "bad",
    RecordState.UNKNOWN: "",
}
_OPTIONAL_STATES: Final = _STATES | {RecordState.MISSING: "", RecordState.WRONG: "warn"}


async def compare_dns(visit: Visit) -> Response:
    """Offer to compare the records of a domain with DNS; with `compare`, do it.

    Nothing is changed, so readers may do it, at most once in a minute.
    """
    if not visit.query.text("compare"):
        name = (await show_domain(visit.context, visit.part("name"))).name
        return _page(visit, name, None)
    view = await show_dns(visit.context, visit.part("name"))
    return _page(visit, view.domain, view)


def _page(visit: Visit, name: str, view: DomainDnsView | None) -> Response:
    records = view.records if view is not None else []
    needed = Counter(one.state for one in records if not one.is_optional)
    return visit.page(
        "domain_dns.html",
        name=name,
        view=view,
        groups=[
            ("Needed", [one for one in records if not one.is_optional], _STATES),
            ("Optional", [one for one in records if one.is_optional], _OPTIONAL_STATES),
        ],
        counts=[f"{needed[state]} {state.text}" for state in RecordState if needed[state]],
        commands=of_dns(name, visit.renderer.base_url),
    )


ROUTES: Final[list[Route]] = [page_route("/domains/{name}/dns", compare_dns)]
