"""Tracing SMTP sessions as they happen. Each use is in the audit trail."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind, no_server
from restante.admin.auditing import announce, entry, moment
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import LineText
from restante.reception.session_traces import MOST_SECONDS, MOST_TRACES, SessionTraces, TracedLine
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import IpNetwork, parse_network
from restante.tenancy.token_chain import accepted_until

BEGIN, ALIVE, END = "begin", "alive", "end"


class TraceOrder(BaseModel):
    """Which sessions to trace, and for how long."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: LineText  # address or network of the clients
    seconds: Annotated[int, Field(ge=1, le=MOST_SECONDS)] = 60
    reason: LineText = ""


class TraceLineView(BaseModel):
    """One line of a trace. The first has the kind `begin`, the last `end`."""

    kind: str  # "begin", "client", "server", "note", "missed", "alive" or "end"
    at: datetime
    session: str | None = None  # address and port of the client
    text: str | None = None
    worker: int | None = None  # in the first line: the process that is traced; 0: the only one
    workers: int | None = None  # in the first line: how many there are on this machine
    other_sockets: dict[int, str] | None = None  # in the first line: control sockets, by worker


async def trace_sessions(
    context: AdminContext, order: TraceOrder
) -> AsyncIterator[list[TraceLineView]]:
    """Yield the lines of clients and of this process. Secrets and content are masked.

    Raises AdminError, StoreError before the first line.
    """
    permit(context.principal, AdminAction.SESSION_TRACE)
    traces = context.parts.traces
    if traces is None:
        raise no_server("trace-session")
    source = _source(order.source)
    if not traces.has_room:
        cause = f"trace-session: {MOST_TRACES} traces run already"
        raise AdminError(ErrorKind.TRY_LATER, cause, "end another one, or try again later")
    recorded = entry(context, AuditAction.SESSIONS_TRACED, str(source), "", order.reason)
    await context.store.audit.record([recorded])
    announce(context, recorded)
    text = f"sessions from {source} for {order.seconds} s"
    yield [_about(context, BEGIN, text, traces)]
    async for lines in traces.follow(source, order.seconds):
        if accepted_until(context.principal, context.directory.now) <= context.now():
            yield [_about(context, END, "the right to trace has ended")]
            return
        yield [*map(_view, lines)] or [_about(context, ALIVE)]
    yield [_about(context, END, "the time is over, or the server stops")]


def _source(text: str) -> IpNetwork:
    try:
        return parse_network(text)
    except ValueError as error:
        remedy = "write one such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32"
        raise AdminError(ErrorKind.INVALID, f"source: {error}", remedy) from None


def _about(
    context: AdminContext, kind: str, text: str | None = None, traces: SessionTraces | None = None
) -> TraceLineView:
    line = TraceLineView(kind=kind, at=moment(context.now()), text=text)
    if traces is None:
        return line
    process = traces.process
    return line.model_copy(
        update={
            "worker": process.worker,
            "workers": process.workers,
            "other_sockets": dict(process.other_sockets),
        }
    )


def _view(line: TracedLine) -> TraceLineView:
    return TraceLineView(
        kind=line.kind, at=moment(line.at), session=line.session or None, text=line.text
    )
