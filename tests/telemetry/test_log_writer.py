"""Log lines read back, whatever a stranger put into them."""

import asyncio
import json
import re
import select
from collections.abc import Sequence
from dataclasses import fields, replace
from types import SimpleNamespace

import pytest

from restante.telemetry.event_fields import example
from restante.telemetry.events import (
    EVENTS,
    Event,
    InternalError,
    LoopStalled,
    MailHeld,
    RecordChanged,
    StoreFailed,
)
from restante.telemetry.events.event import EventLevel
from restante.telemetry.log_line import LogLine
from restante.telemetry.log_output import DivertingOutput, StandardError
from restante.telemetry.log_writer import LogFormat, LogWriter, written_events
from restante.telemetry.work_word import WorkWord


def test_a_text_line(capsys: pytest.CaptureFixture[str]) -> None:
    event = example(
        MailHeld, message="abc", hello='a"b=c', tls="TLSv1.3 X", reverse_path="<ü\n>", domains=()
    )
    LogWriter().write(event)
    line = capsys.readouterr().err
    assert line.endswith(
        r" mail-held message=abc message_id=<20261128@mail.example.org> peer=192.0.2.7"
        r' hello="a\"b=c" tls="TLSv1.3 X"'
        r' reverse_path="<\xfc\n>" recipients=1 forward_paths=anna@acme.example octets=4096' + "\n"
    )
    assert line.count("\n") == 1


def test_a_json_line_names_the_version_of_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    LogWriter("json").write(example(MailHeld, message="abc"))
    line = json.loads(capsys.readouterr().err)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("timestamp"))
    assert line == {
        "v": 1,
        "level": "info",
        "event": "mail-held",
        "message": "abc",
        "message_id": "<20261128@mail.example.org>",
        "peer": "192.0.2.7",
        "hello": "mail.example.org",
        "tls": "TLSv1.3 TLS_AES_256_GCM_SHA384",
        "reverse_path": "<bob@example.org>",
        "recipients": 1,
        "forward_paths": ["anna@acme.example"],
        "domains": ["acme.example"],
        "octets": 4096,
    }


@pytest.mark.parametrize("style", ["json", "text"])
def test_a_line_names_its_worker(style: LogFormat, capsys: pytest.CaptureFixture[str]) -> None:
    LogWriter(style, worker=3).write(example(MailHeld, message="worker=9", domains=()))
    line = capsys.readouterr().err
    if style == "json":
        assert json.loads(line)["worker"] == 3
        assert list(json.loads(line))[:4] == ["v", "timestamp", "worker", "level"]
    else:
        assert " mail-held worker=3 message=" in line


async def _write_many(log: LogWriter) -> None:
    for _ in range(200):
        log.write(example(MailHeld))


def test_lines_of_workers_are_written_in_pieces_that_a_pipe_takes_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pieces: list[str] = []
    stream = SimpleNamespace(write=pieces.append, flush=lambda: None)
    monkeypatch.setattr("sys.stderr", stream)
    asyncio.run(_write_many(LogWriter(worker=1)))
    assert "".join(pieces).count("\n") == 200
    assert all(piece.endswith("\n") and len(piece) <= select.PIPE_BUF for piece in pieces)
    assert len(pieces) < 100
    pieces.clear()
    asyncio.run(_write_many(LogWriter()))
    assert len(pieces) == 1


def test_texts_of_a_list_stay_apart_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    paths = ('"a,b"@acme.example', "ü@acme.example")
    LogWriter("json").write(example(MailHeld, forward_paths=paths, domains=()))
    line = json.loads(capsys.readouterr().err)
    assert (line["forward_paths"], line["domains"]) == ([*paths], [])


@pytest.mark.parametrize("kind", EVENTS)
def test_each_event_is_a_line_of_its_fields(
    kind: type[Event], capsys: pytest.CaptureFixture[str]
) -> None:
    for style in ("json", "text"):
        LogWriter(style).write(example(kind))
    in_json, in_text = capsys.readouterr().err.split("\n")[:2]
    line = json.loads(in_json)
    expected = {each.name for each in fields(kind) if getattr(example(kind), each.name) is not None}
    assert line.keys() - {"v", "timestamp", "level", "event", "exception"} == expected
    assert in_text.split()[1] == line["event"] == kind.event


def test_a_field_that_is_none_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    LogWriter("json").write(StoreFailed(error=ValueError("boom"), doing=WorkWord.HOLD))
    line = json.loads(capsys.readouterr().err)
    assert line.keys() == {"v", "timestamp", "level", "event", "error", "doing"}


def test_the_lines_of_one_turn_of_the_loop_leave_together(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr("sys.stderr.write", written.append)
    log = LogWriter("json")

    async def turn() -> None:
        log.write(example(MailHeld, message="a"))
        log.write(example(MailHeld, message="b"))
        assert written == []
        await asyncio.sleep(0)
        assert [json.loads(line)["message"] for line in written[0].splitlines()] == ["a", "b"]
        log.write(example(MailHeld, message="c"))
        log.write(StoreFailed(error=ValueError("boom"), doing=WorkWord.HOLD))
        assert [json.loads(line)["event"] for line in written[1].splitlines()] == [
            "mail-held",
            "store-failed",
        ]

    asyncio.run(turn())
    assert len(written) == 2


def test_a_failure_says_what_and_a_defect_also_where(capsys: pytest.CaptureFixture[str]) -> None:
    log = LogWriter()
    error = ValueError("boom")
    log.write(StoreFailed(error=error, doing=WorkWord.HOLD))
    log.write(InternalError(error=error))
    plain, _, rest = capsys.readouterr().err.partition("\n")
    assert plain.endswith(" store-failed [error] doing=hold error=boom")
    assert rest.endswith("ValueError: boom\n")


def test_no_text_in_a_traceback_looks_like_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    forged = "2026-11-29T00:00:00.000000Z server-ready"
    LogWriter().write(
        InternalError(error=ValueError(f"x\n{forged}\r{forged}\x1b[2J\u2028{forged}"))
    )
    first, *others = capsys.readouterr().err.splitlines()
    assert " internal-error [error] " in first
    assert first.isascii()
    assert len(others) > 3
    assert all(line.startswith("    ") and line.isascii() for line in others)
    assert all(line.isprintable() for line in others)


def test_several_values_of_a_field_are_one_text(capsys: pytest.CaptureFixture[str]) -> None:
    event = example(RecordChanged, changes=("a: 1 → 2", "b: x → none"), subject="s", domain="")
    LogWriter().write(event)
    LogWriter().write(replace(event, changes=()))
    several, none = capsys.readouterr().err.splitlines()
    assert several.endswith(r' changes="a: 1 \u2192 2; b: x \u2192 none"')
    assert "changes" not in none


@pytest.mark.parametrize(
    ("least", "written"),
    [
        ("info", [MailHeld, LoopStalled, StoreFailed]),
        ("warning", [LoopStalled, StoreFailed]),
        ("error", [StoreFailed]),
    ],
)
def test_events_of_a_lower_level_have_no_line(
    least: EventLevel, written: list[type[Event]]
) -> None:
    events = written_events(least)
    assert [event for event in (MailHeld, LoopStalled, StoreFailed) if event in events] == written
    assert set(events) == {event for event in EVENTS if event.level in {e.level for e in written}}


class _Kept:
    """A place that keeps the lines."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def write(self, lines: Sequence[LogLine]) -> None:
        self.texts += [line.text for line in lines]

    def reopen(self) -> None:
        self.texts.append("reopened")


def _diverting(place: _Kept) -> DivertingOutput:
    return DivertingOutput(place, "/log", StandardError(), lambda: 0.0, lambda _event: None)


def test_lines_are_held_until_the_place_may_be_opened(capsys: pytest.CaptureFixture[str]) -> None:
    place = _Kept()
    log = LogWriter("json", output=_diverting(place), is_held=True)
    log.write(example(MailHeld))
    log.write(StoreFailed(error=ValueError("boom"), doing=WorkWord.HOLD))
    assert place.texts == []
    log.begin()
    assert [json.loads(text)["event"] for text in place.texts] == ["mail-held", "store-failed"]
    log.reopen()
    assert place.texts[-1] == "reopened"
    assert capsys.readouterr().err == ""
    assert log.failure == ""


def test_lines_that_are_held_at_the_end_go_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = _Kept()
    log = LogWriter("json", output=_diverting(place), is_held=True)
    log.write(example(MailHeld))
    log.end()
    assert place.texts == []
    assert json.loads(capsys.readouterr().err)["event"] == "mail-held"
