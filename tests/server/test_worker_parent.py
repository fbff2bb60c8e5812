"""The supervisor's sockets: one set for each worker, on the same addresses."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import pytest

from restante.config.load import load
from restante.config.schema import Config
from restante.reception.listener import bind, stop_listening
from restante.server import worker_parent
from restante.server.server_start import CannotBind, StartGround
from restante.server.supervision import ABORT_AT, LOOK_SECONDS
from restante.server.worker_parent import WorkerSupervisor, _Child, bind_for_workers
from restante.telemetry.events import WorkerEnded
from restante.telemetry.service_manager import SIGN_OF_LIFE
from tests.acceptance.peers.ports import LOWEST, is_free  # other tests take none below LOWEST
from tests.config.files import installed
from tests.log_lines import Lines, bus_with


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Three workers on a free port, with metrics on another."""
    read = load(installed(tmp_path), {})
    listen = read.listen[0].model_copy(update={"address": "127.0.0.1:0"})
    telemetry = read.telemetry.model_copy(update={"metrics": "127.0.0.1:0"})
    changed = {"listen": (listen,), "telemetry": telemetry, "workers": 3}
    return read.model_copy(update=changed)


@pytest.fixture
def bound(config: Config) -> Iterator[list[list[socket.socket]]]:
    sockets = bind_for_workers(config)
    yield sockets
    close(sockets)


def close(sockets: list[list[socket.socket]]) -> None:
    for each in chain.from_iterable(sockets):
        each.close()


def accepted(listener: socket.socket) -> int:
    """Count the connections that wait at a socket."""
    count = 0
    try:
        while True:
            connection, _ = listener.accept()
            connection.close()
            count += 1
    except OSError:
        return count


def test_each_worker_has_a_socket_of_each_listener_and_metrics_of_its_own(
    bound: list[list[socket.socket]],
) -> None:
    listeners, metrics = zip(*bound, strict=True)
    assert len({each.getsockname() for each in listeners}) == 1
    assert len({each.getsockname() for each in metrics}) == 3


def are_free(*ports: int) -> bool:
    return all(is_free("127.0.0.1", port) for port in ports)


def test_metrics_have_ports_that_follow_each_other(config: Config) -> None:
    first = next(port for port in range(8000, LOWEST, 2) if are_free(port, port + 1))
    telemetry = config.telemetry.model_copy(update={"metrics": f"127.0.0.1:{first}"})
    sockets = bind_for_workers(config.model_copy(update={"telemetry": telemetry, "workers": 2}))
    assert [each[-1].getsockname()[1] for each in sockets] == [first, first + 1]
    close(sockets)


def test_a_socket_that_stops_listening_gets_nothing_and_can_listen_again(
    bound: list[list[socket.socket]],
) -> None:
    """So a worker that has ended takes no connection, and needs no privileges to start again."""
    first, second = bound[0][0], bound[1][0]
    address = first.getsockname()
    for gone, stays in ((first, second), (second, first)):
        first.listen()
        second.listen()
        stop_listening(gone)
        for _ in range(20):
            socket.create_connection(address, 5).close()
        assert (accepted(gone), accepted(stays)) == (0, 20)


def test_the_service_manager_is_told_once_that_the_server_is_ready(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(worker_parent, "notify", told.append)
    ground = StartGround(config, identity=None, vault=None)  # type: ignore[arg-type]
    with socket.socket() as control:
        supervisor = WorkerSupervisor(ground, [[], [], []], control, lambda: 0.0)
    supervisor._supervision.due(0.0)
    for report in ("EXTEND_TIMEOUT_USEC=1", "READY=1", "EXTEND_TIMEOUT_USEC=2", "RELOADING=1"):
        supervisor._take_report(1, report)
    supervisor._supervision.due(0.0)
    supervisor._take_report(2, "READY=1")
    assert told == ["EXTEND_TIMEOUT_USEC=1", "READY=1"]
    supervisor._stop()
    assert told[2:] == ["STOPPING=1"]
    supervisor._wakeup.end()


@contextmanager
def killed_at_the_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()


def test_a_worker_that_hangs_is_killed_and_the_log_says_why(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, told, lines = [0], list[str](), Lines()
    monkeypatch.setattr(worker_parent, "notify", told.append)
    monkeypatch.setattr(worker_parent, "EventBus", lambda: bus_with(lines))
    ground = StartGround(config, identity=None, vault=None)  # type: ignore[arg-type]
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with socket.socket() as control, theirs:
        supervisor = WorkerSupervisor(ground, [[], [], []], control, lambda: float(now[0]))
        supervisor._supervision.due(0.0)
        supervisor._take_report(1, "READY=1")
        with subprocess.Popen(["sleep", "60"]) as worker, killed_at_the_end(worker):
            worker.send_signal(signal.SIGSTOP)  # so it cannot heed SIGABRT
            supervisor._children[1] = _Child(worker.pid, ours)
            for now[0] in range(0, int(LOOK_SECONDS * (ABORT_AT + 3)), int(LOOK_SECONDS)):
                assert 1 in supervisor._children
                supervisor._carry_out(
                    [step for step in supervisor._supervision.due(now[0]) if step[0] == 1]
                )
                if now[0] == LOOK_SECONDS:
                    theirs.send(SIGN_OF_LIFE.encode())  # it counts from here
                    supervisor._hear(1)
            os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
            supervisor._collect()
    [ended] = lines.of(WorkerEnded)
    assert (ended["worker"], ended["reason"]) == (1, "signal 9, as it hung")
    assert told.count("READY=1") == 1
    supervisor._wakeup.end()


def test_an_address_that_a_server_by_itself_has_is_refused(config: Config) -> None:
    with bind("127.0.0.1:0") as other:
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        listen = config.listen[0].model_copy(update={"address": address})
        with pytest.raises(CannotBind, match=address):
            bind_for_workers(config.model_copy(update={"listen": (listen,)}))
