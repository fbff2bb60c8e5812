"""The command line as a function: arguments in; exit code, output and errors out."""

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from restante.cli import main, offline_admin, queue_selection, status_command, top
from restante.web.control_service import serve_on
from restante.web.control_socket import open_control
from restante.web.http_connections import HttpConnections, HttpService
from tests.admin.admin_world import AdminWorld


@dataclass(frozen=True)
class Outcome:
    """The result of a command: its exit code and output."""

    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run `restante` in this process. The server of a busy machine has its time to answer."""
    for module in (status_command, top):
        monkeypatch.setattr(module, "STATUS_SECONDS", 60.0)

    def run(*arguments: str | Path, stdin: str = "") -> Outcome:
        monkeypatch.setattr("sys.stdin", StringIO(stdin))
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def pristine() -> Iterator[Path]:
    """The files of `restante init`, with an account and a domain, made once."""
    with tempfile.TemporaryDirectory(prefix="rst") as name:
        made = Path(name) / "made"
        config = f"--config={made}/restante.toml"
        domain = ["--account=alpha", "--destination=192.0.2.1", "--allow=192.0.2.1"]
        assert main(["init", "--dir", str(made), "--hostname", "mx2.example.net"]) == 0
        assert main([config, "account", "add", "alpha", "--note", "the first"]) == 0
        assert main([config, "domain", "add", "alpha.example", *domain]) == 0
        yield made


@pytest.fixture
def installation(pristine: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation that commands find by the environment. Its path fits a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="rst") as name:
        directory = Path(name) / "i"
        shutil.copytree(pristine, directory)
        monkeypatch.setenv("RESTANTE_CONFIG", str(directory / "restante.toml"))
        yield directory


@pytest.fixture
def admin(installation: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AdminWorld]:
    """An admin context that is served; opening the store too would be a fault."""
    monkeypatch.delattr(offline_admin, "open_offline_admin")
    admin = AdminWorld()
    number = asyncio.run(admin.host("alpha.example", "alpha"))
    for message in (33, 34):
        asyncio.run(
            admin.hold(message, number, "x@alpha.example", reverse_path="\x1b[31m@evil.example")
        )
    asyncio.run(admin.refuse(34, number, "x@alpha.example", "550 5.7.1 no [bold]mail[/bold]\x07"))
    listener = open_control(installation / "data" / "control.sock")
    loop = asyncio.new_event_loop()
    serving = loop.create_task(
        serve_on(admin.context, listener, HttpConnections(HttpService.CONTROL, 8))
    )
    thread = threading.Thread(target=_serve, args=(loop, serving))
    thread.start()
    yield admin
    loop.call_soon_threadsafe(serving.cancel)
    thread.join()


def _serve(loop: asyncio.AbstractEventLoop, serving: asyncio.Task[None]) -> None:
    loop.run_until_complete(asyncio.wait([serving]))
    loop.close()


@pytest.fixture
def filled(admin: AdminWorld) -> AdminWorld:
    """With 11 (held) and 12 (refused) of alpha.example: 13 to x and y there, 14 of beta.example."""
    alpha = admin.context.directory.now.domains["alpha.example"].id
    asyncio.run(admin.hold(35, alpha, "x@alpha.example", "y@alpha.example"))
    beta = asyncio.run(admin.host("beta.example", "beta"))
    asyncio.run(admin.hold(36, beta, "z@beta.example", reverse_path=""))
    return admin


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Somebody who answers every question with a no; the questions are kept."""
    asked: list[str] = []

    def confirm(text: str, *, abort: bool) -> None:
        asked.append(text)
        raise typer.Abort

    monkeypatch.setattr(
        queue_selection, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    )
    monkeypatch.setattr(typer, "confirm", confirm)
    return asked
