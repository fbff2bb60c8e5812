"""Reception over real sockets: TLS policies, both address families, misbehaving clients."""

import asyncio
import ssl
import warnings
from collections.abc import Callable

import pytest
import uvloop

from restante.network.small_reads import PIECE
from restante.network.tls_context import VERSIONS
from restante.reception.doorkeeper import ShedCause
from restante.reception.listener import Listener
from restante.reception.smtp_connection import SmtpConnection
from restante.telemetry.events import SessionClosed
from tests.integration.reception import (
    Certificates,
    Reception,
    close,
    connect,
    free_ipv6,
    read_reply,
    until,
)
from tests.wire import Wire

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
MAIL = b"MAIL FROM:<>\r\nRCPT TO:<x@a.example>\r\nDATA\r\n"


def old_client(version: str) -> ssl.SSLContext:
    """A client that speaks one old version of TLS only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = VERSIONS[version]
    return context


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("service", ["mx", "smtps"])
def test_old_tls_is_refused_by_default_and_spoken_under_the_legacy_profile(
    reception: Reception, service: str, version: str
) -> None:
    async def handshake(minimum: str) -> str:
        async with reception.listener(service, minimum=minimum) as listener:
            _, writer = await connect(listener.address, service, old_client(version))
            try:
                return str(writer.get_extra_info("ssl_object").version())
            finally:
                await close(writer)

    with pytest.raises((ssl.SSLError, ConnectionError)):
        reception.world.run(handshake("1.2"))
    assert reception.world.run(handshake("1.0")) == f"TLSv{version}".removesuffix(".0")


@pytest.mark.parametrize("service", ["mx", "smtps"])
def test_mail_is_taken_and_a_release_answered_over_tls(reception: Reception, service: str) -> None:
    reception.world.hosts("a.example", allow=("127.0.0.1",))

    async def session() -> list[bytes]:
        async with reception.listener(service) as listener:
            reader, writer = await connect(
                listener.address, service, reception.certificates.client_context()
            )
            if service == "smtps":
                await read_reply(reader)
            said = []
            for words in (
                b"EHLO c.example\r\n",
                MAIL,
                b"",
                b"",
                b"hello\r\n.\r\n",
                b"AUTH PLAIN AGFscGhhAGEgcGFzc3dvcmQgaW4gcGxhaW4gc2lnaHQ=\r\n",
                b"ETRN a.example\r\n",
                b"QUIT\r\n",
            ):
                writer.write(words)
                said.append(await read_reply(reader))
            assert await reader.read() == b""
            await close(writer)
            return said

    said = reception.world.run(session())
    assert b"250-ETRN\r\n" in said[0]
    assert b"STARTTLS" not in said[0]
    assert [reply[:3] for reply in said] == [
        b"250",
        b"250",
        b"250",
        b"354",
        b"250",
        b"235",
        b"253",
        b"221",
    ]
    assert b" with ESMTPS (TLSv1.3 " in reception.world.held("a.example")[0].head


@pytest.mark.skipif(not free_ipv6(), reason="this machine has no IPv6 on loopback")
def test_ipv6_clients_are_served_and_named(reception: Reception) -> None:
    reception.world.hosts("a.example")

    async def session() -> None:
        async with reception.listener(address="[::1]:0") as listener:
            reader, writer = await asyncio.open_connection(*listener.address)
            await read_reply(reader)
            writer.write(b"EHLO [IPv6:::1]\r\n" + MAIL + b"x\r\n.\r\nQUIT\r\n")
            assert (await reader.read()).endswith(b"closing connection\r\n")
            await close(writer)

    reception.world.run(session())
    assert reception.world.held("a.example")[0].head.startswith(
        b"Received: from [IPv6:::1] (helo=[IPv6:::1])\r\n"
    )


def test_plain_text_behind_starttls_ends_the_connection(reception: Reception) -> None:
    async def session() -> bytes:
        async with reception.listener() as listener:
            reader, writer = await asyncio.open_connection(*listener.address)
            writer.write(b"EHLO c.example\r\nSTARTTLS\r\nNOOP\r\n")
            said = await reader.read()
            await close(writer)
            return said

    assert reception.world.run(session()).endswith(
        b"554 5.5.0 Data after STARTTLS, closing connection\r\n"
    )


def test_no_handshake_but_nonsense_is_a_clean_close(reception: Reception) -> None:
    async def session(service: str) -> None:
        async with reception.listener(service) as listener:
            reader, writer = await asyncio.open_connection(*listener.address)
            if service == "mx":
                writer.write(b"EHLO c.example\r\nSTARTTLS\r\n")
                await read_reply(reader)
                await read_reply(reader)
                await read_reply(reader)
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            await reader.read()
            await close(writer)

    reception.world.run(session("mx"))
    reception.world.run(session("smtps"))
    lines = reception.world.log.of(SessionClosed)
    assert [line["end"] for line in lines] == ["tls-failed"] * 2
    assert all(line["reason"] for line in lines)


def test_a_client_that_vanishes_in_mid_content_is_logged_once_and_leaves_nothing(
    reception: Reception,
) -> None:
    reception.world.hosts("a.example")

    async def session() -> None:
        async with reception.listener() as listener:
            reader, writer = await asyncio.open_connection(*listener.address)
            writer.write(b"EHLO c.example\r\n" + MAIL + b"half a mess" + b"x" * 300_000)
            for _ in range(5):
                await read_reply(reader)
            writer.transport.abort()
            await until(lambda: not listener.sessions)

    reception.world.run(session())
    assert reception.world.held("a.example") == []
    (line,) = reception.world.log.of(SessionClosed)
    assert line["in_content"] is True


@pytest.mark.parametrize(
    ("opening", "patience"),
    [(b"", 61.0), (b"EHLO c.example\r\n", 301.0), (b"EHLO c.example\r\n" + MAIL, 181.0)],
)
def test_a_client_that_is_silent_for_too_long_gets_421(
    reception: Reception, opening: bytes, patience: float
) -> None:
    reception.world.hosts("a.example")

    async def session() -> bytes:
        async with reception.listener() as listener:
            reader, writer = await asyncio.open_connection(*listener.address)
            await read_reply(reader)
            if opening:
                writer.write(opening)
                for _ in range(opening.count(b"\r\n")):
                    await read_reply(reader)
            reception.clock.now += patience - 2
            listener.sweep()
            assert listener.sessions == 1
            reception.clock.now += 2
            listener.sweep()
            said = await reader.read()
            await close(writer)
            return said

    assert (
        reception.world.run(session())
        == b"421 4.4.2 mx2.example.net waited too long, closing connection\r\n"
    )
    assert reception.world.log.of(SessionClosed)[0]["end"] == "timed-out"


def test_one_session_too_many_is_told_421_and_the_others_go_on(reception: Reception) -> None:
    async def sessions() -> None:
        async with reception.listener(connections=1) as listener:
            reader, writer = await asyncio.open_connection(*listener.address)
            await read_reply(reader)
            late_reader, late_writer = await asyncio.open_connection(*listener.address)
            assert (await late_reader.read()).startswith(b"421 4.3.2 ")
            await close(late_writer)
            writer.write(b"NOOP\r\n")
            assert (await read_reply(reader)).startswith(b"250 ")
            await close(writer)
            await until(lambda: not listener.sessions)
            reader, writer = await asyncio.open_connection(*listener.address)
            assert (await read_reply(reader)).startswith(b"220 ")
            await close(writer)

    reception.world.run(sessions())


def test_a_block_that_connects_too_often_is_told_421_until_time_has_passed(
    reception: Reception,
) -> None:
    async def greeting(listener: Listener) -> bytes:
        reader, writer = await asyncio.open_connection(*listener.address)
        said = await read_reply(reader)
        await close(writer)
        return said[:4]

    async def connections() -> None:
        async with reception.listener(per_minute=2) as listener:
            assert [await greeting(listener) for _ in range(4)] == [
                b"220 ",
                b"220 ",
                b"421 ",
                b"421 ",
            ]
            reception.clock.now += 30
            assert [await greeting(listener) for _ in range(2)] == [b"220 ", b"421 "]
            assert listener._door.take_shed() == {ShedCause.CONNECTIONS_PER_MINUTE: 3}

    reception.world.run(connections())


def test_a_server_that_stops_says_so(reception: Reception) -> None:
    async def session() -> bytes:
        async with reception.listener() as listener:
            reader, writer = await asyncio.open_connection(*listener.address)
            await read_reply(reader)
            listener.close()
            said = await reader.read()
            await close(writer)
            return said

    assert (
        reception.world.run(session())
        == b"421 4.3.2 mx2.example.net shutting down, try again later\r\n"
    )


class Pipe(asyncio.Transport):
    """A transport that records its calls."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.10", 40000)})
        self.written = b""
        self.reads = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def is_closing(self) -> bool:
        return False


def test_a_client_that_does_not_take_our_replies_is_not_read_either(reception: Reception) -> None:
    """Replies that nobody takes must not pile up."""

    async def session() -> None:
        async with reception.listener() as listener:
            pipe = Pipe()
            connection = SmtpConnection(listener.settings, listener, reception.clock)
            connection.wire.connection_made(pipe)
            connection.wire.pause_writing()
            assert (pipe.reads, bool(pipe.written)) == (False, True)
            connection.wire.resume_writing()
            assert (pipe.reads, bool(pipe.written)) == (True, True)
            connection.wire.connection_lost(None)

    reception.world.run(session())


@pytest.mark.parametrize("service", ["mx", "smtps"])
@pytest.mark.parametrize(
    "factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
def test_announced_large_content_is_read_in_small_pieces_and_comes_whole(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, service: str, factory: LoopFactory
) -> None:
    """So are the messages that follow on the same connection, and its end is noticed."""
    pieces: list[int] = []
    receive = SmtpConnection.data_received

    def noted(connection: SmtpConnection, data: bytes) -> None:
        pieces.append(len(data))
        receive(connection, data)

    monkeypatch.setattr(SmtpConnection, "data_received", noted)
    lines = b"a line of a large message\r\n" * 40_000
    world = Wire()
    world.hosts("a.example")

    async def session() -> None:
        reception = Reception(certificates, world)
        async with reception.listener(service) as listener:
            reader, writer = await connect(listener.address, service, certificates.client_context())
            if service == "smtps":
                await read_reply(reader)
            writer.write(b"EHLO c.example\r\n")
            await read_reply(reader)
            pieces.clear()
            for content, size in ((lines, len(lines)), (b"small\r\n", 7)):
                writer.write(MAIL.replace(b"<>", b"<> SIZE=%d" % size))
                assert [(await read_reply(reader))[:3] for _ in range(3)] == [
                    b"250",
                    b"250",
                    b"354",
                ]
                writer.write(content + b".\r\n")
                assert (await read_reply(reader))[:3] == b"250"
            writer.write(b"QUIT\r\n")
            assert (await read_reply(reader))[:3] == b"221"
            assert await reader.read() == b""
            await close(writer)
            await until(lambda: not listener.sessions)

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(session())
    assert max(pieces) <= PIECE
    large, small = world.held("a.example")
    assert (large.size - len(large.head), small.head[-7:]) == (len(lines), b"small\r\n")
    world.close()
