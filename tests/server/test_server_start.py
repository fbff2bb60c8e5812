"""The exit codes of a server that cannot start, with one line about cause and remedy."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from restante.config.load import load
from restante.config.schema import Config
from restante.server import server_start
from restante.server.server_start import run_server
from restante.store.store_errors import StoreDamaged, StoreError, StoreMisplaced, StoreUnusable
from restante.web.control_socket import ControlMisplaced, ControlUnusable
from tests.acceptance.peers.ports import free_port
from tests.config.files import installed


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """An installation on a free port; this process stays what it is."""
    for act in ("keep_memory_private", "raise_limit"):
        monkeypatch.setattr(server_start, act, lambda: None)
    for act in ("check_program_is_reachable", "become"):
        monkeypatch.setattr(server_start, act, lambda _user: None)
    read = load(installed(tmp_path), {})
    listen = read.listen[0].model_copy(update={"address": "127.0.0.1:0"})
    return read.model_copy(update={"listen": [listen]})


def complaint(capfd: pytest.CaptureFixture[str]) -> str:
    """Return the one line on standard error that is no event."""
    [line] = [line for line in capfd.readouterr().err.splitlines() if line.startswith("restante: ")]
    return line


class Failing:
    """A server whose store or control socket cannot be used."""

    error: Exception
    failure = ""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    async def run(self) -> None:
        if not self.failure:
            raise self.error


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (StoreDamaged("the database is damaged"), (65, "the database is damaged")),
        (StoreUnusable("another server runs on it"), (69, "another server runs on it")),
        (StoreError("disk I/O error"), (75, "disk I/O error; start the server again")),
        (StoreMisplaced("is a directory"), (78, "is a directory")),
        (ControlUnusable("a server is running"), (69, "a server is running")),
        (ControlMisplaced("is no socket"), (78, "is no socket")),
    ],
    ids=["damaged", "unusable", "failed", "misplaced", "control socket", "no control socket"],
)
def test_each_failure_has_its_code(
    error: Exception,
    end: tuple[int, str],
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(server_start, "Application", type("Failed", (Failing,), {"error": error}))
    code, text = end
    assert run_server(config) == code
    assert complaint(capfd) == f"restante: {text}"


def test_a_server_that_ended_for_a_failure_asks_to_be_started_again(
    config: Config, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    failing = type("Failed", (Failing,), {"failure": "a sync failed"})
    monkeypatch.setattr(server_start, "Application", failing)
    assert run_server(config) == 75
    assert complaint(capfd) == "restante: a sync failed; start the server again"


def test_an_address_in_use_is_named_with_its_table_and_no_other_stays_bound(
    config: Config, capfd: pytest.CaptureFixture[str]
) -> None:
    free = free_port()
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        listen = [
            config.listen[0].model_copy(update={"address": address})
            for address in (f"127.0.0.1:{free}", taken)
        ]
        assert run_server(config.model_copy(update={"listen": listen})) == 69
        line = complaint(capfd)
        assert line.startswith(f"restante: {taken}: Address already in use; ")
        assert "[[listen]]" in line
        socket.create_server(("127.0.0.1", free)).close()


def test_a_port_that_this_user_may_not_bind_is_a_matter_of_permission(
    config: Config, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def forbid(address: str, *, is_shared: bool) -> None:
        raise PermissionError(address)

    monkeypatch.setattr(server_start, "bind", forbid)
    assert run_server(config) == 77
    assert "this user may not bind it; start as root" in complaint(capfd)


def test_a_key_file_that_is_missing_is_an_error_of_the_configuration(
    config: Config, capfd: pytest.CaptureFixture[str]
) -> None:
    config.key_file.unlink()
    assert run_server(config) == 78
    assert str(config.key_file) in complaint(capfd)


def test_a_failure_of_one_task_is_told_as_itself(
    config: Config, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    error = ExceptionGroup("a task failed", [StoreError("disk I/O error")])
    monkeypatch.setattr(server_start, "Application", type("Failed", (Failing,), {"error": error}))
    assert run_server(config) == 75
    assert complaint(capfd) == "restante: disk I/O error; start the server again"


def test_two_failures_at_once_are_a_defect_and_not_hidden(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = ExceptionGroup("two", [StoreError("a"), StoreError("b")])
    monkeypatch.setattr(server_start, "Application", type("Failed", (Failing,), {"error": error}))
    with pytest.raises(ExceptionGroup):
        run_server(config)


@pytest.mark.parametrize("is_uvloop", [True, False])
def test_the_loop_is_the_configured_one(
    is_uvloop: bool, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    loops: list[str] = []

    class Looking(Failing):
        async def run(self) -> None:
            loops.append(type(asyncio.get_running_loop()).__module__)

    monkeypatch.setattr(server_start, "Application", Looking)
    assert run_server(config.model_copy(update={"uvloop": is_uvloop})) == 0
    assert (loops[0].partition(".")[0] == "uvloop") is is_uvloop


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("198.18.0.77:2525", "198.18.0.77:2525: Cannot assign requested address; name an address"),
        ("[fe80::1]:2525", "[fe80::1]:2525: Invalid argument; write it with its zone, as in"),
    ],
)
def test_an_address_of_another_machine_is_not_called_in_use(
    config: Config, capfd: pytest.CaptureFixture[str], address: str, line: str
) -> None:
    listen = [config.listen[0].model_copy(update={"address": address})]
    assert run_server(config.model_copy(update={"listen": listen})) == 69
    assert complaint(capfd).startswith(f"restante: {line}")


def test_a_busy_thread_keeps_the_loop_waiting_for_half_a_millisecond_at_most(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    class Looking(Failing):
        async def run(self) -> None:
            seen.append(sys.getswitchinterval())

    monkeypatch.setattr(server_start, "Application", Looking)
    before = sys.getswitchinterval()
    try:
        run_server(config)
    finally:
        sys.setswitchinterval(before)
    assert seen == [pytest.approx(0.0005)]
