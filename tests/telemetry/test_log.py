"""Log lines read back, whatever a stranger put into them."""

import asyncio
import json

import pytest

from restante.telemetry.events import MEANINGS, Event
from restante.telemetry.log import StructuredLog


def test_every_event_has_its_meaning() -> None:
    assert set(MEANINGS) == set(Event)


def test_a_text_line(capsys: pytest.CaptureFixture[str]) -> None:
    StructuredLog().write(
        Event.MAIL_HELD,
        message="abc",
        octets=3,
        reason="",
        tls="TLSv1.3 X",
        hello='a"b=c',
        path="ü\n",
    )
    line = capsys.readouterr().err
    assert line.endswith(
        r' mail-held message=abc octets=3 tls="TLSv1.3 X" hello="a\"b=c" path="\xfc\n"' + "\n"
    )
    assert line.count("\n") == 1


def test_a_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    StructuredLog("json").write(Event.MAIL_HELD, message="abc", octets=3)
    fields = json.loads(capsys.readouterr().err)
    assert (fields["event"], fields["message"], fields["octets"], fields["level"]) == (
        "mail-held",
        "abc",
        3,
        "info",
    )


def test_the_lines_of_one_turn_of_the_loop_leave_together(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr("sys.stderr.write", written.append)
    log = StructuredLog("json")

    async def turn() -> None:
        log.write(Event.MAIL_HELD, message="a")
        log.write(Event.MAIL_HELD, message="b")
        assert written == []
        await asyncio.sleep(0)
        assert [json.loads(line)["message"] for line in written[0].splitlines()] == ["a", "b"]
        log.write(Event.MAIL_HELD, message="c")
        log.failure(Event.STORE_FAILED, ValueError("boom"))
        assert [json.loads(line)["event"] for line in written[1].splitlines()] == [
            "mail-held",
            "store-failed",
        ]

    asyncio.run(turn())
    assert len(written) == 2


def test_a_failure_says_what_and_a_defect_also_where(capsys: pytest.CaptureFixture[str]) -> None:
    log = StructuredLog()
    error = ValueError("boom")
    log.failure(Event.STORE_FAILED, error, doing="hold")
    log.failure(Event.INTERNAL_ERROR, error)
    plain, _, rest = capsys.readouterr().err.partition("\n")
    assert plain.endswith(' store-failed [error] error="ValueError: boom" doing=hold')
    assert rest.endswith("ValueError: boom\n")
