"""The sockets of a server by their use, and the settings that run."""

import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from restante.config.load import load
from restante.config.schema import Config
from restante.config.server_certificates import ServerIdentity
from restante.server.server_setup import RunningSettings, ServerSetup
from tests.config.files import installed


class FakeSocket:
    """A bound socket."""

    def __init__(self, *name: Any) -> None:
        self.name = name

    def getsockname(self) -> tuple[Any, ...]:
        return self.name


def made(listeners: int, *sockets: FakeSocket) -> ServerSetup:
    config = SimpleNamespace(listen=[None] * listeners)
    parts: Any = dict.fromkeys(("identity", "vault", "log", "heard"))
    return ServerSetup(
        config=cast("Config", config),
        sockets=cast("list[socket.socket]", list(sockets)),
        started_at=0.0,
        **parts,
    )


MX = FakeSocket("192.0.2.1", 25)
SMTPS = FakeSocket("2001:db8::1", 465, 0, 0)
METRICS = FakeSocket("::1", 9090, 0, 0)


def test_the_sockets_of_listeners_come_first_and_the_rest_are_for_metrics() -> None:
    setup = made(2, MX, SMTPS, METRICS)
    assert setup.sockets[:2] == setup.listener_sockets
    assert setup.sockets[2:] == setup.metrics_sockets
    assert setup.addresses == [("192.0.2.1", 25), ("2001:db8::1", 465), ("::1", 9090)]
    assert setup.metrics_addresses == [("::1", 9090)]
    assert setup.metrics_texts == ("[::1]:9090",)


def test_without_metrics_there_is_no_address_of_theirs() -> None:
    setup = made(1, MX)
    assert (setup.metrics_addresses, setup.metrics_texts) == ([], ())


def test_a_replacement_is_complete_before_any_listener_is_called(tmp_path: Path) -> None:
    old = load(installed(tmp_path), {})
    new = old.model_copy(update={"hostname": "mx3.example.net"})
    first, second = ServerIdentity({}), ServerIdentity({})
    running, told = RunningSettings(old, first, 0.0), list[tuple[Any, ...]]()
    for name in ("door", "gate"):
        running.on_change(
            lambda config, name=name: told.append(  # type: ignore[misc]
                (name, config, running.config, running.identity)
            )
        )
    running.replace(new, second, new)
    assert told == [("door", new, new, second), ("gate", new, new, second)]
