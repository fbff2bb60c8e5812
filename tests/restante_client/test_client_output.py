"""Output: a failure as a line and as JSON, and texts that the terminal cannot show."""

from __future__ import annotations

import io
import json

import pytest

from restante_client.client_failure import ClientExit, ClientFailure
from restante_client.client_output import ClientOutput


def test_a_failure_is_a_line_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    failure = ClientFailure(ClientExit.TRY_LATER, "x: later\nor never", {"code": 450})
    ClientOutput().fail(failure)
    assert capsys.readouterr() == ("", "restante-client: x: later or never\n")
    ClientOutput(is_json=True).fail(failure)
    assert json.loads(capsys.readouterr().out) == {"exit": 75, "code": 450, "error": failure.text}


def test_a_stream_of_another_encoding_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(octets, "ascii"))
    ClientOutput().say("bücher")
    assert octets.getvalue() == b"b\\xfccher\n"


def test_json_stays_json_whatever_the_secret_is(capsys: pytest.CaptureFixture[str]) -> None:
    output = ClientOutput(is_json=True)
    output.secrets.add("1", "acme-mail")
    output.secrets.add("}")
    output.say_json({"delivered": 451, "text": "server 10: {451}"})
    assert json.loads(capsys.readouterr().out) == {
        "delivered": 451,
        "text": "server [not shown] [not shown]",
    }


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("settings", "stream", "shown"),
    [
        ({"TERM": "xterm"}, Screen(), "\x1b[31mFAIL\x1b[0m     MX record\n"),
        ({"TERM": "dumb"}, Screen(), "FAIL     MX record\n"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, Screen(), "FAIL     MX record\n"),
        ({}, io.StringIO(), "FAIL     MX record\n"),
        ({"FORCE_COLOR": "1"}, io.StringIO(), "\x1b[31mFAIL\x1b[0m     MX record\n"),
    ],
)
def test_a_verdict_has_its_color_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], stream: io.StringIO, shown: str
) -> None:
    for name in ("TERM", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, text in settings.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr("sys.stdout", stream)
    ClientOutput().say_verdict("FAIL     MX record", "fail")
    assert stream.getvalue() == shown
    ClientOutput().say_verdict("STRANGE  MX record", "strange")
    assert stream.getvalue() == f"{shown}STRANGE  MX record\n"
