"""An SMTP server that stores nothing. It reads, counts, and replies 250.

It has PIPELINING, CHUNKING and 8BITMIME, and runs on uvloop.

    python bench/sinks/bare_sink.py ADDRESS PORT COUNTERS

As a destination it is fast enough to keep no sender waiting. As a server it is the floor: its cost
is that of Python and the machine. The program imports nothing of ours.

COUNTERS is a file of 64-bit numbers: the messages, the octets of their content, then the messages
of each domain d0.example, d1.example, …. A message counts for the domain of its first recipient.
"""

import asyncio
import mmap
import sys
from pathlib import Path
from typing import Final

import uvloop

GREETING: Final = b"220 sink.example ESMTP\r\n"
OFFER: Final = b"250-sink.example\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n250 CHUNKING\r\n"
OK: Final = b"250 2.0.0 Ok\r\n"
SENDER_OK: Final = b"250 2.1.0 Ok\r\n"
RECIPIENT_OK: Final = b"250 2.1.5 Ok\r\n"
TAKEN: Final = b"250 2.0.0 Ok: taken, and thrown away\r\n"  # unlike the other replies to pipelining
GO_ON: Final = b"354 End data with <CR><LF>.<CR><LF>\r\n"
BYE: Final = b"221 2.0.0 Bye\r\n"
NOT_NOW: Final = b"503 5.5.1 Bad sequence of commands\r\n"
UNKNOWN: Final = b"500 5.5.2 Command not recognized\r\n"
SIMPLE: Final = {b"EHLO": OFFER, b"HELO": OK, b"NOOP": OK, b"QUIT": BYE}
END: Final = b"\r\n.\r\n"
FIRST_DOMAIN: Final = 2  # slot
BACKLOG: Final = 4096

counters: memoryview


class Session(asyncio.Protocol):
    """One connection. Commands that come ahead of our replies are answered in order."""

    def __init__(self) -> None:
        self._rest = b""  # of a line, or the possible beginning of the end of data
        self._buffer = b""  # received octets, read as far as `_position`
        self._position = 0
        self._replies: list[bytes] = []
        self._chunk = 0  # octets of a BDAT chunk that have not arrived yet
        self._is_data = False
        self._is_last = False
        self._octets = 0  # of the message's content until now
        self._has_sender = False
        self._slot: int | None = None  # of the first recipient; None: there is no recipient yet

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        self._buffer, self._rest, self._position = self._rest + data, b"", 0
        while self._position < len(self._buffer):
            if self._chunk:
                self._take_chunk()
            elif self._is_data:
                self._take_data()
            else:
                self._take_line()
        if self._replies:
            self._transport.write(b"".join(self._replies))
            if self._replies[-1] is BYE:
                self._transport.close()
            self._replies.clear()

    def _take_line(self) -> None:
        newline = self._buffer.find(b"\n", self._position)
        if newline < 0:
            self._keep(self._position)
            return
        line = self._buffer[self._position : newline]
        self._position = newline + 1
        reply = self._answer(line)
        if reply:
            self._replies.append(reply)

    def _keep(self, position: int) -> None:
        """Put the rest by, until there is more."""
        self._rest = self._buffer[position:]
        self._position = len(self._buffer)

    def _answer(self, line: bytes) -> bytes:  # noqa: PLR0911  a table, as it were
        verb = line[:4].upper()
        simple = SIMPLE.get(verb)
        if simple:
            return simple
        match verb:
            case b"MAIL":
                self._has_sender = True
                return SENDER_OK
            case b"RCPT":
                return self._take_recipient(line)
            case b"BDAT":
                return self._begin_chunk(line.split())
            case b"DATA":
                return self._begin_data()
            case b"RSET":
                self._reset()
            case _:
                return UNKNOWN
        return OK

    def _take_recipient(self, line: bytes) -> bytes:
        if not self._has_sender:
            return NOT_NOW
        if self._slot is None:
            digits = line[line.find(b"@d") + 2 : line.find(b".example")]
            slot = FIRST_DOMAIN + int(digits) if digits.isdigit() else 0
            self._slot = slot if slot < len(counters) else 0
        return RECIPIENT_OK

    def _begin_chunk(self, words: list[bytes]) -> bytes:
        """Read its octets even where it is refused: they are no commands."""
        self._chunk, self._is_last = int(words[1]), len(words) > 2
        self._octets += self._chunk
        return b"" if self._chunk else self._end_chunk()

    def _take_chunk(self) -> None:
        taken = min(self._chunk, len(self._buffer) - self._position)
        self._chunk -= taken
        self._position += taken
        if not self._chunk:
            self._replies.append(self._end_chunk())

    def _end_chunk(self) -> bytes:
        if self._slot is None:
            self._reset()
            return NOT_NOW
        if not self._is_last:
            return OK
        self._count()
        return TAKEN

    def _begin_data(self) -> bytes:
        if self._slot is None:
            return NOT_NOW
        self._is_data = True
        self._buffer, self._position = (
            b"\r\n" + self._buffer[self._position :],
            0,
        )  # the end mark may come at once
        self._octets = -2
        return GO_ON

    def _take_data(self) -> None:
        mark = self._buffer.find(END, self._position)
        if mark < 0:
            keep = max(self._position, len(self._buffer) - len(END) + 1)
            self._octets += keep - self._position
            self._keep(keep)
            return
        self._octets += mark + 2 - self._position
        self._position = mark + len(END)
        self._is_data = False
        self._count()
        self._replies.append(TAKEN)

    def _count(self) -> None:
        counters[0] += 1
        counters[1] += self._octets
        if self._slot:
            counters[self._slot] += 1
        self._reset()

    def _reset(self) -> None:
        self._has_sender, self._slot, self._octets = False, None, 0


async def serve(address: str, port: int) -> None:
    """Run until ended."""
    server = await asyncio.get_running_loop().create_server(Session, address, port, backlog=BACKLOG)
    await server.serve_forever()


if __name__ == "__main__":
    with Path(sys.argv[3]).open("r+b") as file, mmap.mmap(file.fileno(), 0) as shared:
        counters = memoryview(shared).cast("q")
        uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
