"""Simulate distance: pass each octet on half a round trip later, in either direction, in order.

    python bench/delay_proxy.py ADDRESS PORT DESTINATION_PORT ROUND_TRIP_MS

The kernel's netem would do this better, but is not available everywhere. Bandwidth is not limited.
There is no back pressure: every write is accepted at once and kept here for its time. The greeting
arrives after two round trips, as over a real distance. The handshake of TCP takes one and a half of
them. The program imports nothing of ours.
"""

import asyncio
import sys
from collections import deque
from typing import Final

import uvloop

BACKLOG: Final = 4096
HANDSHAKE: Final = 3  # ways, until a server knows of the connection


class Way:
    """One direction: octets come out a delay after they were put in. None is the end."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._loop = asyncio.get_running_loop()
        self._travelling: deque[tuple[float, bytes | None]] = deque()
        self.exit: asyncio.Transport | None = None  # until it is there, nothing comes out

    def put(self, data: bytes | None) -> None:
        """Send it on its way."""
        if self.exit is not None and self.exit.is_closing():
            return
        self._travelling.append((self._loop.time() + self._delay, data))
        if len(self._travelling) == 1 and self.exit is not None:
            self._wait()

    def open(self, transport: asyncio.Transport) -> None:
        """Let it out there."""
        self.exit = transport
        if self._travelling:
            self._wait()

    def _wait(self) -> None:
        self._loop.call_at(self._travelling[0][0], self._arrive)

    def _arrive(self) -> None:
        assert self.exit is not None
        now = self._loop.time()
        if self.exit.is_closing():  # the other end has left: there is nobody to read it
            self._travelling.clear()
            return
        arrived = []
        while self._travelling and self._travelling[0][0] <= now:
            arrived.append(self._travelling.popleft()[1])
        is_ended = bool(arrived) and arrived[-1] is None
        self.exit.write(b"".join(data for data in arrived if data is not None))
        if is_ended:
            self.exit.close()
        elif self._travelling:
            self._wait()


class End(asyncio.Protocol):
    """One end of a connection. It puts the received octets on their way."""

    def __init__(self, way: Way) -> None:
        self._way = way

    def data_received(self, data: bytes) -> None:
        self._way.put(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._way.put(None)


class NearEnd(End):
    """The end at which a connection begins."""

    def __init__(self, address: str, port: int, delay: float) -> None:
        self._there, self._back = Way(delay), Way(delay)
        super().__init__(self._there)
        self._far = address, port
        self._handshake = HANDSHAKE * delay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._back.open(self._transport)
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        await asyncio.sleep(self._handshake)
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: End(self._back), *self._far
            )
        except OSError:
            self._transport.abort()
        else:
            self._there.open(transport)


async def serve(address: str, port: int, destination: int, delay: float) -> None:
    """Run until ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: NearEnd(address, destination, delay), address, port, backlog=BACKLOG
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(
        serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]) / 2 / 1000)
    )
