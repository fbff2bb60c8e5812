"""A destination that records what it takes: a program of its own, so that it can be killed.

    python -m tests.acceptance.crash.sink PORT FILE DELAY PROXY_PORT [--chunking]

At PROXY_PORT each connection begins with a header of the PROXY protocol, version 2. The sink
announces PIPELINING, and CHUNKING if told to. Before the 250 a message is in FILE, by one write. It
is a line of JSON (its recipients, its octets, the client that was told), then its content. DELAY is
the pause before that 250, in seconds, so that a kill always finds messages under way.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import re
import sys
from pathlib import Path
from typing import Final, NamedTuple

HOST: Final = "127.0.0.1"
_PATH: Final = re.compile(rb"<([^>]*)>")
_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_FIXED: Final = 16  # octets of a PROXY header before the addresses
_PROXY: Final = 0x21
_OCTETS: Final = {0x11: 4, 0x21: 16}  # of an address, by family
_MOST: Final = 1 << 26  # octets of a line or a message


class Record:
    """The file."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._count = 0

    def add(self, to: list[str], content: bytes, client: str | None) -> int:
        """Write a message; return its number."""
        facts = {"to": to, "octets": len(content), "client": client}
        line = json.dumps(facts).encode()
        os.write(self._file, line + b"\n" + content)
        self._count += 1
        return self._count


class Manner(NamedTuple):
    """The answers to every connection."""

    record: Record
    delay: float
    offer: bytes


class Session:
    """One connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        manner: Manner,
        client: str | None,
    ) -> None:
        """`client`: its address, "" if the server named none; None: no server is asked to."""
        self._reader = reader
        self._writer = writer
        self._record, self._delay, self._offer = manner
        self._client = client
        self._to: list[str] = []
        self._chunks: list[bytes] = []

    async def run(self) -> None:
        """Answer until the other side leaves."""
        try:
            self._say(b"220 sink.example")
            while (line := (await self._reader.readuntil(b"\r\n")).rstrip()).upper() != b"QUIT":
                await self._obey(line)
            self._say(b"221 bye")
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self._writer.close()

    async def _obey(self, line: bytes) -> None:
        match line[:4].upper():
            case b"EHLO":
                self._say(self._offer)
            case b"RCPT":
                self._to += [path.decode() for path in _PATH.findall(line)[:1]]
                self._say(b"250 OK")
            case b"DATA":
                self._say(b"354 go on")
                content = await self._reader.readuntil(b"\r\n.\r\n")
                await self._take(content[:-3].replace(b"\r\n..", b"\r\n."))
            case b"BDAT":
                await self._take_chunk(line)
            case _:
                self._to.clear()
                self._say(b"250 OK")

    async def _take_chunk(self, line: bytes) -> None:
        self._chunks.append(await self._reader.readexactly(int(line.split()[1])))
        if not self._to:
            self._chunks.clear()
            self._say(b"503 no recipients")
        elif line.upper().endswith(b"LAST"):
            await self._take(b"".join(self._chunks))
        else:
            self._say(b"250 OK")

    async def _take(self, content: bytes) -> None:
        number = self._record.add(self._to, content, self._client)
        self._to = []
        self._chunks = []
        await asyncio.sleep(self._delay)
        self._say(b"250 taken as %d" % number)

    def _say(self, reply: bytes) -> None:
        self._writer.write(reply + b"\r\n")


async def read_client(reader: asyncio.StreamReader) -> str:
    """Read the header of the PROXY protocol; return the client's address, "" for LOCAL."""
    fixed = await reader.readexactly(_FIXED)
    assert fixed.startswith(_SIGNATURE), fixed
    command, family = fixed[12], fixed[13]
    rest = await reader.readexactly(int.from_bytes(fixed[14:]))
    return str(ipaddress.ip_address(rest[: _OCTETS[family]])) if command == _PROXY else ""


async def main(port: int, file: Path, delay: float, proxy_port: int, *, has_chunking: bool) -> None:
    """Serve until killed."""
    record = Record(file)
    lines = [
        b"250-sink.example",
        b"250-PIPELINING",
        b"250-8BITMIME",
        *([b"250-CHUNKING"] if has_chunking else []),
    ]
    manner = Manner(record, delay, b"\r\n".join([*lines, b"250 SIZE 0"]))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Session(reader, writer, manner, None).run()

    async def serve_told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            client = await read_client(reader)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()
            return
        await Session(reader, writer, manner, client).run()

    told = await asyncio.start_server(serve_told, HOST, proxy_port, limit=_MOST, backlog=1024)
    server = await asyncio.start_server(serve, HOST, port, limit=_MOST, backlog=1024)
    await asyncio.gather(told.serve_forever(), server.serve_forever())


if __name__ == "__main__":
    asyncio.run(
        main(
            int(sys.argv[1]),
            Path(sys.argv[2]),
            float(sys.argv[3]),
            int(sys.argv[4]),
            has_chunking="--chunking" in sys.argv,
        )
    )
