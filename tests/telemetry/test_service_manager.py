"""Our state in datagrams for the service manager."""

import asyncio
import re
import socket
from pathlib import Path

import pytest

from restante.server.supervision import ABORT_AT, LOOK_SECONDS
from restante.telemetry import service_manager
from restante.telemetry.service_manager import SIGN_SECONDS, give_sign_of_life, notify, report_to


@pytest.mark.parametrize("is_abstract", [False, True])
def test_a_state_is_one_datagram(
    is_abstract: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"restante-{tmp_path.name}-{id(tmp_path)}" if is_abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}" if is_abstract else name)
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}" if is_abstract else name)
        notify("READY=1")
        notify("STOPPING=1")
        assert [manager.recv(64), manager.recv(64)] == [b"READY=1", b"STOPPING=1"]


def test_a_worker_reports_to_its_supervisor_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_manager, "_supervisor", [])
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        report_to(theirs)
        notify("READY=1")
        assert ours.recv(64) == b"READY=1"
        with pytest.raises(BlockingIOError):
            manager.recv(64)
        ours.close()
        notify("STOPPING=1")  # a supervisor that has died stops nothing


def test_a_manager_that_left_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify("READY=1")


@pytest.mark.parametrize("address", [None, ""])
def test_without_a_manager_no_socket_is_made(
    address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("a socket was made")

    monkeypatch.setattr(socket, "socket", fail)
    if address is None:
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    else:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify("READY=1")


def test_a_sign_of_life_is_a_watchdog_report(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(service_manager, "notify", told.append)
    assert asyncio.run(give_sign_of_life()) == SIGN_SECONDS
    assert told == ["WATCHDOG=1"]


def test_four_signs_fit_into_the_patience_of_each_manager() -> None:
    unit = Path(__file__).parents[2] / "contrib/systemd/restante.service"
    [patience] = re.findall(r"^WatchdogSec=(\d+)s$", unit.read_text(), re.MULTILINE)
    assert min(int(patience), LOOK_SECONDS * (ABORT_AT - 1)) >= 4 * SIGN_SECONDS
