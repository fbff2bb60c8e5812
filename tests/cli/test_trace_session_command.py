"""The lines of `restante trace-session` on a screen."""

import asyncio
from pathlib import Path

import pytest

from restante.cli.failures import Failure
from restante.cli.trace_session_command import _seconds, _show_other, trace_texts
from restante.reception.session_traces import MOST_SECONDS

AT = "2026-11-30T08:00:00.123000Z"


def test_a_line_fits_eighty_columns() -> None:
    session = "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535"
    text = f"RCPT TO:<{'anna.' * 20}@acme.example> NOTIFY=SUCCESS,FAILURE"
    shown = list(trace_texts({"kind": "client", "at": AT, "session": session, "text": text}, 80))
    assert all(len(line) <= 80 for line in shown)
    assert shown[0].startswith(f"08:00:00.123 {session} C:")
    assert "NOTIFY=SUCCESS,FAILURE" in shown[-1]


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("client", ["08:00:00.123 192.0.2.7:4711 C: QUIT"]),
        ("server", ["08:00:00.123 192.0.2.7:4711 S: QUIT"]),
        ("note", ["08:00:00.123 192.0.2.7:4711 -- QUIT"]),
        ("alive", []),
    ],
)
def test_who_speaks_is_shown(kind: str, shown: list[str]) -> None:
    line = {"kind": kind, "at": AT, "session": "192.0.2.7:4711", "text": "QUIT"}
    assert list(trace_texts(line, 80)) == shown


def test_a_line_about_the_trace_names_no_session() -> None:
    line = {"kind": "missed", "at": "2026-11-30T08:00:00Z", "text": "5 lines dropped"}
    assert list(trace_texts(line, 80)) == ["08:00:00 -- 5 lines dropped"]


@pytest.mark.parametrize(("workers", "shown"), [(1, "sessions"), (4, "worker 2 of 4: sessions")])
def test_the_first_line_names_one_of_several_workers(workers: int, shown: str) -> None:
    begin = {"kind": "begin", "at": AT, "worker": 2, "workers": workers, "text": "sessions"}
    assert list(trace_texts(begin, 80)) == [f"08:00:00.123 -- {shown}"]


def test_a_span_is_read() -> None:
    assert _seconds("5m") == 300
    assert _seconds("1h") == MOST_SECONDS
    with pytest.raises(Failure, match="--for"):
        _seconds("soon")


@pytest.mark.parametrize("text", ["0s", "2h", "61m"])
def test_a_span_that_no_trace_can_have_is_refused_in_the_words_of_the_option(text: str) -> None:
    with pytest.raises(Failure, match=f"--for: {text} is not from 1s to 1h; write such a span"):
        _seconds(text)


def test_a_worker_that_does_not_answer_is_named_and_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_show_other("2", tmp_path / "control.sock", {}, as_json=False))
    assert "warning: worker 2 is not traced: " in capsys.readouterr().err
