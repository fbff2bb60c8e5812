"""Spans as OTLP over HTTP. Imported only where traces are on: it needs `restante[otel]`."""

import logging
from collections.abc import Sequence
from typing import Final

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from restante.telemetry.trace_export import ExportSpans
from restante.telemetry.trace_spans import TraceSpan

EXPORT_SECONDS: Final = 10.0  # for a request, with the repetitions of the library
NANOSECOND: Final = 1_000_000_000  # of a second


def otlp_export(url: str, hostname: str, version: str) -> ExportSpans:
    """Return a function that sends spans to `url`/v1/traces, and tells whether they were taken."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)  # failures are counted
    session = requests.Session()
    session.trust_env = False  # no proxy, no password of a file: the address is the setting's
    exporter = OTLPSpanExporter(
        endpoint=f"{url.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS, session=session
    )
    resource = Resource(
        {"service.name": "restante", "service.version": version, "host.name": hostname}
    )

    def export(spans: Sequence[TraceSpan]) -> bool:
        made = [_readable(span, resource) for span in spans]
        return exporter.export(made) is SpanExportResult.SUCCESS

    return export


def _readable(span: TraceSpan, resource: Resource) -> ReadableSpan:
    """Return a span of the library."""
    return ReadableSpan(
        name=span.name,
        context=_context(span.trace_id, span.span_id),
        parent=None if span.parent_id is None else _context(span.trace_id, span.parent_id),
        resource=resource,
        attributes=span.attributes,
        kind=SpanKind.CLIENT if span.name == "connection" else SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR, span.error) if span.error else Status(StatusCode.OK),
        start_time=int(span.began_at * NANOSECOND),
        end_time=int(span.ended_at * NANOSECOND),
    )


def _context(trace_id: int, span_id: int) -> SpanContext:
    return SpanContext(
        trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )
