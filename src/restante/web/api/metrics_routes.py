"""The route of the metrics: outside /v1, where programs that read metrics look for it."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from restante.admin import server_status
from restante.admin.admin_context import AdminContext
from restante.background.loop_slices import in_turns
from restante.telemetry import exposition as _exposition  # noqa: F401  heavy; now, not at a request
from restante.web.api.request_context import ReadingContext

router = APIRouter(tags=["operations"])


@router.get("/metrics", response_class=PlainTextResponse)
async def show_metrics(context: ReadingContext, request: Request) -> Response:
    """Show every metric, as text for Prometheus or OpenMetrics."""
    return await answer(context, request)


async def answer(context: AdminContext, request: Request) -> Response:
    """Answer a request for the metrics. Raises AdminError without a running server."""
    exposition = await server_status.show_metrics(context, request.headers.get("accept", ""))
    octets = sum(map(len, exposition.pieces))
    return StreamingResponse(
        in_turns(exposition.pieces),
        headers={"content-type": exposition.content_type, "content-length": str(octets)},
    )
