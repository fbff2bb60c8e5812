"""A drill of a domain: the offer, the steps, and the header of the message that arrived."""

from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import moment
from restante.admin.domain_drill import DrillOrder, drill_domain
from restante.admin.domains import show_domain
from restante.admin.drill_arrival import DrillArrival, read_arrival, trust_facts_of
from restante.admin.drill_proof import DrillProof
from restante.admin.drill_records import drill_facts_of
from restante.admin.permissions import AdminAction, permit
from restante.mail.quantity import span_text
from restante.readiness.drill_facts import proven_text
from restante.readiness.drill_timer import next_drill
from restante.readiness.filter_trust import trust_row
from restante.readiness.readiness_row import ReadinessRow
from restante.tenancy.model import HostedDomain
from restante.web.portal.domain_check_page import VERDICT_STATES
from restante.web.portal.people_words import error_for_people
from restante.web.portal.portal_visit import Visit, checked, page_route
from restante.web.portal.shell_lines import of_drill, of_drill_arrival

WAIT_SECONDS: Final = 30.0
MOST_HEADER: Final = 32_000  # characters: their form fits the bound of a body, and can be kept
_CORRECTABLE: Final = (ErrorKind.INVALID, ErrorKind.CONFLICT)


async def offer_drill(visit: Visit) -> Response:
    """Offer to drill a domain."""
    permit(visit.session.principal, AdminAction.DOMAIN_DRILL)
    return await _page(visit, (await show_domain(visit.context, visit.part("name"))).name)


async def run_drill(visit: Visit) -> Response:
    """Drill a domain, and show the steps."""
    form = await visit.form()
    order = checked(
        lambda: DrillOrder(
            recipient=form.text("recipient"),
            wait=WAIT_SECONDS,
            despite_check=form.text("despite_check") == "yes",
        )
    )
    proof = await drill_domain(visit.context, visit.part("name"), order)
    await show_domain(visit.context, proof.drill.domain)  # it can have been removed meanwhile
    return await _page(visit, proof.drill.domain, proof)


async def read_header(visit: Visit) -> Response:
    """Read the header of the last drill's message. One that is refused stays on the page."""
    form, name = await visit.form(), visit.part("name")
    try:
        arrival = checked(lambda: DrillArrival(header=form.text("header")))
        view = await read_arrival(visit.context, name, arrival)
    except AdminError as error:
        if error.kind not in _CORRECTABLE:
            raise
        name = (await show_domain(visit.context, name)).name
        return await _page(
            visit,
            name,
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
            error=error_for_people(error),
            typed=form.as_sent("header"),
        )
    return await _page(visit, view.domain, arrival=view)


async def _page(
    visit: Visit,
    name: str,
    proof: DrillProof | None = None,
    status: int = HTTPStatus.OK,
    **told: Any,
) -> Response:
    domain = visit.context.directory.now.domains[name]
    facts = await drill_facts_of(visit.context.store.retention, domain.id)
    every = domain.policy.drill_every
    next_at = next_drill(name, every, facts)
    return visit.page(
        "domain_drill.html",
        status,
        name=name,
        drill=None if proof is None else proof.drill,
        last=proven_text(facts.at(domain.destination), visit.context.now()),
        has_failed=facts.failed_at is not None,
        every=None if every is None else span_text(every),
        next_at=None if next_at is None else moment(next_at),
        proof="" if proof is None else proof.model_dump_json(indent=2),
        commands=of_drill(name, visit.renderer.base_url),
        has_arrived=facts.passed_at is not None,
        trust=await _trust_row(visit, domain),
        states=VERDICT_STATES,
        most_header=MOST_HEADER,
        arrival_commands=of_drill_arrival(name, visit.renderer.base_url),
        **{"error": "", "typed": "", "arrival": None, **told},
    )


async def _trust_row(visit: Visit, domain: HostedDomain) -> ReadinessRow | None:
    """Return the result of the last header; None without one."""
    facts = await trust_facts_of(visit.context.store.retention, domain.id)
    if facts is None:
        return None
    return trust_row(domain.name, facts.at(domain.destination), visit.now)


ROUTES: Final[list[Route]] = [
    page_route("/domains/{name}/drill", offer_drill),
    page_route("/domains/{name}/drill", run_drill, ["POST"]),
    page_route("/domains/{name}/drill/arrival", read_header, ["POST"]),
]
