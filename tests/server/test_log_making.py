"""The log by the settings of `[log]`."""

import json
import os
import socket
from pathlib import Path

import pytest

from restante.config.load import load
from restante.config.schema import Config
from restante.server.log_making import connect_log
from restante.telemetry.event_bus import EventBus
from restante.telemetry.event_fields import example
from restante.telemetry.events import MailHeld, ServerStopping, StoreFailed
from restante.telemetry.work_word import WorkWord
from tests.config.files import installed, replaced

FAILURE = StoreFailed(error=ValueError("boom"), doing=WorkWord.HOLD)


def configured(tmp_path: Path, *settings: str) -> Config:
    lines = "\n".join(["[log]", *settings])
    return load(replaced(installed(tmp_path), '[log]\nstyle = "text"', lines), {})


def test_a_file_has_the_events_of_the_level(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ('style = "json"', 'level = "warning"', 'to = "file"', 'file = "restante.log"')
    events = EventBus()
    writer = connect_log(configured(tmp_path, *settings), events, worker=2)
    events.publish(example(MailHeld))
    events.publish(FAILURE)
    [line] = (tmp_path / "restante.log").read_text().splitlines()
    assert (json.loads(line)["event"], json.loads(line)["worker"]) == ("store-failed", 2)
    assert (capsys.readouterr().err, writer.failure) == ("", "")
    writer.end()


def test_a_place_that_takes_nothing_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = EventBus()
    writer = connect_log(configured(tmp_path, 'to = "file"', 'file = "no/restante.log"'), events)
    events.publish(ServerStopping(sessions=1))
    events.publish(ServerStopping(sessions=2))
    first, told, second = capsys.readouterr().err.splitlines()
    assert first.endswith(" server-stopping sessions=1")
    assert told.endswith(
        f' log-diverted [error] place={tmp_path}/no/restante.log error="No such file or directory"'
    )
    assert second.endswith(" server-stopping sessions=2")
    assert writer.failure == f"{tmp_path}/no/restante.log: No such file or directory"
    (tmp_path / "no").mkdir()
    writer.reopen()
    events.publish(ServerStopping(sessions=3))
    found = (tmp_path / "no" / "restante.log").read_text().splitlines()
    assert [line.split()[1] for line in found] == ["server-stopping", "log-restored"]
    assert (capsys.readouterr().err, writer.failure) == ("", "")
    writer.end()


def test_syslog_has_the_host_name(tmp_path: Path) -> None:
    config = configured(tmp_path, 'to = "syslog"', 'syslog_socket = "log.sock"')
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "log.sock"))
        events = EventBus()
        writer = connect_log(config, events)
        events.publish(FAILURE)
        server.setblocking(False)
        assert server.recv(9999).startswith(b"<19>1 ")
        writer.end()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_root_opens_no_file_for_another_user(tmp_path: Path) -> None:
    settings = ('to = "file"', 'file = "restante.log"')
    config = configured(tmp_path, *settings).model_copy(update={"user": "nobody"})
    events = EventBus()
    writer = connect_log(config, events)
    events.publish(FAILURE)
    assert not (tmp_path / "restante.log").exists()
    writer.begin()
    assert "store-failed" in (tmp_path / "restante.log").read_text()
    writer.end()
