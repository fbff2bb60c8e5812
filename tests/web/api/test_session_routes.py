"""The route of traces: JSON lines, and the rights for them."""

import asyncio
import json
from dataclasses import replace
from typing import Any

from restante.admin.session_tracing import TraceLineView, TraceOrder
from restante.reception.session_traces import SessionTraces
from restante.web.api.session_routes import LiveLines, trace_sessions
from tests.admin.admin_world import NOW, AdminWorld
from tests.web.api.asking import ask


def traced() -> AdminWorld:
    """Return a world whose server traces, on a clock that each wait moves on."""
    admin, now = AdminWorld(), [0.0]

    async def wait(_event: asyncio.Event, seconds: float) -> None:
        now[0] += seconds

    traces = SessionTraces(lambda: NOW, lambda: now[0], wait)
    admin.context = replace(admin.context, parts=replace(admin.context.parts, traces=traces))
    return admin


def test_a_trace_is_a_stream_of_lines() -> None:
    async def run() -> list[TraceLineView]:
        answer = await trace_sessions(traced().context, TraceOrder(source="::1", seconds=20))
        assert isinstance(answer, LiveLines)
        assert answer.media_type == "application/x-ndjson"
        lines: Any = answer.body_iterator
        return [TraceLineView(**json.loads(line)) async for line in lines]

    found = asyncio.run(run())
    assert [line.kind for line in found] == ["begin", "alive", "alive", "end"]


def test_a_trace_without_a_server_is_an_error_with_a_status() -> None:
    answer = ask(AdminWorld(), "POST", "/v1/session-traces", json={"source": "::1"})
    assert answer.status_code == 503
