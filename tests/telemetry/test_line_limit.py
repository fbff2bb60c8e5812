"""Lines that a client can cause again and again are few, and the others are counted."""

import asyncio
import json
from dataclasses import replace

import pytest

from restante.telemetry import line_limit
from restante.telemetry.event_fields import example
from restante.telemetry.events import (
    Event,
    InternalError,
    LinesLeftOut,
    MailHeld,
    ReleaseRequested,
    ServerStopped,
    StoreFailed,
)
from restante.telemetry.line_limit import LINES, SECONDS, LineLimit
from restante.telemetry.log_writer import LogWriter
from restante.telemetry.work_word import WorkWord

DEFERRED = replace(example(ReleaseRequested), release=None)
FAILED = StoreFailed(error=ValueError("away"), doing=WorkWord.REQUEST, request="GET /v1/queue")


def raised(text: str) -> InternalError:
    try:
        int(f"not {text}")
    except ValueError as error:
        return InternalError(error=error, request=f"GET /{text}")
    raise AssertionError


def written(limit: LineLimit, *events: Event) -> int:
    return sum(limit.allows(event) for event in events)


@pytest.mark.parametrize("event", [DEFERRED, FAILED, raised("a")], ids=lambda one: one.event)
def test_lines_of_one_cause_are_few_and_counted(event: Event) -> None:
    clock = [0.0]
    limit = LineLimit(lambda: clock[0])
    assert written(limit, *[event] * 1000) == LINES
    assert limit.take_left_out() == []
    clock[0] = SECONDS
    assert limit.take_left_out() == [LinesLeftOut(of_event=event.event, count=1000 - LINES)]
    assert not limit.has_left_out
    assert written(limit, event) == 1


def test_one_place_of_a_defect_is_one_cause_whatever_its_text() -> None:
    limit = LineLimit(lambda: 0.0)
    assert written(limit, *[raised(str(n)) for n in range(100)]) == LINES


def test_other_causes_and_recorded_requests_are_written() -> None:
    limit = LineLimit(lambda: 0.0)
    assert written(limit, *[DEFERRED] * 100) == LINES
    assert written(limit, replace(DEFERRED, actor="login other")) == 1
    assert written(limit, *[replace(DEFERRED, release="0000000000a7k")] * 100) == 100
    assert written(limit, *[example(MailHeld)] * 100) == 100


def test_a_few_lines_a_minute_lose_none() -> None:
    clock = [0.0]
    limit = LineLimit(lambda: clock[0])
    for _ in range(5):
        assert written(limit, *[FAILED] * LINES) == LINES
        clock[0] += SECONDS


def test_many_causes_share_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_limit, "MOST_CAUSES", 3)
    limit = LineLimit(lambda: 0.0)
    events = [replace(DEFERRED, actor=f"login {n}") for n in range(100)]
    assert written(limit, *events) == 3 + LINES


def test_the_log_tells_how_many_it_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("restante.telemetry.log_writer.SECONDS", 0.0)

    async def flood() -> None:
        log = LogWriter("json", lambda: clock[0])
        for _ in range(50):
            log.write(FAILED)
        clock[0] = SECONDS
        for _ in range(3):
            await asyncio.sleep(0)

    asyncio.run(flood())
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["store-failed"] * LINES + ["lines-left-out"]
    assert (lines[-1]["of_event"], lines[-1]["count"]) == ("store-failed", 40)


def test_the_number_left_out_stands_before_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    log = LogWriter("json", lambda: 0.0)
    for _ in range(12):
        log.write(FAILED)
    log.write(ServerStopped())
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines[LINES:]] == ["lines-left-out", "server-stopped"]
