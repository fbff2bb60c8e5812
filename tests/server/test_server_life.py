"""The order of a server's life, from the store to the last event."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from restante.config.key_file import read_key
from restante.config.load import load
from restante.config.server_certificates import read_identity
from restante.notices.notice_inbox import NoticeInbox
from restante.reception.listener import bind
from restante.server import server_life
from restante.server.server_life import Application
from restante.server.server_setup import EventSubscribers, ServerSetup
from restante.store.store_errors import StoreUnusable
from restante.telemetry.event_counts import Counts
from restante.telemetry.events import ServerReady, ServerReloaded, ServerStopped, ServerStopping
from restante.tenancy.sealed_secrets import Vault
from tests.config.files import NOW, installed
from tests.log_lines import Lines, bus_with
from tests.no_garbage import NoGarbage


class Scene:
    """An installation whose one listener has a free port, and the acts of its server."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log, self.acts = Lines(), list[str]()
        monkeypatch.setattr(server_life, "notify", self.acts.append)
        monkeypatch.setattr(server_life, "gc", NoGarbage())
        config = load(installed(directory), {})
        listen = config.listen[0].model_copy(update={"address": "127.0.0.1:0"})
        config = config.model_copy(update={"listen": [listen]})
        self.socket = bind(listen.address)
        setup = ServerSetup(
            config=config,
            identity=read_identity(config),
            vault=Vault(read_key(config.key_file)),
            sockets=[self.socket],
            log=bus_with(self.log),
            heard=EventSubscribers(Counts(), NoticeInbox(lambda: NOW)),
            started_at=NOW,
        )
        self.application = Application(setup, lambda: self.acts.append("on_stop"))

    def run(self, act: Any) -> None:
        """Run the server; `act` gets it once it is ready and must end it."""

        async def story() -> None:
            running = asyncio.create_task(self.application.run())
            while "READY=1" not in self.acts:
                await asyncio.sleep(0)
                assert not running.done(), running.result()
            await act(self.application)
            await running

        try:
            asyncio.run(story())
        finally:
            self.socket.close()

    def kinds(self) -> list[type]:
        order = (ServerReady, ServerStopping, ServerStopped)
        return [kind for kind, _ in self.log.lines if kind in order]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(tmp_path, monkeypatch)


async def stop(application: Application) -> None:
    application._stop.set()


async def fail(application: Application) -> None:
    application._end_failed("a sync failed")


def test_each_step_is_told_to_the_service_manager_and_logged_in_its_order(scene: Scene) -> None:
    scene.run(stop)
    assert scene.acts[0].startswith("EXTEND_TIMEOUT_USEC="), "before the store is opened"
    assert scene.acts[1:] == ["READY=1", "on_stop", "STOPPING=1"]
    assert scene.kinds() == [ServerReady, ServerStopping, ServerStopped]
    assert scene.application.failure == ""


def test_it_is_ready_with_the_address_that_is_bound(scene: Scene) -> None:
    port = scene.socket.getsockname()[1]
    scene.run(stop)
    [ready] = scene.log.of(ServerReady)
    assert ready["listening"] == (f"mx 127.0.0.1:{port}",)


def test_a_failure_stops_it_in_the_same_order_and_is_kept_for_the_exit_code(scene: Scene) -> None:
    scene.run(fail)
    assert scene.application.failure == "a sync failed"
    assert scene.kinds() == [ServerReady, ServerStopping, ServerStopped]


def test_a_client_in_a_session_is_told_goodbye(scene: Scene) -> None:
    replies: list[bytes] = []

    async def act(application: Application) -> None:
        port = scene.socket.getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        replies.append(await reader.readline())
        application._stop.set()
        replies.append(await reader.readline())
        writer.close()

    scene.run(act)
    assert [reply[:4] for reply in replies] == [b"220 ", b"421 "]


def test_without_its_store_it_never_was_ready(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unusable(*_: object, **__: object) -> None:
        raise StoreUnusable("another server runs on it")

    monkeypatch.setattr(server_life, "open_store", unusable)
    with pytest.raises(StoreUnusable):
        asyncio.run(scene.application.run())
    scene.socket.close()
    assert scene.kinds() == []
    assert scene.application.parts is None


def test_mail_is_served_before_the_code_of_administration_is_loaded() -> None:
    """The modules that a start loads decide its length. These had most of it."""
    heavy = "fastapi uvicorn httpx rich joserfc restante.web.api restante.store.memory"
    code = (
        "import sys, restante.config.config_check, restante.server.server_start\n"
        f"print(*[name for name in '{heavy}'.split() if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "\n"


def test_a_reload_that_is_asked_for_before_it_is_possible_is_made_afterwards(scene: Scene) -> None:
    scene.application._reload.set()

    async def act(application: Application) -> None:
        while not scene.log.of(ServerReloaded):  # noqa: ASYNC110  the log has no event for that
            await asyncio.sleep(0)
        application._stop.set()

    scene.run(act)
