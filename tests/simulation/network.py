"""A network in memory: connections with delay, pieces of any size, and cuts at any octet.

Each machine has a context in which everything of it runs. So a connection knows where it comes
from, and a crash knows the work to end. Octets arrive in order or not at all. A cut ends a
connection in mid-stream: both sides see a reset, or, for a silent cut, nothing at all.
"""

import asyncio
import contextvars
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from tests.simulation.trace import Trace

Address = tuple[str, int]
_HIGH, _LOW = 65536, 16384  # octets on their way before a writer is paused, and let write again
_HERE: contextvars.ContextVar["Machine"] = contextvars.ContextVar("machine")


@dataclass(eq=False)
class Machine:
    """A host. The acts of a dead one have no effect."""

    name: str
    address: str
    is_alive: bool = True
    is_spared: bool = False  # its connections are never cut
    context: contextvars.Context = field(init=False)
    transports: dict[int, "Transport"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.context = contextvars.copy_context()
        self.context.run(_HERE.set, self)


def here() -> Machine:
    """Return the machine that runs this code."""
    return _HERE.get()


@dataclass(frozen=True)
class Weather:
    """How bad the network is."""

    cut: float = 0.0  # share of connections that are cut
    silent: float = 0.0  # share of the cuts that nobody notices
    longest_life: int = 6000  # octets in a direction, before the cut
    latency: float = 0.05  # seconds, at most
    pieces: float = 0.3  # share of writes that arrive in pieces


class Connection:
    """Both ends, and the fate that it has in store for them."""

    def __init__(self, network: "Network", client: Machine, server: Machine) -> None:
        dice, weather = network.dice, network.weather
        if client.is_spared or server.is_spared:
            weather = replace(weather, cut=0.0)
        self.network = network
        self.number = next(network.numbers)
        self.text = f"#{self.number} {client.name}>{server.name}"
        self.is_cut = False  # it was cut, or one machine crashed: the ends may differ
        self.limits: list[float] = [math.inf, math.inf]  # octets, from the client and to it
        if dice.random() < weather.cut:
            self.limits[dice.randrange(2)] = dice.randrange(weather.longest_life)
        self.is_silent = dice.random() < weather.silent
        self.latency = dice.uniform(0.0005, weather.latency)

    def cut(self, *ends: "Transport") -> None:
        """Lose all that is on its way, and tell the ends unless it is silent."""
        if self.is_cut:
            return
        self.is_cut = True
        self.network.trace.note("network", f"{self.text} is cut{' silently' * self.is_silent}")
        if not self.is_silent:
            for end in ends:
                end.lose(ConnectionResetError("Connection reset by peer"))


class Transport(asyncio.Transport):
    """One end."""

    peer: "Transport"
    protocol: Any = None

    def __init__(
        self, connection: Connection, machine: Machine, limit: float, ends: tuple[Address, Address]
    ) -> None:
        """`ends` are the addresses of this end and the other; `limit` is in octets."""
        super().__init__({"sockname": ends[0], "peername": ends[1]})
        self.connection = connection
        self._limit = limit
        self.machine = machine
        self._loop = asyncio.get_running_loop()
        self._is_closing = self._is_lost = self._is_reading_paused = self._is_writing_paused = False
        self._has_sent_end = False
        self._on_way = 0  # octets written and not read by the peer
        self._arrives_at = 0.0  # the latest arrival: nothing overtakes
        self._sent = 0  # octets that arrived
        self._inbox: list[bytes | None] = []  # arrived while reading was paused; None is the end

    # Called by a protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol  # type: ignore[no-any-return]

    def is_closing(self) -> bool:
        return self._is_closing

    def get_write_buffer_size(self) -> int:
        return self._on_way

    def write(self, data: Any) -> None:
        if self._is_closing or not data or not self.machine.is_alive:
            return
        octets = bytes(data)
        self._on_way += len(octets)
        for piece in self.connection.network.pieces(octets):
            self._after_delay(self._arrive, piece)
        if self._on_way > _HIGH and not self._is_writing_paused:
            self._is_writing_paused = True
            self.protocol.pause_writing()

    def writelines(self, parts: Any) -> None:
        self.write(b"".join(parts))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if not self._has_sent_end:
            self._has_sent_end = True
            self._after_delay(self._arrive, None)

    def pause_reading(self) -> None:
        self._is_reading_paused = True

    def resume_reading(self) -> None:
        self._is_reading_paused = False
        self._soon(self._read_on)

    def is_reading(self) -> bool:
        return not (self._is_reading_paused or self._is_closing)

    def close(self) -> None:
        """Send what is on its way, then the end."""
        if self._is_closing:
            return
        self._is_closing = True
        self.write_eof()
        if not self._on_way:
            self._soon(self._end, None)

    def abort(self) -> None:
        """End at once; the peer is reset."""
        self._is_closing = True
        if not self._is_lost and not self.connection.is_cut and self.machine.is_alive:
            self._after_delay(self.peer.lose, ConnectionResetError("Connection reset by peer"))
        self._soon(self._end, None)

    # Acts of the network

    def lose(self, error: Exception | None) -> None:
        """End because the connection is lost."""
        self._is_closing = True
        self._soon(self._end, error)

    def _soon(self, callback: Callable[..., None], *args: Any) -> None:
        self._loop.call_soon(callback, *args, context=self.machine.context)

    def _after_delay(self, callback: Callable[..., None], *args: Any) -> None:
        """Call in the context of the peer, not before what was sent earlier."""
        dice = self.connection.network.dice
        at = self._loop.time() + self.connection.latency * dice.uniform(0.5, 1.0)
        self._arrives_at = max(at, self._arrives_at + 1e-6)
        self._loop.call_at(self._arrives_at, callback, *args, context=self.peer.machine.context)

    def _arrive(self, piece: bytes | None) -> None:
        connection = self.connection
        if connection.is_cut:
            return
        if piece is not None:
            left = self._limit - self._sent
            if left < len(piece):
                piece = piece[: int(left)]
                self.peer.take(piece)
                connection.cut(self, self.peer)
                return
            self._sent += len(piece)
        self.peer.take(piece)

    def take(self, piece: bytes | None) -> None:
        """Hand octets to the protocol, in its time. None is the end of the peer's octets."""
        if not self.machine.is_alive:
            return
        if self._is_lost:
            if piece:  # nobody is there any more
                self.peer.lose(ConnectionResetError("Connection reset by peer"))
            return
        if self._is_reading_paused or self._inbox:
            self._inbox.append(piece)
        else:
            self._read(piece)

    def _read_on(self) -> None:
        while self._inbox and not self._is_reading_paused and not self._is_lost:
            self._read(self._inbox.pop(0))

    def _read(self, piece: bytes | None) -> None:
        if piece is None:
            if not self._is_closing and not self.protocol.eof_received():
                self.close()
            return
        self.peer.was_read(len(piece))
        if not self._is_closing and piece:
            self.protocol.data_received(piece)

    def was_read(self, octets: int) -> None:
        """Make room for more; called in the peer's turn, so the protocol is told in its own."""
        self._on_way -= octets
        self._soon(self._make_room)

    def _make_room(self) -> None:
        if self._is_lost or not self.machine.is_alive:
            return
        if self._is_writing_paused and self._on_way <= _LOW:
            self._is_writing_paused = False
            self.protocol.resume_writing()
        if self._is_closing and not self._on_way:
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        if self._is_lost:
            return
        self._is_lost = self._is_closing = True
        self.machine.transports.pop(self.connection.number, None)
        if self.machine.is_alive and self.protocol is not None:
            self.protocol.connection_lost(error)


class Listening:
    """The result of `create_server`."""

    def __init__(self, network: "Network", address: Address, factory: Callable[[], Any]) -> None:
        self.factory, self.machine = factory, here()
        self._network, self._address = network, address

    def close(self) -> None:
        """Refuse connections from now on."""
        if self._network.listening.get(self._address) is self:
            del self._network.listening[self._address]


class Network:
    """The listeners, and the faults of connections."""

    FIRST_PORT = 32768  # of clients

    def __init__(self, dice: Random, trace: Trace, weather: Weather) -> None:
        self.dice, self.trace, self.weather = dice, trace, weather
        self.listening: dict[Address, Listening] = {}
        self.numbers = itertools.count(1)

    def listen(self, factory: Callable[[], Any], host: str, port: int) -> Listening:
        """Let this machine accept connections."""
        made = self.listening[host, port] = Listening(self, (host, port), factory)
        return made

    async def connect(self, factory: Callable[[], Any], host: str, port: int) -> tuple[Any, Any]:
        """Connect from this machine. Raises ConnectionRefusedError."""
        client = here()
        await asyncio.sleep(self.dice.uniform(0.001, self.weather.latency))
        listening = self.listening.get((host, port))
        if listening is None or not listening.machine.is_alive or not client.is_alive:
            raise ConnectionRefusedError(111, "Connection refused")
        connection = Connection(self, client, listening.machine)
        local = (client.address, self.FIRST_PORT + connection.number)
        limits, far = connection.limits, (host, port)
        mine = Transport(connection, client, limits[0], (local, far))
        other = Transport(connection, listening.machine, limits[1], (far, local))
        mine.peer, other.peer = other, mine
        client.transports[connection.number] = mine
        listening.machine.transports[connection.number] = other
        mine.protocol = factory()
        asyncio.get_running_loop().call_soon(
            _begin_serving, other, listening, context=listening.machine.context
        )
        mine.protocol.connection_made(mine)
        return mine, mine.protocol

    def pieces(self, octets: bytes) -> list[bytes]:
        """Divide a write as a network might."""
        if len(octets) < 2 or self.dice.random() >= self.weather.pieces:
            return [octets]
        marks = sorted(self.dice.randrange(1, len(octets)) for _ in range(self.dice.randint(1, 3)))
        return [octets[a:b] for a, b in itertools.pairwise((0, *marks, len(octets))) if a < b]

    def crash(self, machine: Machine) -> None:
        """End a machine: its peers see a reset, or nothing more."""
        machine.is_alive = False
        for address, listening in list(self.listening.items()):
            if listening.machine is machine:
                del self.listening[address]
        for transport in list(machine.transports.values()):
            transport.connection.cut(transport.peer)
        machine.transports.clear()


def _begin_serving(transport: Transport, listening: Listening) -> None:
    if listening.machine.is_alive and not transport.connection.is_cut:
        transport.protocol = listening.factory()
        transport.protocol.connection_made(transport)
