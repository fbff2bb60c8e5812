"""Routes of drills: one message that goes the whole way, and the proof that it did."""

from fastapi import APIRouter

from restante.admin import domain_drill, drill_proof
from restante.admin.domain_drill import DrillOrder
from restante.admin.drill_proof import DrillProof, DrillVerdict
from restante.web.api.idempotency_keys import REPEATABLE, ActingRoute
from restante.web.api.request_context import ClientWords, ReadingContext, RequestContext

router = APIRouter(route_class=ActingRoute, tags=["domains"])


@router.post("/domains/{name}/drill", dependencies=[REPEATABLE])
async def drill_domain(
    context: RequestContext, name: str, order: DrillOrder, words: ClientWords
) -> DrillProof:
    """Send one message the whole way that mail goes on a bad day, and prove that it arrived.

    It comes in at the public listener, is held, and is handed over to the destination. The answer
    comes at the end, after `wait` seconds and 110 more at most. A drill that fails is an answer
    too: `is_passed` is false, and its message is removed.
    """
    return await domain_drill.drill_domain(context, name, order, words)


@router.post("/drills/verify")
async def verify_drill(context: ReadingContext, proof: DrillProof) -> DrillVerdict:
    """Tell whether the proof of a drill was made with the key of this server, and is unchanged."""
    return drill_proof.verify_proof(context, proof)
