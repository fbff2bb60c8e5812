"""Releases, drains and connections as spans, made from events."""

import pytest

from restante.telemetry.event_fields import example
from restante.telemetry.events import (
    DeliveryAttempt,
    DrainFinished,
    DrainStarted,
    ReleaseRequested,
)
from restante.telemetry.trace_spans import TraceSpan, TraceSpans
from restante.tenancy.release_result import ReleaseResult

DOMAIN = "alpha.example"


class Traced:
    """The spans of some events, at times that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0
        self.stepped = 0.0  # how far the wall clock was set
        self.taken: list[TraceSpan] = []
        self.spans = TraceSpans(
            lambda: self.now + self.stepped, lambda: self.now, self.taken.append
        )

    def release(
        self,
        release: str | None,
        result: ReleaseResult = ReleaseResult.GRANTED,
        answer: str = "253 2.0.0 OK",
    ) -> None:
        self.spans.hear(example(ReleaseRequested, release=release, answer=answer, result=result))

    def begin(self, release: str | None, domain: str = DOMAIN) -> None:
        self.spans.hear(example(DrainStarted, domain=domain, release=release))

    def connect(self, seconds: float | None = 1.5, end: str | None = "quit", why: str = "") -> None:
        self.spans.hear(
            example(DeliveryAttempt, domain=DOMAIN, seconds=seconds, end=end, reason=why)
        )

    def end(self, end: str = "finished") -> None:
        self.spans.hear(example(DrainFinished, domain=DOMAIN, end=end, reason="the reason"))


def test_a_release_its_drain_and_its_connection_are_one_trace() -> None:
    traced = Traced()
    traced.begin("1k2")  # it begins before the request is logged
    traced.release("1k2")
    traced.now = 105.0
    traced.connect()
    traced.now = 110.0
    traced.end()
    release, connection, drain = traced.taken
    assert len({span.trace_id for span in traced.taken}) == 1
    assert (release.name, release.parent_id) == ("release", None)
    assert (drain.name, drain.parent_id) == ("drain", release.span_id)
    assert (connection.name, connection.parent_id) == ("connection", drain.span_id)
    assert (drain.began_at, drain.ended_at) == (100.0, 110.0)
    assert (connection.began_at, connection.ended_at) == (103.5, 105.0)
    assert drain.attributes["restante.domain"] == DOMAIN
    assert all(span.error == "" for span in traced.taken)


@pytest.mark.parametrize("result", ReleaseResult)
def test_a_release_is_an_error_unless_its_result_is_done(result: ReleaseResult) -> None:
    traced = Traced()
    traced.release("1k2", result, "the reply")
    assert traced.taken[0].error == ("" if result.is_done else "the reply")


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_setting_the_clock_changes_no_length(step: float) -> None:
    traced = Traced()
    traced.begin("1k2")
    traced.stepped = step
    traced.now = 105.0
    traced.connect()
    traced.now = 110.0
    traced.end()
    assert [(one.began_at, one.ended_at) for one in traced.taken] == [
        (103.5, 105.0),
        (100.0, 110.0),
    ]


def test_a_drain_that_goes_on_after_a_restart_is_in_the_same_trace() -> None:
    before, after = Traced(), Traced()
    before.release("1k2")
    after.begin("1k2")
    after.end()
    assert before.taken[0].trace_id == after.taken[0].trace_id
    assert before.taken[0].span_id == after.taken[0].parent_id


def test_other_releases_have_other_traces() -> None:
    traced = Traced()
    traced.release("1k2")
    traced.release("1k3")
    one, other = traced.taken
    assert one.trace_id != other.trace_id


def test_a_drain_without_a_release_has_a_trace_of_its_own() -> None:
    traced = Traced()
    for _ in range(2):
        traced.begin(None)
        traced.end()
    one, other = traced.taken
    assert one.parent_id is None
    assert one.trace_id != other.trace_id


def test_failures_have_an_error() -> None:
    traced = Traced()
    traced.release("1k2", ReleaseResult.REFUSED, "459 4.7.1 Node not allowed")
    traced.begin("1k2")
    traced.connect(end="unreachable", why="connection refused")
    traced.connect(seconds=None, end=None, why="no such name")
    traced.end("given-up")
    assert [span.error for span in traced.taken] == [
        "459 4.7.1 Node not allowed",
        "connection refused",
        "no such name",
        "the reason",
    ]


def test_a_request_that_was_not_recorded_has_no_span() -> None:
    traced = Traced()
    traced.release(None)
    assert traced.taken == []


def test_the_end_of_a_drain_that_began_before_is_no_span() -> None:
    traced = Traced()
    traced.connect()
    traced.end()
    assert traced.taken == []
