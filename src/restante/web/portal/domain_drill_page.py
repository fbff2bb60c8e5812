"""A drill of a domain: the offer, and the steps with the destination's reply."""

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.auditing import moment
from restante.admin.domain_drill import DrillOrder, drill_domain
from restante.admin.domains import show_domain
from restante.admin.drill_proof import DrillProof
from restante.admin.drill_records import drill_facts_of
from restante.admin.permissions import AdminAction, permit
from restante.mail.quantity import span_text
from restante.readiness.drill_facts import proven_text
from restante.readiness.drill_timer import next_drill
from restante.web.portal.portal_visit import Visit, checked, page_route
from restante.web.portal.shell_lines import of_drill

WAIT_SECONDS: Final = 30.0


async def offer_drill(visit: Visit) -> Response:
    """Offer to drill a domain."""
    permit(visit.session.principal, AdminAction.DOMAIN_DRILL)
    return await _page(visit, (await show_domain(visit.context, visit.part("name"))).name, None)


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


async def _page(visit: Visit, name: str, proof: DrillProof | None) -> Response:
    domain = visit.context.directory.now.domains[name]
    facts = await drill_facts_of(visit.context.store.retention, domain.id)
    every = domain.policy.drill_every
    next_at = next_drill(name, every, facts)
    return visit.page(
        "domain_drill.html",
        name=name,
        drill=None if proof is None else proof.drill,
        last=proven_text(facts, visit.context.now()),
        has_failed=facts.failed_at is not None,
        every=None if every is None else span_text(every),
        next_at=None if next_at is None else moment(next_at),
        proof="" if proof is None else proof.model_dump_json(indent=2),
        commands=of_drill(name, visit.renderer.base_url),
    )


ROUTES: Final[list[Route]] = [
    page_route("/domains/{name}/drill", offer_drill),
    page_route("/domains/{name}/drill", run_drill, ["POST"]),
]
