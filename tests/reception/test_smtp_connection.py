"""How sessions ended is counted, also of those that have no line in the log."""

import asyncio
import errno

import pytest

from restante.reception.listener import Listener
from restante.reception.smtp_connection import SmtpConnection
from restante.smtp.limits import SmtpLimits
from restante.telemetry.events import SessionClosed
from tests.integration.reception import Reception, close, read_reply, until

EHLO = b"EHLO c.example\r\n"
TO_CONTENT = b"MAIL FROM:<b@b.example>\r\nRCPT TO:<x@a.example>\r\nDATA\r\n"


async def talk(listener: Listener, said: bytes, replies: int) -> asyncio.StreamWriter:
    """Say it all, and read so many replies, the greeting among them."""
    reader, writer = await asyncio.open_connection(*listener.address)
    writer.write(said)
    for _ in range(replies):
        await read_reply(reader)
    return writer


def test_one_that_brought_mail_and_quit_is_counted_though_it_has_no_line(
    reception: Reception,
) -> None:
    reception.world.hosts("a.example")

    async def session() -> None:
        async with reception.listener() as listener:
            await close(
                await talk(listener, EHLO + TO_CONTENT + b"Subject: x\r\n\r\nx\r\n.\r\nQUIT\r\n", 7)
            )
            await until(lambda: not listener.sessions)
            assert listener._door.ended == {("quit", "false"): 1}

    reception.world.run(session())
    assert reception.world.log.of(SessionClosed) == []
    assert reception.world._services.intake.batches == 1


class DeadTransport(asyncio.Transport):
    """A connection on which nothing arrives any more."""

    def get_extra_info(self, name: str, default: object = None) -> object:
        return ("192.0.2.7", 25025) if name == "peername" else default

    def write(self, data: object) -> None:
        """Take it, and that is all."""

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Wait for a connection that is never accepted."""


@pytest.mark.parametrize(
    ("said", "end", "reason"),
    [
        (EHLO, ("connection-lost", False), "Connection reset by peer"),
        (
            EHLO + TO_CONTENT + b"half a mess",
            ("connection-lost", True),
            "Connection reset by peer",
        ),
        (EHLO + b"FOO\r\nFOO\r\n", ("too-many-errors", False), ""),
    ],
)
def test_one_that_is_reset_is_named_for_what_ended_it_first(
    reception: Reception, said: bytes, end: tuple[str, bool], reason: str
) -> None:
    """A client that reaches a limit and disconnects is counted for the limit."""
    reception.world.hosts("a.example")
    reception.limits = SmtpLimits(errors=2)

    async def session() -> None:
        async with reception.listener() as listener:
            connection = SmtpConnection(listener.settings, listener, reception.clock)
            connection.wire.connection_made(DeadTransport())
            connection.wire.data_received(said)
            connection.wire.connection_lost(
                ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
            )
            assert listener._door.ended == {(end[0], str(end[1]).lower()): 1}

    reception.world.run(session())
    [line] = reception.world.log.of(SessionClosed)
    assert line["reason"] == reason
