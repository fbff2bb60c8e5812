"""The sweep of HTTP reports connections that were cut, and requests that were refused."""

from collections import Counter
from dataclasses import dataclass, field
from typing import cast

from restante.reception.listener import SWEEP_SECONDS
from restante.server.http_sweep import HttpSweep
from restante.telemetry.events import HttpConnectionsCut, HttpRequestsRefused
from restante.web.http_connections import ConnectionCut, HttpConnections, HttpService
from restante.web.request_counts import RequestCounts, RequestRefusal
from tests.delivery.swift_loop import run_swiftly_for
from tests.log_lines import Lines


@dataclass
class Http:
    """The connections of one HTTP service."""

    service: HttpService
    closed: Counter[ConnectionCut] = field(default_factory=Counter)

    def take_closed(self) -> Counter[ConnectionCut]:
        closed, self.closed = self.closed, Counter()
        return closed


class Scene:
    """The services that are looked at."""

    def __init__(self) -> None:
        self.log, self.requests = Lines(), RequestCounts()
        self.control, self.metrics = Http(HttpService.CONTROL), Http(HttpService.METRICS)
        services = cast("list[HttpConnections]", [self.control, self.metrics])
        self.sweep = HttpSweep(services, self.requests, self.log)

    def run(self, rounds: int) -> Lines:
        """Run so many rounds."""
        run_swiftly_for((rounds - 0.5) * SWEEP_SECONDS, self.sweep.run())
        return self.log


def test_http_connections_that_were_cut_are_told_by_service_and_cause() -> None:
    scene = Scene()
    scene.control.closed[ConnectionCut.TOO_MANY] = 2
    scene.metrics.closed[ConnectionCut.NO_REQUEST] = 1
    assert scene.run(2).of(HttpConnectionsCut) == [
        {"service": "control", "count": 2, "cause": "too-many-connections"},
        {"service": "metrics", "count": 1, "cause": "no-request"},
    ]


def test_refused_requests_are_one_line_for_each_reason() -> None:
    scene = Scene()
    for peer in ("192.0.2.1", "192.0.2.2"):
        scene.requests.refused(RequestRefusal.NO_CREDENTIALS, peer)
    assert scene.run(2).of(HttpRequestsRefused) == [
        {"count": 2, "cause": "no-credentials", "peer": "192.0.2.2"}
    ]
