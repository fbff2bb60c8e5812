"""Hosts of the Internet that send mail, and send it again until the server has acknowledged it.

A sender that does not get the 250 sends the mail again, as RFC 5321 demands. Then the server may
hold it twice, under two names.
"""

import asyncio
from random import Random
from typing import Final

from tests.simulation.books import Books
from tests.simulation.client import Client, Lost
from tests.simulation.plan import PlannedMail
from tests.simulation.trace import Trace

_PAUSE: Final = (1.0, 8.0)  # seconds between the attempts
_HANG_UP: Final = ("greeting", "hello", "envelope", "content", "end")


class Sender:
    """Sends one mail."""

    def __init__(self, mail: PlannedMail, books: Books, trace: Trace, dice: Random) -> None:
        self.mail = mail
        self._books = books
        self._trace = trace
        self._dice = dice
        self.hangups = 0.0  # share of the attempts
        self._left: tuple[str, ...] = mail.paths  # the recipients without an acknowledgment

    async def run(self) -> None:
        """Send until every recipient is acknowledged."""
        await asyncio.sleep(self.mail.at)
        self._books.mails[self.mail.mark] = self.mail
        while self._left:
            try:
                await self._attempt()
            except Lost as lost:
                self._trace.note(self.mail.mark, f"is not acknowledged: {lost}")
            if self._left:
                await asyncio.sleep(self._dice.uniform(*_PAUSE))

    async def _attempt(self) -> None:
        goes_at = self._dice.choice(_HANG_UP) if self._dice.random() < self.hangups else ""
        client = await Client.connect()
        try:
            await self._send(client, goes_at)
        except BaseException:
            client.abort()
            raise
        client.close()

    async def _send(self, client: Client, goes_at: str) -> None:
        await client.expect("", 220)
        _hang_up(goes_at, "greeting")
        offer = await client.expect("EHLO sender.example", 250)
        _hang_up(goes_at, "hello")
        if self._dice.random() < 0.1:
            await client.start_tls()
            await client.expect("EHLO sender.example", 250)
        paths = await self._send_envelope(client, is_pipelined=self._dice.random() < 0.5)
        _hang_up(goes_at, "envelope")
        if "CHUNKING" in offer and self._dice.random() < 0.3:
            name = await self._send_chunks(client, goes_at)
        else:
            name = await self._send_data(client, goes_at)
        self._trace.note(self.mail.mark, f"is acknowledged as {name} for {' '.join(paths)}")
        self._books.acknowledge(self.mail, name, paths)
        self._left = tuple(path for path in self._left if path not in paths)
        if self._dice.random() < 0.7:
            await client.ask("QUIT")

    async def _send_envelope(self, client: Client, *, is_pipelined: bool) -> tuple[str, ...]:
        commands = [
            f"MAIL FROM:<{self.mail.reverse_path}>",
            *(f"RCPT TO:<{p}>" for p in self._left),
        ]
        if is_pipelined:
            client.send("".join(f"{command}\r\n" for command in commands).encode())
            replies = [await client.reply() for _ in commands]
        else:
            replies = [await client.ask(command) for command in commands]
        taken = [
            path for path, (code, _) in zip(self._left, replies[1:], strict=True) if code == 250
        ]
        if replies[0][0] != 250 or not taken:
            raise Lost(f"{replies[0]} {replies[-1]}")
        return tuple(taken)

    async def _send_data(self, client: Client, goes_at: str) -> str:
        await client.expect("DATA", 354)
        stuffed = (b"\r\n" + self.mail.content).replace(b"\r\n.", b"\r\n..")[2:]
        half = len(stuffed) // 2
        client.send(stuffed[:half])
        _hang_up(goes_at, "content")
        self._books.completed[self.mail.mark] += 1
        client.send(stuffed[half:] + b".\r\n")
        _hang_up(goes_at, "end")
        return _name(await client.reply())

    async def _send_chunks(self, client: Client, goes_at: str) -> str:
        content = self.mail.content
        half = len(content) // 2
        client.send(b"BDAT %d\r\n" % half + content[:half])
        _hang_up(goes_at, "content")
        await client.expect("", 250)
        self._books.completed[self.mail.mark] += 1
        client.send(b"BDAT %d LAST\r\n" % (len(content) - half) + content[half:])
        _hang_up(goes_at, "end")
        return _name(await client.reply())


def _hang_up(goes_at: str, step: str) -> None:
    if goes_at == step:
        raise Lost(f"hung up at {step}")


def _name(reply: tuple[int, str]) -> str:
    """Return the server's name for the message. Raises Lost if it did not take it."""
    code, text = reply
    if code != 250:
        raise Lost(f"{code} {text}")
    return text.rpartition(" ")[2]
