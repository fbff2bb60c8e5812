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
    return LiveLines(_lines(first, found), headers={"Cache-Control": "no-store"})


async def _lines(first: TraceLineView, rest: AsyncIterator[TraceLineView]) -> AsyncIterator[bytes]:
    yield _line(first)
    async with aclosing(rest):  # type: ignore[type-var]  # it is a generator
        async for line in rest:
            yield _line(line)


def _line(line: TraceLineView) -> bytes:
    return line.model_dump_json(exclude_none=True).encode() + b"\n"
