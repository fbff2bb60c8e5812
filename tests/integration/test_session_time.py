"""How long a session may last without a whole message, and how much less where it is crowded."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from restante.reception.greeting_pause import GreetingPause
from restante.reception.listener import Listener
from restante.reception.session_time import LINGER_SECONDS
from restante.reception.smtp_connection import SmtpConnection
from restante.telemetry.events import SessionClosed
from tests.integration.reception import Reception

EHLO = b"EHLO c.example\r\n"
TO_CONTENT = b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nDATA\r\n"
MESSAGE = TO_CONTENT + b"Subject: x\r\n\r\nx\r\n.\r\n"
TIMED_OUT = b"421 4.4.2 mx2.example.net waited too long, closing connection\r\n"
NO_MESSAGE = (
    b"421 4.4.2 mx2.example.net waited too long for a whole message, closing connection\r\n"
)


class Pipe(asyncio.Transport):
    """A client's end: takes what is said to it, and closes when it is told to."""

    def __init__(self, *, takes_replies: bool = True) -> None:
        super().__init__({"peername": ("192.0.2.7", 40000)})
        self.said = b""
        self.is_cut = False
        self.connection: SmtpConnection | None = None
        self._takes_replies = takes_replies
        self._is_read = asyncio.Event()
        self._is_read.set()

    def pause_reading(self) -> None:
        self._is_read.clear()

    def resume_reading(self) -> None:
        self._is_read.set()

    async def until_read(self) -> None:
        """Wait until what is sent is read again: content goes to its file meanwhile."""
        async with asyncio.timeout(60):
            await self._is_read.wait()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.said += data

    def is_closing(self) -> bool:
        return self.connection is None

    def close(self) -> None:
        if self._takes_replies:
            self.abort()

    def abort(self) -> None:
        connection, self.connection = self.connection, None
        self.is_cut = True
        if connection is not None:
            asyncio.get_running_loop().call_soon(connection.wire.connection_lost, None)

    def send(self, data: bytes) -> None:
        assert self.connection is not None, "the session has ended"
        self.connection.wire.data_received(data)


class Hall:
    """A listener, its clients, and time that passes between sweeps."""

    def __init__(self, reception: Reception, listener: Listener) -> None:
        self._clock = reception.clock
        self._listener = listener

    def comes(self, said: bytes = b"", *, takes_replies: bool = True) -> Pipe:
        """Connect one more, and let it speak."""
        pipe = Pipe(takes_replies=takes_replies)
        pipe.connection = SmtpConnection(self._listener.settings, self._listener, self._clock)
        pipe.connection.wire.connection_made(pipe)
        if said:
            pipe.send(said)
        return pipe

    def passes(self, seconds: float) -> None:
        """Let time pass, and sweep."""
        self._clock.now += seconds
        self._listener.sweep()

    async def lasts(
        self, client: Pipe, each: float, said: Callable[[], bytes], most: float = 100_000.0
    ) -> float:
        """Have a client say something every so many seconds; return after how many it was ended."""
        began = self._clock.now
        while client.connection is not None and self._clock.now - began < most:
            client.send(said())
            await client.until_read()
            self.passes(each)
        return self._clock.now - began


def ends(reception: Reception) -> list[tuple[str, bool]]:
    """The end of each session in the log, and whether that was within content."""
    return [(line["end"], line["in_content"]) for line in reception.world.log.of(SessionClosed)]


def test_a_noop_now_and_then_keeps_a_session_for_an_hour_only(reception: Reception) -> None:
    async def session() -> None:
        async with reception.listener() as listener:
            hall = Hall(reception, listener)
            client = hall.comes(EHLO)
            assert await hall.lasts(client, 290, lambda: b"NOOP\r\n") == 290 * 13
            assert client.said.endswith(NO_MESSAGE)
            await asyncio.sleep(0)
            assert listener._door.ended == {("no-message", "false"): 1}

    reception.world.run(session())
    assert ends(reception) == [("no-message", False)]


@pytest.mark.parametrize("announced", [b"BDAT 18446744073709551616\r\n", b"BDAT 40000000\r\n"])
def test_a_chunk_that_comes_at_the_least_rate_does_too(
    reception: Reception, announced: bytes
) -> None:
    reception.world.hosts("a.example")

    async def session() -> None:
        async with reception.listener() as listener:
            hall = Hall(reception, listener)
            client = hall.comes(EHLO + b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\n" + announced)
            assert 3600 < await hall.lasts(client, 100, lambda: b"x" * 50_100) <= 3700
            assert client.said.endswith(NO_MESSAGE)

    reception.world.run(session())
    assert ends(reception) == [("no-message", True)]
    assert reception.world.held("a.example") == []


def test_each_message_that_is_taken_begins_the_hour_anew(reception: Reception) -> None:
    reception.world.hosts("a.example")

    async def session() -> None:
        async with reception.listener() as listener:
            hall = Hall(reception, listener)
            client = hall.comes(EHLO)
            for taken in range(1, 60):
                client.send(MESSAGE)
                async with asyncio.timeout(60):
                    while client.said.count(b"held as") < taken:  # noqa: ASYNC110  nothing to wait on
                        await asyncio.sleep(0)
                hall.passes(1)
                hall.passes(249)
            assert (
                await hall.lasts(client, 290, lambda: b"NOOP\r\n") == 290 * 12
            )  # 249 s of the hour had passed
            assert client.said.endswith(NO_MESSAGE)

    reception.world.run(session())
    assert len(reception.world.held("a.example")) == 59


@pytest.mark.parametrize(
    "refused", [b"MAIL FROM:<>\r\nRCPT TO:<x@b.example>\r\nRSET\r\n", b"MAIL FROM:<>\r\nRSET\r\n"]
)
def test_mail_that_is_not_taken_wins_no_time(reception: Reception, refused: bytes) -> None:
    reception.world.hosts("a.example")

    async def session() -> None:
        async with reception.listener() as listener:
            hall = Hall(reception, listener)
            client = hall.comes(EHLO)
            assert await hall.lasts(client, 200, lambda: refused) == 3800
            assert client.said.endswith(NO_MESSAGE)

    reception.world.run(session())


@pytest.mark.parametrize(
    ("opening", "seconds"),
    [(b"", 6.0), (EHLO, 30.0), (EHLO + TO_CONTENT, 18.0)],
    ids=["silent", "idle", "in content"],
)
@pytest.mark.parametrize("is_expected", [False, True], ids=["stranger", "authorized host"])
def test_where_it_is_crowded_strangers_have_a_tenth_of_each_time(
    reception: Reception, opening: bytes, seconds: float, is_expected: bool
) -> None:
    reception.world.hosts("a.example")

    async def sessions() -> None:
        async with reception.listener(connections=10, is_expected=is_expected) as listener:
            hall = Hall(reception, listener)
            clients = [hall.comes(opening) for _ in range(8)]
            hall.passes(seconds + 1)
            assert all(
                client.connection for client in clients
            )  # four fifths are not more than four fifths
            late = hall.comes(EHLO)
            hall.passes(0)
            assert late.connection is not None
            if is_expected:
                assert all(client.connection for client in clients)
            else:
                assert all(client.said.endswith(TIMED_OUT) for client in clients)

    reception.world.run(sessions())
    if not is_expected:
        lines = reception.world.log.of(SessionClosed)[:8]
        assert {line["reason"] for line in lines} == {"most sessions are taken"}


def test_where_it_is_crowded_a_message_has_a_tenth_of_the_hour(reception: Reception) -> None:
    async def sessions() -> None:
        async with reception.listener(connections=1) as listener:
            hall = Hall(reception, listener)
            client = hall.comes(EHLO)
            assert await hall.lasts(client, 25, lambda: b"NOOP\r\n") == 375
            assert client.said.endswith(NO_MESSAGE)

    reception.world.run(sessions())


def test_a_last_reply_has_all_of_its_time_however_crowded_it_is(reception: Reception) -> None:
    """It may be the 250 for a message, which would be sent twice."""

    async def sessions() -> None:
        async with reception.listener(connections=1) as listener:
            hall = Hall(reception, listener)
            client = hall.comes(EHLO + b"QUIT\r\n", takes_replies=False)
            hall.passes(LINGER_SECONDS)
            assert not client.is_cut
            hall.passes(0.5)
            assert client.is_cut

    reception.world.run(sessions())


def paused(reception: Reception, listener: Listener) -> Hall:
    """Have new clients wait three seconds for the greeting."""
    pause = GreetingPause(lambda: 3.0, lambda _: False, reception.clock)
    listener.settings = replace(listener.settings, greeting=pause)
    return Hall(reception, listener)


def test_a_new_client_is_greeted_after_the_pause_and_the_next_time_at_once(
    reception: Reception,
) -> None:
    async def session() -> None:
        async with reception.listener() as listener:
            hall = paused(reception, listener)
            client = hall.comes()
            for seconds in (1, 1):
                hall.passes(seconds)
                assert client.said == b""
            hall.passes(1)
            assert client.said.startswith(b"220 ")
            client.send(b"EHLO x\r\n")
            assert not client.connection._dialogue.spoke_early  # type: ignore[union-attr]
            assert hall.comes().said.startswith(b"220 ")

    reception.world.run(session())


def test_one_that_speaks_before_the_greeting_is_answered_and_noted(reception: Reception) -> None:
    async def session() -> None:
        async with reception.listener() as listener:
            hall = paused(reception, listener)
            client = hall.comes(b"EHLO x\r\n")
            assert client.said.startswith(b"220 ")
            assert b"\r\n250 " in client.said
            assert client.connection._dialogue.spoke_early  # type: ignore[union-attr]
            assert hall.comes().said == b""

    reception.world.run(session())
