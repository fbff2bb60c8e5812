"""The floor: a sink that stores nothing, used as a server. It costs only Python and the machine."""

from typing import NoReturn

from bench.background import BareSink
from bench.servers.server import Held, Server
from tests.acceptance.peers.ports import free_port


class FloorServer(Server):
    """sinks/bare_sink.py."""

    name = "floor"

    def __init__(self) -> None:
        self.port = free_port()
        self._sink = BareSink(self.port)

    def close(self) -> None:
        """Remove everything."""
        self._sink.close()

    def start(self) -> None:
        """Start it."""
        self._sink.begin()

    def stop(self) -> None:
        """Stop it."""
        self._sink.stop()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._sink.pid

    def held(self) -> Held:
        """Tell what it has seen: it holds nothing."""
        return Held(self._sink.count(), self._sink.octets())

    def ask_for_mail(self, target: str = "") -> NoReturn:
        """Nothing is there to be asked for."""
        raise NotImplementedError(target)
