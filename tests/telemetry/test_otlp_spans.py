"""Spans on their way to a collector: the request is decoded as a collector does it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from restante.telemetry.otlp_spans import otlp_export
from restante.telemetry.trace_spans import TraceSpan


class Collector(ThreadingHTTPServer):
    """Keeps the requests that come, and gives one status to all."""

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.requests: list[tuple[str, ExportTraceServiceRequest]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def spans(self) -> list[Any]:
        """All spans that came."""
        return [
            span
            for _, request in self.requests
            for of_resource in request.resource_spans
            for scope in of_resource.scope_spans
            for span in scope.spans
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        self.server.requests.append((self.path, request))
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def collector(status: int = 200) -> Iterator[Collector]:
    with Collector(status) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_collector_gets_the_spans_as_they_are() -> None:
    parent = TraceSpan("drain", 7, 8, None, 100.0, 110.5, {"restante.domain": "a.example"})
    child = TraceSpan("connection", 7, 9, 8, 101.0, 102.0, {"restante.delivered": 3}, "refused")
    with collector() as server:
        assert otlp_export(f"{server.url}/", "mx2.example.net", "1.2.3")([parent, child])
    [(path, request)] = server.requests
    assert path == "/v1/traces"
    [of_resource] = request.resource_spans
    facts = {one.key: one.value.string_value for one in of_resource.resource.attributes}
    assert facts == {
        "service.name": "restante",
        "service.version": "1.2.3",
        "host.name": "mx2.example.net",
    }
    drain, connection = server.spans
    assert (drain.name, connection.name) == ("drain", "connection")
    assert drain.trace_id == connection.trace_id == (7).to_bytes(16, "big")
    assert drain.span_id == connection.parent_span_id == (8).to_bytes(8, "big")
    assert drain.parent_span_id == b""
    assert drain.end_time_unix_nano - drain.start_time_unix_nano == 10_500_000_000
    assert [one.value.string_value for one in drain.attributes] == ["a.example"]
    assert [one.value.int_value for one in connection.attributes] == [3]
    assert (connection.status.message, connection.kind) == ("refused", connection.SPAN_KIND_CLIENT)


def test_a_collector_that_refuses_has_not_taken_them() -> None:
    span = TraceSpan("drain", 7, 8, None, 0.0, 1.0, {})
    with collector(400) as server:
        assert not otlp_export(server.url, "mx2.example.net", "1.2.3")([span])
