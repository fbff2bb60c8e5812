"""The route of SMTP sessions as they happen."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from fastapi import APIRouter

from restante.admin import session_tracing
from restante.admin.session_tracing import TraceLineView, TraceOrder
from restante.web.api.event_routes import EventStream
from restante.web.api.json_lines import MEDIA_TYPE
from restante.web.api.request_context import RequestContext

router = APIRouter(tags=["operations"])


class LiveLines(EventStream):
    """An answer with a JSON object to a line, which drops a client that does not read."""

    media_type = MEDIA_TYPE


@router.post("/session-traces", response_model=TraceLineView, response_class=LiveLines)
async def trace_sessions(context: RequestContext, order: TraceOrder) -> LiveLines:
    """Trace SMTP sessions of clients as they happen, and audit that. Operators only.

    Secrets and content are masked. With several workers, the trace is of the one that answers.
    The first line has the control sockets of the others, where they can be traced too. A line
    `alive` every 15 seconds shows that the connection is alive. Lines that are not read in
    time are dropped, and a line `missed` has their number.
    """
    found = session_tracing.trace_sessions(context, order)
    first = await anext(found)
    return LiveLines(_pieces(first, found), headers={"Cache-Control": "no-store"})


async def _pieces(
    first: list[TraceLineView], rest: AsyncIterator[list[TraceLineView]]
) -> AsyncIterator[bytes]:
    yield _piece(first)
    async with aclosing(rest):  # type: ignore[type-var]  # it is a generator
        async for lines in rest:
            yield _piece(lines)


def _piece(lines: list[TraceLineView]) -> bytes:
    return b"".join(line.model_dump_json(exclude_none=True).encode() + b"\n" for line in lines)
