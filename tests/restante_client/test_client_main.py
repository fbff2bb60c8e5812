"""The program as a whole: its output, its errors, and its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import restante_client
from tests.restante_client.conftest import RunClient
from tests.restante_client.local_stub import LocalStub

PROGRAM = [sys.executable, "-m", "restante_client"]
SOURCE = str(Path(restante_client.__file__).parents[1])


def test_a_failure_is_json_too(client: RunClient, who: list[str]) -> None:
    ended = client("ask", "127.0.0.1:1", "a.example", *who, "--local", "none", "--json")
    told = json.loads(ended.out)
    assert ended.code == told["exit"] == 75
    assert f"restante-client: {told['error']}\n" == ended.err


def test_watch_prints_files_with_the_whole_command(client: RunClient) -> None:
    words = ("turn", "mx2.example.net", "--login", "acme-mail", "--password-file", "/etc/pw")
    for kind, text in (
        ("systemd-service", "LoadCredential=password:/etc/pw"),
        ("systemd-timer", "OnUnitInactiveSec=300s"),
        ("networkmanager", "--password-file /etc/pw"),
        ("windows", "--login acme-mail"),
    ):
        ended = client("watch", "--every", "5m", "--print", kind, *words)
        assert ended.code == 0
        assert text in ended.out


@pytest.mark.parametrize("kind", ["systemd-service", "networkmanager", "windows"])
@pytest.mark.parametrize("place", ["password", "./password", "-"])
def test_watch_prints_no_file_that_cannot_run(client: RunClient, kind: str, place: str) -> None:
    words = ("turn", "mx2.example.net", "--login", "acme-mail", "--password-file", place)
    ended = client("watch", "--print", kind, *words)
    assert (ended.code, ended.out) == (64, "")
    assert ended.err.startswith(f"restante-client: --password-file {place}: ")


def test_the_timer_needs_no_command(client: RunClient) -> None:
    ended = client("watch", "--print", "systemd-timer")
    assert ended.code == 0
    assert "OnUnitInactiveSec=600s" in ended.out


def test_watch_prints_json_for_a_run_that_fails(
    client: RunClient, who: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("restante_client.watch_loop.WatchLoop.loop", lambda self, _: self._run())
    words = ("ask", "127.0.0.1:1", "a.example", *who, "--local", "none", "--json")
    assert json.loads(client("watch", *words).out)["exit"] == 75


def test_watch_goes_on_after_a_failure_and_ends_when_told(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "password").chmod(0o600)
    with LocalStub() as local:
        words = ["turn", "127.0.0.1:1", "--login", "a", "--password-file", tmp_path / "password"]
        process = subprocess.Popen(
            [*PROGRAM, "watch", "--every", "1s", *map(str, words), "--local", local.address],
            env={**os.environ, "PYTHONPATH": SOURCE},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        said = [process.stderr.readline() for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
        process.stderr.close()
    assert said == [said[0]] * 2
    assert "Connection refused" in said[0]


@pytest.mark.parametrize("verb", ["ask", "turn", "watch", "doctor", "snippet"])
def test_each_verb_has_help(client: RunClient, verb: str) -> None:
    with pytest.raises(SystemExit) as caught:
        client(verb, "--help")
    assert caught.value.code == 0


def test_a_fault_of_the_program_is_one_line_and_json(
    client: RunClient, who: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no way")

    monkeypatch.setattr("restante_client.etrn_request.SmtpLink", broken)
    ended = client("ask", "mx.example", "a.example", *who, "--local", "none", "--json")
    told = json.loads(ended.out)
    assert ended.code == told["exit"] == 70
    assert "unexpected RuntimeError: no way at tests." in told["error"]
    assert ended.err == f"restante-client: {told['error']}\n"


@pytest.mark.parametrize(
    "words",
    [
        ["turn", "a..b"],
        ["turn", "a" * 64],
        ["turn", "mx\udcff.example"],
        ["turn", "localhost:1", "a\udcff.example"],
        ["turn", "localhost:1", "--local", "a..b:25"],
        ["turn", ".example"],
    ],
)
@pytest.mark.parametrize("more", [[], ["--json"]], ids=["text", "json"])
def test_names_that_cannot_be_are_told(
    client: RunClient, who: list[str], words: list[str], more: list[str]
) -> None:
    with LocalStub() as local:
        at = [] if "--local" in words else ["--local", local.address]
        ended = client(*words, *at, *who, *more)
    assert ended.code == 64
    assert len(ended.err.splitlines()) == 1
    assert not more or json.loads(ended.out)["exit"] == 64


@pytest.mark.parametrize("words", [["a..b"], ["mx.example", "a..b"]])
def test_a_wrong_name_is_told_without_waiting_for_the_local_server(
    client: RunClient, who: list[str], words: list[str]
) -> None:
    ended = client("turn", *words, *who, "--local", "127.0.0.1:1")
    assert ended.code == 64
    assert ended.err.startswith("restante-client: a..b: ")
