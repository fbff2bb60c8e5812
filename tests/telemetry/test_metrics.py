"""The table of metrics, and the counts that the events of a log make in it."""

import re

import pytest

from restante.telemetry.event_bus import EventBus
from restante.telemetry.event_counts import Counts
from restante.telemetry.event_fields import example
from restante.telemetry.events import (
    EVENTS,
    MailHeld,
    StoreFailed,
)
from restante.telemetry.log_writer import LogWriter
from restante.telemetry.metrics import METRICS
from restante.telemetry.work_word import WorkWord
from tests.telemetry.exposed import shown


def test_names_are_what_prometheus_wants_and_there_is_one_of_each() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    for metric in METRICS:
        assert re.fullmatch(r"(restante|process)(_[a-z]+)*", metric.name)
        assert not metric.name.endswith(
            ("_total", "_info")
        )  # as shown; `_sum`, `_count` and the like are none of ours


def test_the_log_counts_what_it_writes(capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counts()
    log = EventBus()
    log.subscribe(counts.count, *EVENTS)
    log.subscribe(LogWriter("json").write, *EVENTS)
    log.publish(example(MailHeld, message="abc", octets=3))
    log.publish(StoreFailed(error=ValueError("boom"), doing=WorkWord.HOLD))
    samples = shown(counts)
    assert capsys.readouterr().err.count("\n") == 2
    assert samples["restante_octets_held_total", ()] == 3
    assert samples["restante_store_failures_total", (("doing", "hold"),)] == 1
