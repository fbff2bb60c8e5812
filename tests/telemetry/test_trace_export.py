"""The queue of spans, with a collector that takes them, is slow, or fails."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import util

import pytest

from restante.telemetry import trace_export
from restante.telemetry.trace_export import TraceExporter, is_installed
from restante.telemetry.trace_spans import TraceSpan

SPAN = TraceSpan("drain", 1, 2, None, 0.0, 1.0, {})


@contextmanager
def running(exporter: TraceExporter) -> Iterator[TraceExporter]:
    exporter.start()
    try:
        yield exporter
    finally:
        exporter.stop()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_export, "BATCH_SECONDS", 0.01)


def test_all_spans_are_sent_before_the_end() -> None:
    sent: list[TraceSpan] = []

    def export(spans: Sequence[TraceSpan]) -> bool:
        sent.extend(spans)
        return True

    with running(TraceExporter(export)) as exporter:
        for _ in range(1000):
            exporter.take(SPAN)
    assert (len(sent), exporter.dropped) == (1000, 0)


def test_a_batch_has_a_limit() -> None:
    sizes: list[int] = []

    def export(spans: Sequence[TraceSpan]) -> bool:
        sizes.append(len(spans))
        return True

    exporter = TraceExporter(export)
    for _ in range(trace_export.BATCH + 1):
        exporter.take(SPAN)
    with running(exporter):
        pass
    assert sizes == [trace_export.BATCH, 1]


def test_a_collector_that_hangs_costs_spans_and_no_time() -> None:
    free = threading.Event()

    def export(_: Sequence[TraceSpan]) -> bool:
        return free.wait(20)

    exporter = TraceExporter(export, limit=10)
    for _ in range(25):
        exporter.take(SPAN)
    assert exporter.dropped == 15
    with running(exporter):
        free.set()
    assert exporter.dropped == 15


@pytest.mark.parametrize("error", [None, OSError("refused"), ValueError("of a library")])
def test_spans_that_are_not_taken_are_counted(error: Exception | None) -> None:
    def export(_: Sequence[TraceSpan]) -> bool:
        if error is not None:
            raise error
        return False

    with running(TraceExporter(export)) as exporter:
        exporter.take(SPAN)
    assert exporter.dropped == 1


def test_the_end_does_not_wait_for_a_collector_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_export, "STOP_SECONDS", 0.05)
    free = threading.Event()
    exporter = TraceExporter(lambda _: free.wait(20))
    exporter.start()
    exporter.take(SPAN)
    exporter.stop()
    assert not free.is_set()
    free.set()


def test_one_that_was_never_started_stops() -> None:
    TraceExporter(lambda _: True).stop()


def test_the_libraries_are_found_or_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_installed()
    monkeypatch.setattr(trace_export, "find_spec", lambda _: None)
    assert not is_installed()
    monkeypatch.setattr(trace_export, "find_spec", lambda _: util.find_spec("no.such.package"))
    assert not is_installed()
