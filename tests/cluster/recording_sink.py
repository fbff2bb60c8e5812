"""A destination that records each message with the server that brought it, and when."""

from __future__ import annotations

import asyncio
import time
from typing import Final, Self

from tests.cluster.live_owners import Taken

HOST: Final = "127.0.0.1"
TOKEN: Final = b"X-Token: "
_MOST: Final = 1 << 20  # octets of a line or a message
_SECONDS: Final = 0.01  # before each 250, so that a kill finds messages on their way


class RecordingSink:
    """Listens on a port while the `with` lasts; on one of its own if none is given."""

    def __init__(self, port: int = 0) -> None:
        self.taken: list[Taken] = []
        self.port = port
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, HOST, self.port, limit=_MOST)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        node = domain = ""
        begun = 0.0
        try:
            writer.write(b"220 sink.example\r\n")
            while (line := (await reader.readuntil(b"\r\n")).rstrip()).upper() != b"QUIT":
                match line[:4].upper():
                    case b"EHLO":
                        node = line[5:].decode()
                        writer.write(b"250-sink.example\r\n250 PIPELINING\r\n")
                    case b"MAIL":
                        begun = time.monotonic()
                        writer.write(b"250 OK\r\n")
                    case b"RCPT":
                        domain = line.partition(b"@")[2].partition(b">")[0].decode()
                        writer.write(b"250 OK\r\n")
                    case b"DATA":
                        writer.write(b"354 go on\r\n")
                        content = await reader.readuntil(b"\r\n.\r\n")
                        token = content.partition(TOKEN)[2].partition(b"\r\n")[0].decode()
                        await asyncio.sleep(_SECONDS)
                        self.taken.append(Taken(token, node, domain, begun, time.monotonic()))
                        writer.write(b"250 OK\r\n")
                    case _:
                        writer.write(b"250 OK\r\n")
            writer.write(b"221 bye\r\n")
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
