"""Routes of drills: one message that goes the whole way, and the proof that it did."""

from fastapi import APIRouter

from restante.admin import domain_drill, drill_arrival, drill_proof
from restante.admin.domain_drill import DrillOrder
from restante.admin.drill_arrival import DrillArrival, DrillArrivalView
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


@router.post("/domains/{name}/drill/arrival")
async def read_arrival(
    context: RequestContext, name: str, arrival: DrillArrival, words: ClientWords
) -> DrillArrivalView:
    """Read the header of the last drill's message, as it is in the mailbox of the primary.

    Fields that the primary has added tell the client that it judged: the one before this server, or
    this server. The check of the domain has the result as a row. The header of any other message is
    refused.
    """
    found = await drill_arrival.read_arrival(context, name, arrival)
    return found.model_copy(update={"remedy": words(found.remedy)})


@router.post("/drills/verify")
async def verify_drill(context: ReadingContext, proof: DrillProof) -> DrillVerdict:
    """Tell whether the proof of a drill was made with the key of this server, and is unchanged."""
    return drill_proof.verify_proof(context, proof)
