"""The load: many connections at once, each in its own manner, until the server has exited.

The manners:

    lone         a connection for each message, command by command
    kept         one connection for many messages
    pipelined    MAIL, RCPT and DATA in one piece, the next message right behind (RFC 2920)
    chunked      whole transactions ahead by BDAT, eight at a time (RFC 3030)
    large        content past what the server keeps in memory, by DATA or in several chunks
    abandoning   content that is begun and never ended: the server must never hold it
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from tests.acceptance.crash.books import REVERSE_PATH, Books, Sending

HOST: Final = "127.0.0.1"
LARGE: Final = (
    55_000,
    150_000,
    400_000,
)  # octets before they are spelled in base64; the first is just over the limit
AHEAD: Final = 8  # messages
BATCH: Final = 30  # messages on a kept connection before it says QUIT
HELD: Final = 250
LOOK: Final = 0.01  # seconds


class Gone(Exception):  # noqa: N818
    """The server has exited or disconnected."""


class NotNow(Exception):  # noqa: N818
    """The server has put a patient sender off."""


class Talk:
    """One connection, past EHLO."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str = ""
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.client = client  # the address that it comes from; "": any

    @classmethod
    async def open(cls, port: int, client: str = "") -> Talk:
        """Connect and greet. Raises Gone."""
        local = (client, 0) if client else None
        try:
            talk = cls(*await asyncio.open_connection(HOST, port, local_addr=local), client)
        except OSError:
            raise Gone from None
        try:
            await talk.reply()
            await talk.command("EHLO sender.example")
        except BaseException:
            talk.close()
            raise
        return talk

    def write(self, *pieces: bytes) -> None:
        """Send, some time."""
        self._writer.write(b"".join(pieces))

    async def drain(self) -> None:
        """Wait until there is room for more. Raises Gone."""
        try:
            await self._writer.drain()
        except OSError:
            raise Gone from None

    async def reply(self) -> int:
        """Read a whole reply and return its code. Raises Gone."""
        try:
            while (line := await self._reader.readuntil(b"\r\n"))[3:4] == b"-":
                pass
        except (OSError, asyncio.IncompleteReadError):
            raise Gone from None
        return int(line[:3])

    async def command(self, line: str) -> int:
        """Send a line and return the code of its reply."""
        self.write(f"{line}\r\n".encode())
        return await self.reply()

    def close(self) -> None:
        """Hang up."""
        self._writer.transport.abort()


class Senders:
    """All connections of one life of the server."""

    def __init__(
        self,
        port: int,
        books: Books,
        seed: int,
        *,
        is_patient: bool = False,
        clients: Sequence[str] = (),
    ) -> None:
        """With `is_patient` a sender keeps a message that gets 4xx, and goes on with the next.

        `clients` are the addresses that connections come from.
        """
        self._is_patient = is_patient
        self._clients = clients or ("",)
        self.refusals: Counter[int] = Counter()  # of patient senders, by code
        self.acknowledged = 0  # messages
        self._port = port
        self._books = books
        self._random = random.Random(seed)
        self._manners: Sequence[Callable[[], Awaitable[None]]] = (
            *(self._lone,) * 4,
            *(self._kept,) * 2,
            *(self._pipelined,) * 2,
            *(self._chunked,) * 2,
            *(self._large,) * 2,
            self._abandoning,
        )

    async def run(self) -> None:
        """Send until the server has exited, or until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for manner in self._manners:
                tasks.create_task(self._repeat(manner))

    async def run_until(self, is_enough: Callable[[], bool]) -> None:
        """Send until something holds, or until the server has exited."""
        sending = asyncio.ensure_future(self.run())
        while not (is_enough() or sending.done()):
            await asyncio.wait([sending], timeout=LOOK)
        sending.cancel()
        await asyncio.wait([sending])

    async def _repeat(self, manner: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await manner()
            except NotNow:
                await asyncio.sleep(0.05)
            except Gone:
                return

    async def _talk(self) -> Talk:
        return await Talk.open(self._port, self._random.choice(self._clients))

    # The manners

    async def _lone(self) -> None:
        talk = await self._talk()
        try:
            await self._by_data(talk, self._books.new(client=talk.client))
            await talk.command("QUIT")
        finally:
            talk.close()

    async def _kept(self) -> None:
        talk = await self._talk()
        try:
            for _ in range(BATCH):
                await self._by_data(talk, self._books.new(client=talk.client))
        finally:
            talk.close()

    async def _pipelined(self) -> None:
        talk = await self._talk()
        try:
            before: Sending | None = None
            for _ in range(BATCH):
                sending = self._books.new(client=talk.client)
                ending = _ended(before) if before is not None else b""
                talk.write(ending, _envelope(sending), b"DATA\r\n")
                if before is not None:
                    self._note(before, await talk.reply())
                await self._accepted(talk, sending)
                self._expect(await talk.reply(), 354)
                before = sending
            assert before is not None
            talk.write(_ended(before))
            self._note(before, await talk.reply())
        finally:
            talk.close()

    async def _chunked(self) -> None:
        talk = await self._talk()
        try:
            for _ in range(BATCH // AHEAD):
                sendings = [self._books.new(client=talk.client) for _ in range(AHEAD)]
                for sending in sendings:
                    sending.is_complete = True
                    talk.write(
                        _envelope(sending),
                        b"BDAT %d LAST\r\n" % len(sending.content),
                        sending.content,
                    )
                for sending in sendings:
                    await self._accepted(talk, sending)
                    self._note(sending, await talk.reply())
        finally:
            talk.close()

    async def _large(self) -> None:
        talk = await self._talk()
        try:
            for _ in range(4):
                sending = self._books.new(self._random.choice(LARGE), talk.client)
                by = self._random.choice((self._by_data, self._by_chunks))
                await by(talk, sending)
                await asyncio.sleep(
                    0.02
                )  # they are there to be among the others, not to be all there is
        finally:
            talk.close()

    async def _abandoning(self) -> None:
        talk = await self._talk()
        try:
            sending = self._books.new(self._random.choice((3000, *LARGE)), talk.client)
            talk.write(_envelope(sending), b"DATA\r\n")
            await self._accepted(talk, sending)
            self._expect(await talk.reply(), 354)
            talk.write(stuffed(sending.content)[: self._random.randrange(len(sending.content))])
            await talk.drain()
            await asyncio.sleep(self._random.uniform(0, 0.2))
        finally:
            talk.close()

    # Their parts

    async def _by_data(self, talk: Talk, sending: Sending) -> None:
        self._expect(await talk.command(f"MAIL FROM:<{REVERSE_PATH}>"), 250)
        for path in sending.to:
            self._expect(await talk.command(f"RCPT TO:<{path}>"), 250)
        self._expect(await talk.command("DATA"), 354)
        ended = _ended(sending, is_on_its_way=False)
        talk.write(ended[:-3])
        await talk.drain()
        sending.is_complete = True
        talk.write(ended[-3:])
        self._note(sending, await talk.reply())

    async def _by_chunks(self, talk: Talk, sending: Sending) -> None:
        talk.write(_envelope(sending))
        await self._accepted(talk, sending)
        third = len(sending.content) // 3
        for chunk in (sending.content[:third], sending.content[third : 2 * third]):
            talk.write(b"BDAT %d\r\n" % len(chunk), chunk)
            self._expect(await talk.reply(), 250)
        sending.is_complete = True
        last = sending.content[2 * third :]
        talk.write(b"BDAT %d LAST\r\n" % len(last), last)
        self._note(sending, await talk.reply())

    async def _accepted(self, talk: Talk, sending: Sending) -> None:
        for _ in ("MAIL", *sending.to):
            self._expect(await talk.reply(), 250)

    def _note(self, sending: Sending, code: int) -> None:
        """Take note of the reply to content."""
        self._expect(code, HELD)
        sending.is_acknowledged = code == HELD
        self.acknowledged += 1

    def _expect(self, code: int, expected: int) -> None:
        if self._is_patient and 400 <= code < 500:
            self.refusals[code] += 1
            raise NotNow
        if code != expected:
            self._books.surprises.append(f"{code} where {expected} was due")
            raise Gone


def _envelope(sending: Sending) -> bytes:
    recipients = "".join(f"RCPT TO:<{path}>\r\n" for path in sending.to)
    return f"MAIL FROM:<{REVERSE_PATH}>\r\n{recipients}".encode()


def _ended(sending: Sending, *, is_on_its_way: bool = True) -> bytes:
    """Return content as DATA carries it, with its end mark."""
    sending.is_complete = is_on_its_way
    return stuffed(sending.content) + b".\r\n"


def stuffed(content: bytes) -> bytes:
    """Double the dots at the beginning of lines (RFC 5321 §4.5.2)."""
    return content.replace(b"\r\n.", b"\r\n..")
