"""Messages to a socket of syslog: there, away, started again, and full."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from restante.telemetry.log_line import LogLine
from restante.telemetry.log_output import LinesUnwritten
from restante.telemetry.syslog_output import SyslogOutput


def lines(*texts: str) -> list[LogLine]:
    return [LogLine(text, "2026-11-30T08:00:00.000000Z", "info", "mail-held") for text in texts]


def server_at(path: Path) -> socket.socket:
    """Return a syslog server's socket."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(str(path))
    server.setblocking(False)
    return server


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def server(path: Path) -> Iterator[socket.socket]:
    with server_at(path) as made:
        yield made


def test_each_row_is_a_datagram(path: Path, server: socket.socket) -> None:
    log = SyslogOutput(path, "mx2.example.net")
    log.write(lines("a", "b\n    c"))
    log.reopen()
    head = f"<22>1 2026-11-30T08:00:00.000000Z mx2.example.net restante {os.getpid()} mail-held - "
    assert [server.recv(9999).decode() for _ in range(3)] == [
        f"{head}a",
        f"{head}b",
        f"{head}    c",
    ]


def test_a_server_that_was_started_again_gets_the_next_line(path: Path) -> None:
    log = SyslogOutput(path, "mx2.example.net")
    with server_at(path):
        log.write(lines("a"))
    path.unlink()
    with server_at(path) as again:
        log.write(lines("b"))
        assert again.recv(9999).endswith(b" - b")
    log.reopen()


def test_without_a_server_the_lines_are_given_back(path: Path) -> None:
    log = SyslogOutput(path, "mx2.example.net")
    with pytest.raises(LinesUnwritten, match="No such file") as unwritten:
        log.write(lines("a", "b"))
    assert [line.text for line in unwritten.value.left] == ["a", "b"]
    with server_at(path) as server:
        log.write(lines("c"))
        assert server.recv(9999).endswith(b" - c")
        log.reopen()
    with pytest.raises(LinesUnwritten, match="Connection refused"):
        log.write(lines("d"))


def test_a_server_that_does_not_read_holds_nobody_up(
    path: Path, server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("restante.telemetry.syslog_output.SEND_SECONDS", 0.0)
    log = SyslogOutput(path, "mx2.example.net")
    with pytest.raises(LinesUnwritten, match="temporarily unavailable") as unwritten:
        log.write(lines(*map(str, range(100_000))))
    left = [line.text for line in unwritten.value.left]
    assert left[-1] == "99999"
    assert 0 < len(left) < 100_000
    assert server.recv(9999).endswith(b" - 0")
