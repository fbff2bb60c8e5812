"""Sends spans to a collector by OTLP over HTTP, in a thread of its own.

Mail never waits for it: the queue is bounded, and a span that finds it full is dropped and counted.
So are the spans of a batch that the collector does not take. The libraries are the extra
`restante[otel]`, and only otlp_spans.py imports them, when traces are switched on.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Final

from restante.telemetry.trace_spans import TraceSpan

QUEUE_LIMIT: Final = 4096  # spans
BATCH: Final = 512  # spans in one request
BATCH_SECONDS: Final = 1.0  # for which a batch is gathered
STOP_SECONDS: Final = 2.0  # for the last batch when the server stops

ExportSpans = Callable[[Sequence[TraceSpan]], bool]  # True if the collector took them


def is_installed() -> bool:
    """Tell whether the libraries are there, without importing them."""
    try:
        return all(
            find_spec(name) is not None
            for name in ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")
        )
    except ModuleNotFoundError:
        return False


class TraceExporter:
    """A bounded queue of spans, and the thread that empties it."""

    def __init__(self, export: ExportSpans, *, limit: int = QUEUE_LIMIT) -> None:
        self._export = export
        self._queue: queue.Queue[TraceSpan | None] = queue.Queue(limit)
        self._overflowed = 0  # spans; counted on the event loop
        self._refused = 0  # spans; counted in the thread
        self._stops_at: float | None = None  # monotonic
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)

    @property
    def dropped(self) -> int:
        """How many spans were dropped since the start."""
        return self._overflowed + self._refused

    def take(self, span: TraceSpan) -> None:
        """Have a span sent. Never waits."""
        try:
            self._queue.put_nowait(span)
        except queue.Full:
            self._overflowed += 1

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send what is there, for a moment; the rest is lost."""
        if not self._thread.is_alive():
            return
        self._stops_at = time.monotonic() + STOP_SECONDS
        with suppress(queue.Full):  # then it has work, and looks at `_stops_at`
            self._queue.put_nowait(None)
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while self._stops_at is None or time.monotonic() < self._stops_at:
            batch, is_last = self._gathered()
            if batch:
                try:
                    is_taken = self._export(batch)
                except Exception:  # noqa: BLE001  whatever a library raises costs spans only
                    is_taken = False
                if not is_taken:
                    self._refused += len(batch)
            if is_last:
                return

    def _gathered(self) -> tuple[list[TraceSpan], bool]:
        """Return the spans of a second, and whether the end was reached."""
        batch: list[TraceSpan] = []
        first = self._queue.get()
        until = time.monotonic() + BATCH_SECONDS
        while first is not None:
            batch.append(first)
            if len(batch) >= BATCH:
                return batch, False
            try:
                first = self._queue.get(timeout=max(until - time.monotonic(), 0.0))
            except queue.Empty:
                return batch, False
        return batch, True
