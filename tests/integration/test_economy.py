"""The cost of a session, counted at the transport: its writes, and nothing that grows with mail."""

import asyncio
import gc
import weakref
from typing import Final

import pytest

from restante.reception.smtp_connection import SmtpConnection
from tests.integration.reception import Reception, until

OPENING: Final = (
    b"MAIL FROM:<a@a.example>\r\n" + b"RCPT TO:<b@alpha.example>\r\n" * 20 + b"DATA\r\n"
)
MESSAGE: Final = b"Subject: x\r\n\r\nbody\r\n.\r\n"


class Counter(asyncio.Transport):
    """A transport that counts writes."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.10", 40000)})
        self.writes: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    @property
    def replies(self) -> int:
        """How many have been written in all."""
        return sum(line[3:4] == b" " for write in self.writes for line in write.splitlines())


def test_replies_to_what_came_together_leave_together(reception: Reception) -> None:
    """22 commands in one packet get one write of replies, the content another (RFC 2920 §3.2)."""
    reception.world.hosts("alpha.example", account="alpha")

    async def session() -> None:
        async with reception.listener() as listener:
            counter = Counter()
            connection = SmtpConnection(listener.settings, listener, reception.clock)
            connection.wire.connection_made(counter)
            connection.wire.data_received(b"EHLO c.example\r\n")
            greeting = len(counter.writes)
            connection.wire.data_received(OPENING)
            assert len(counter.writes) == greeting + 1
            assert counter.replies == 2 + 22
            connection.wire.data_received(MESSAGE)
            await until(lambda: counter.replies > 2 + 22)
            assert len(counter.writes) == greeting + 2
            connection.wire.connection_lost(None)

    reception.world.run(session())


@pytest.mark.parametrize("pieces", [1, 7])
def test_an_idle_session_has_no_task_and_no_timer(reception: Reception, pieces: int) -> None:
    """A thousand idle sessions are a thousand objects; one sweep of the listener watches them."""

    async def session() -> None:
        async with reception.listener() as listener:
            tasks, timers = len(asyncio.all_tasks()), _timers()
            connections = [
                SmtpConnection(listener.settings, listener, reception.clock) for _ in range(50)
            ]
            for connection in connections:
                connection.wire.connection_made(Counter())
                for _ in range(pieces):
                    connection.wire.data_received(b"NOOP\r\n")
            assert (len(asyncio.all_tasks()), _timers()) == (tasks, timers)
            for connection in connections:
                connection.wire.connection_lost(None)

    reception.world.run(session())


@pytest.mark.parametrize("said", [b"", b"EHLO c.example\r\n", OPENING, OPENING + MESSAGE])
def test_a_session_that_is_over_leaves_nothing_for_the_collector(
    reception: Reception, said: bytes
) -> None:
    """A look at all objects stops the event loop: it has to be seldom."""
    reception.world.hosts("alpha.example", account="alpha")

    async def session() -> None:
        async with reception.listener() as listener:
            connection = SmtpConnection(listener.settings, listener, reception.clock)
            connection.wire.connection_made(counter := Counter())
            over = weakref.ref(connection._dialogue)
            connection.wire.data_received(b"EHLO c.example\r\n" + said)
            if MESSAGE in said:
                await until(lambda: b"250 2.0.0 OK, held as" in counter.writes[-1])
            gc.collect()
            gc.disable()
            try:
                connection.wire.connection_lost(None)
                del connection
                await until(lambda: over() is None)
            finally:
                gc.enable()

    reception.world.run(session())


def _timers() -> int:
    return len(asyncio.get_running_loop()._scheduled)  # type: ignore[attr-defined]
