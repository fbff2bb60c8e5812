"""Tracing sessions: the audit entry, refusals, and the form of the lines."""

import asyncio
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.session_tracing import TraceLineView, TraceOrder, trace_sessions
from restante.reception.session_traces import MOST_TRACES, SessionTraces, TracedProcess
from restante.tenancy.audit import EVERY_ENTRY, AuditAction
from tests.admin.admin_world import NOW, AdminWorld


class Traced:
    """A world whose server traces, on a clock that each wait moves on."""

    def __init__(self, **settings: Any) -> None:
        self.now = 0.0
        self.admin = AdminWorld()
        self.traces = SessionTraces(lambda: NOW, lambda: self.now, self.wait, **settings)
        made = self.admin.context
        self.context: AdminContext = replace(made, parts=replace(made.parts, traces=self.traces))

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        if not event.is_set():
            self.now += seconds


def test_a_trace_is_audited_before_its_first_line() -> None:
    world = Traced(process=TracedProcess(2, 4, {1: "/s/1", 3: "/s/3", 4: "/s/4"}))
    order = TraceOrder(source="192.0.2.0/24", seconds=20, reason="ticket 7")

    async def run() -> list[TraceLineView]:
        found = trace_sessions(world.context, order)
        [first] = await anext(found)
        [recorded] = (await world.admin.store.audit.audit_page(EVERY_ENTRY, 1, None)).entries
        assert (recorded.action, recorded.subject) == (AuditAction.SESSIONS_TRACED, "192.0.2.0/24")
        assert recorded.reason == "ticket 7"
        await anext(found)
        observer = world.traces.observer(ip_address("192.0.2.7"), 4711)
        assert observer is not None
        observer.heard_line(b"EHLO c.example", is_authenticating=False)
        return [first, *[line async for lines in found for line in lines]]

    first, line, *rest = asyncio.run(run())
    assert (first.kind, first.worker, first.workers) == ("begin", 2, 4)
    assert first.other_sockets == {1: "/s/1", 3: "/s/3", 4: "/s/4"}
    assert first.text == "sessions from 192.0.2.0/24 for 20 s"
    assert line.model_dump(exclude={"at"}, exclude_none=True) == {
        "kind": "client",
        "session": "192.0.2.7:4711",
        "text": "EHLO c.example",
    }
    assert [one.kind for one in rest] == ["alive", "end"]
    assert rest[-1].text == "the time is over, or the server stops"


async def _refusal(context: AdminContext, source: str = "192.0.2.7") -> AdminError:
    with pytest.raises(AdminError) as refused:
        await anext(trace_sessions(context, TraceOrder(source=source)))
    return refused.value


@pytest.mark.parametrize("source", ["", "mail.example", "192.0.2.7/24", "*"])
def test_a_source_that_is_no_network_is_refused(source: str) -> None:
    refused = asyncio.run(_refusal(Traced().context, source))
    assert refused.kind is ErrorKind.INVALID
    assert "192.0.2.0/24" in refused.remedy


def test_without_a_server_there_is_nothing_to_trace() -> None:
    assert asyncio.run(_refusal(AdminWorld().context)).kind is ErrorKind.UNAVAILABLE


def test_the_number_of_traces_is_bounded() -> None:
    world = Traced()

    async def run() -> AdminError:
        many = [
            trace_sessions(world.context, TraceOrder(source="::/0")) for _ in range(MOST_TRACES)
        ]
        for each in many:
            await anext(each)
            await anext(each)
        return await _refusal(world.context)

    refused = asyncio.run(run())
    assert refused.kind is ErrorKind.TRY_LATER
    assert refused.error == "trace-session: 4 traces run already"
