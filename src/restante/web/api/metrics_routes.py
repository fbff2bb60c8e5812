"""The route of the metrics: outside /v1, where programs that read metrics look for it."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from restante.admin import server_status
from restante.admin.admin_context import AdminContext
from restante.web.api.request_context import ReadingContext

router = APIRouter(tags=["operations"])


@router.get("/metrics", response_class=PlainTextResponse)
async def show_metrics(context: ReadingContext, request: Request) -> Response:
    """Show every metric, as text for Prometheus or OpenMetrics."""
    return await answer(context, request)


async def answer(context: AdminContext, request: Request) -> Response:
    """Answer a request for the metrics. Raises AdminError without a running server."""
    exposition = await server_status.show_metrics(context, request.headers.get("accept", ""))
    return Response(exposition.body, headers={"content-type": exposition.content_type})
