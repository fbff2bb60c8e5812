"""The link between one server and one database: it passes all on until a fault is wanted.

It listens on a port of its own, and connects to the Unix socket of a database. To lose the answer
of a COMMIT, it reads the messages of the protocol (PostgreSQL documentation, chapter 54). The
database has committed when it says CommandComplete with COMMIT. For a statement without a
transaction, that is when it says ReadyForQuery. TLS would hide both, so the URL turns it off.
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

HOST: Final = "127.0.0.1"
_CHUNK: Final = 1 << 16
_HEAD: Final = struct.Struct("!cI")
_LENGTH: Final = struct.Struct("!I")
_PARSE, _BIND, _QUERY = b"P", b"B", b"Q"  # of the client
_COMPLETE, _READY = b"C", b"Z"  # of the database
_COMMITTED: Final = b"COMMIT\0"
_IDLE: Final = b"I"  # in no transaction
_CHANGES: Final = (b"INSERT", b"UPDATE", b"DELETE")
_LOST: Final = (OSError, asyncio.IncompleteReadError)


class DatabaseLink:
    """All connections of a server to a database while the `with` lasts."""

    def __init__(self, socket: Path, port: int) -> None:
        """`socket` is that of the database."""
        self.port = port
        self.lost_answers = 0
        self._socket = socket
        self._server: asyncio.Server | None = None
        self._connections: set[LinkedConnection] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._answers_to_lose = 0
        self._part = b""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.go_on()
        self.cut()

    def cut(self) -> None:
        """End all connections at once."""
        for connection in list(self._connections):
            connection.abort()

    def stall(self) -> None:
        """Pass nothing on until `go_on`, on new connections either."""
        self._flows.clear()

    def go_on(self) -> None:
        """Pass on what has gathered, and all that follows."""
        self._flows.set()

    def forget(self) -> None:
        """Pass nothing on of the connections that are open now, as if their way had vanished."""
        for connection in self._connections:
            connection.is_forgotten = True

    def lose_answers(self, count: int = 1, part: bytes = b"") -> None:
        """Let the next changes be committed, and cut each connection before its answer.

        `part` is one of a statement of the transaction, to choose a kind of change.
        """
        self._answers_to_lose, self._part = count, part

    def loses(self, statements: list[bytes]) -> bool:
        """Tell whether the answer is lost of a transaction of these statements, and count it."""
        is_change = any(word in one for one in statements for word in _CHANGES)
        if not (self._answers_to_lose and is_change and self._part in b"".join(statements)):
            return False
        self._answers_to_lose -= 1
        self.lost_answers += 1
        return True

    async def flow(self) -> None:
        """Wait while the link stalls."""
        await self._flows.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.flow()
        try:
            database = await asyncio.open_unix_connection(self._socket)
        except OSError:
            writer.transport.abort()
            return
        connection = LinkedConnection(self, (reader, writer), database)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
            connection.abort()


class LinkedConnection:
    """One connection: both ways."""

    def __init__(
        self,
        link: DatabaseLink,
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        database: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self.is_forgotten = False
        self._link = link
        self._from_server, self._to_server = server
        self._from_database, self._to_database = database
        self._named: dict[bytes, bytes] = {}  # statements that were prepared
        self._statements: list[bytes] = []  # of the transaction

    async def run(self) -> None:
        """Pass on until one side ends."""
        ways = [asyncio.ensure_future(way) for way in (self._requests(), self._answers())]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)

    def abort(self) -> None:
        """End it at once. A forgotten one stays open to both."""
        for writer in (self._to_server, self._to_database):
            writer.transport.abort()

    async def _requests(self) -> None:
        with suppress(*_LOST):
            (length,) = _LENGTH.unpack(await self._from_server.readexactly(_LENGTH.size))
            start = await self._from_server.readexactly(length - _LENGTH.size)
            await self._pass(self._to_database, _LENGTH.pack(length) + start)
            while True:
                kind, message = await _message(self._from_server)
                self._note(kind, message[_HEAD.size :])
                await self._pass(self._to_database, message)

    def _note(self, kind: bytes, body: bytes) -> None:
        """Note which statement a request is for."""
        first, _, rest = body.partition(b"\0")
        if kind == _PARSE:
            self._named[first] = rest.partition(b"\0")[0]
        elif kind == _BIND:
            self._statements.append(self._named.get(rest.partition(b"\0")[0], b""))
        elif kind == _QUERY:
            self._statements.append(first)

    async def _answers(self) -> None:
        with suppress(*_LOST):
            while True:
                kind, message = await _message(self._from_database)
                body = message[_HEAD.size :]
                is_end = kind == _READY and body == _IDLE
                is_committed = is_end or (kind == _COMPLETE and body == _COMMITTED)
                if is_committed and self._link.loses(self._statements):
                    return
                if is_end:
                    self._statements.clear()
                await self._pass(self._to_server, message, is_last=not self._from_database._buffer)  # type: ignore[attr-defined]

    async def _pass(
        self, writer: asyncio.StreamWriter, message: bytes, *, is_last: bool = True
    ) -> None:
        await self._link.flow()
        if self.is_forgotten:
            await asyncio.Event().wait()
        if writer.is_closing():
            raise ConnectionResetError
        writer.write(message)
        if is_last:
            await writer.drain()


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read a whole message, and return its kind too."""
    head = await reader.readexactly(_HEAD.size)
    kind, length = _HEAD.unpack(head)
    return kind, head + await reader.readexactly(length - _LENGTH.size)
