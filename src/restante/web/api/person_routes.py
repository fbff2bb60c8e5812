"""Routes of one person's data. The address is in the body: paths of requests are logged."""

from fastapi import APIRouter

from restante.admin import person_data
from restante.admin.person_data import ErasureOrder, PersonLine, PersonOrder
from restante.web.api.json_lines import JsonLines, streamed
from restante.web.api.request_context import RequestContext

router = APIRouter(prefix="/privacy", tags=["privacy"])


@router.post("/export", response_model=PersonLine, response_class=JsonLines)
async def export_person(context: RequestContext, order: PersonOrder) -> JsonLines:
    """Return what is kept about a person, a row to a line, and audit that.

    Without the line that has `elsewhere`, the answer is not whole.
    """
    return await streamed(person_data.export_person(context, order))


@router.post("/erase", response_model=PersonLine, response_class=JsonLines)
async def erase_person(context: RequestContext, order: ErasureOrder) -> JsonLines:
    """Erase what is kept about a person, or count it. Held mail, reports and records are named.

    The answer shows progress. Without the line that has `mark`, make the same request again.
    """
    return await streamed(person_data.erase_person(context, order))
