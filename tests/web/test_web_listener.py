"""A `web` listener over real sockets, as a stranger meets it."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
import uvloop
from starlette.types import Receive, Scope, Send

from restante.reception.listener import bind
from restante.web.http_connections import ConnectionCut, HttpConnections, HttpService
from restante.web.request_counts import RequestRefusal
from restante.web.web_connection import PIECE, WebListenerSettings
from restante.web.web_gate import GateParts, GateSettings, WebGate
from restante.web.web_listener import WebListener
from tests.web.gate_parts import TOKEN, echo, gate_parts

HEAD = b"Host: restante\r\nAuthorization: " + TOKEN + b"\r\n"
ASK = b"GET /x HTTP/1.1\r\n" + HEAD + b"\r\n"
LAST = b"GET /x HTTP/1.1\r\n" + HEAD + b"Connection: close\r\n\r\n"
POST = b"POST /x HTTP/1.1\r\n" + HEAD

Loop = Callable[[], asyncio.AbstractEventLoop]
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> Loop:
    """Each of the two event loops."""
    made: Loop = request.param
    return made


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context, and one of a client that trusts it."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    return server, client


def run(loop: Loop, story: Callable[[], Awaitable[None]]) -> None:
    async def within() -> None:
        defects: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, what: defects.append(what))
        async with asyncio.timeout(60):
            await story()
        assert defects == []

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(within())


@asynccontextmanager
async def listening(
    parts: GateParts, limit: int = 8, tls: ssl.SSLContext | None = None, block_limit: int = 8
) -> AsyncIterator[WebListener]:
    """Listen inside."""
    gate = WebGate(parts, GateSettings(is_tls=tls is not None))
    connections = HttpConnections(HttpService.WEB, limit, block_limit)
    settings = WebListenerSettings(gate, connections, parts.counts, tls)
    listener = WebListener("web", bind("127.0.0.1:0"), settings)
    await listener.open()
    try:
        yield listener
    finally:
        listener.close()
        listener.abort()


async def heard(listener: WebListener, said: bytes) -> bytes:
    """Say something, and return all that is answered."""
    reader, writer = await asyncio.open_connection(*listener.address)
    writer.write(said)
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def test_it_answers_over_a_kept_connection_and_pipelined(loop: Loop) -> None:
    async def story() -> None:
        async with listening(gate_parts()) as listener:
            answers = await heard(listener, ASK * 20 + LAST)
            assert answers.count(b"HTTP/1.1 200 OK\r\n") == 21
            assert listener.sessions <= 1

    run(loop, story)


def test_an_answer_names_no_program(loop: Loop) -> None:
    async def story() -> None:
        async with listening(gate_parts()) as listener:
            answer = (await heard(listener, LAST)).lower()
            assert b"uvicorn" not in answer
            assert b"\r\nserver:" not in answer
            assert answer.count(b"\r\ndate: ") == 1

    run(loop, story)


def test_tls_is_spoken_from_the_first_octet(
    loop: Loop, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server, client = contexts

    async def story() -> None:
        async with listening(gate_parts(), tls=server) as listener:
            host, port = listener.address
            reader, writer = await asyncio.open_connection(
                host, port, ssl=client, server_hostname="localhost"
            )
            writer.write(ASK + LAST)
            answer = await reader.read()
            assert answer.count(b"strict-transport-security: max-age=31536000\r\n") == 2
            writer.close()
            assert b"HTTP" not in await heard(listener, ASK)
            assert listener.settings.connections.take_closed()[ConnectionCut.TLS_FAILED] == 1

    run(loop, story)


def test_new_settings_hold_for_new_connections(
    loop: Loop, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server, client = contexts

    async def story() -> None:
        async with listening(gate_parts()) as listener:
            old = await asyncio.open_connection(*listener.address)
            old[1].write(ASK)
            await old[0].readuntil(b"/x 0")
            before = listener.settings
            listener.settings = WebListenerSettings(
                before.application, before.connections, before.counts, server
            )
            host, port = listener.address
            reader, writer = await asyncio.open_connection(
                host, port, ssl=client, server_hostname="localhost"
            )
            writer.write(LAST)
            assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
            old[1].write(LAST)
            assert (await old[0].read()).startswith(b"HTTP/1.1 200 OK")
            for each in (writer, old[1]):
                each.close()

    run(loop, story)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (POST + b"X: a\r\n b\r\n\r\n", b"400"),
        (POST + b"X: a\x00b\r\n\r\n", b"400"),
        (POST + b"Content-Length: -1\r\n\r\n", b"400"),
        (POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", b"400"),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", b"501"),
        (b"GET /x HTTP/1.1\r\n\r\n", b"400"),
        (b"GET  /x HTTP/1.1\r\n" + HEAD + b"\r\n", b"400"),
        (b"GET /x HTTP/3.9\r\n" + HEAD + b"\r\n", b"505"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505"),
        (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n", b"431"),
        (b"GET /x HTTP/1.1\r\n" + HEAD + b"A: b\r\n" * 300 + b"\r\n", b"431"),
        (b"GET /x HTTP/1.1\r\n" + HEAD + b"a:\r\n" * 60000 + b"\r\n", b"431"),
        (b"EHLO there\r\n\r\n", b"400"),
    ],
)
def test_an_ambiguous_request_is_refused_and_counted(
    loop: Loop, said: bytes, status: bytes
) -> None:
    parts = gate_parts()

    async def story() -> None:
        async with listening(parts) as listener:
            answer = await heard(listener, said)
            if len(said) < 10_000:  # the answer to more may be lost, as we close before its end
                assert answer.startswith(b"HTTP/1.1 " + status)
                assert b"application/problem+json" in answer
            assert parts.counts.take_refused().keys() == {RequestRefusal.MALFORMED}

    run(loop, story)


@pytest.mark.parametrize("chunk", [b"x\r\n", b"-1\r\n", b"2\r\nhiX", b"f" * 30 + b"\r\n"])
def test_a_bad_chunk_in_mid_body_ends_the_request(loop: Loop, chunk: bytes) -> None:
    async def story() -> None:
        async with listening(gate_parts()) as listener:
            reader, writer = await asyncio.open_connection(*listener.address)
            writer.write(POST + b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"2\r\nhi\r\n" + chunk)
            assert await reader.read() == b""
            writer.close()

    run(loop, story)


def test_a_stranger_gets_401_before_the_body_and_no_second_request_hides_in_it(loop: Loop) -> None:
    parts = gate_parts()
    hidden = b"GET /hidden HTTP/1.1\r\n" + HEAD + b"\r\n"
    length = str(len(hidden)).encode()

    async def story() -> None:
        async with listening(parts) as listener:
            post = b"POST /x HTTP/1.1\r\nHost: r\r\nContent-Length: " + length + b"\r\n\r\n"
            answer = await heard(listener, post + hidden + LAST)
            assert answer.count(b"HTTP/1.1 ") == answer.count(b"HTTP/1.1 401") == 1
            assert b"hidden" not in answer

    run(loop, story)


def test_behind_a_401_nothing_is_answered_and_the_connection_closes(loop: Loop) -> None:
    stranger = b"GET /x HTTP/1.1\r\nHost: r\r\n\r\n"

    async def story() -> None:
        async with listening(gate_parts()) as listener:
            for behind in (stranger, ASK, stranger * 2000):
                answer = await heard(listener, stranger + behind)
                if len(behind) < PIECE:  # the answer to more may be lost, as we close
                    assert answer.count(b"HTTP/1.1 ") == answer.count(b"HTTP/1.1 401") == 1
                    assert b"\r\nconnection: close\r\n" in answer.lower()
                assert answer.count(b"HTTP/1.1 ") <= 1

    run(loop, story)


def test_probes_keep_their_connection(loop: Loop) -> None:
    async def story() -> None:
        async with listening(gate_parts()) as listener:
            probes = [
                b"GET " + path + b" HTTP/1.1\r\nHost: r\r\n\r\n"
                for path in (b"/healthz", b"/readyz") * 3
            ]
            answer = await heard(listener, b"".join(probes) + LAST)
            assert answer.count(b"HTTP/1.1 200") == len(probes) + 1

    run(loop, story)


def test_the_end_of_input_ends_an_idle_connection_and_not_an_answer(loop: Loop) -> None:
    async def story() -> None:
        async with listening(gate_parts()) as listener:
            for said, answered in ((b"", 0), (b"GET /x HT", 0), (ASK, 1), (ASK * 2, 2)):
                reader, writer = await asyncio.open_connection(*listener.address)
                writer.write(said)
                writer.write_eof()
                answer = await reader.read()
                assert answer.count(b"HTTP/1.1 200 OK") == answered
                writer.close()
            half = POST + b"Content-Length: 5\r\n\r\nhi"
            reader, writer = await asyncio.open_connection(*listener.address)
            writer.write(half)
            writer.write_eof()
            with pytest.raises((ConnectionError, AssertionError)):
                assert await reader.read() != b""
            writer.close()

    run(loop, story)


def test_idle_connections_keep_nobody_out(loop: Loop) -> None:
    async def story() -> None:
        async with listening(gate_parts(), limit=4) as listener:
            crowd = [await asyncio.open_connection(*listener.address) for _ in range(20)]
            assert (await heard(listener, LAST)).startswith(b"HTTP/1.1 200")
            assert listener.settings.connections.take_closed() == {ConnectionCut.TOO_MANY: 17}
            for _, writer in crowd:
                writer.close()

    run(loop, story)


def test_one_that_stops_finishes_the_answer_and_closes_the_idle(loop: Loop) -> None:
    go_on, has_begun = asyncio.Event(), asyncio.Event()

    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        has_begun.set()
        await go_on.wait()
        await echo(scope, receive, send)

    async def story() -> None:
        async with listening(gate_parts(waits)) as listener:
            idle, busy = [await asyncio.open_connection(*listener.address) for _ in range(2)]
            busy[1].write(ASK)
            await has_begun.wait()
            listener.close()
            assert await idle[0].read() == b""
            with pytest.raises(ConnectionError):
                await asyncio.open_connection(*listener.address)
            go_on.set()
            assert (await busy[0].read()).startswith(b"HTTP/1.1 200")
            await listener.settings.connections.until_none_busy()
            for _, writer in (idle, busy):
                writer.close()

    run(loop, story)


def test_a_burst_of_connections_waits_in_the_kernel(loop: Loop) -> None:
    """Beyond the queue, a client repeats its SYN after a second."""
    most = int(Path("/proc/sys/net/core/somaxconn").read_text(encoding="ascii"))

    async def story() -> None:
        async with listening(gate_parts()) as listener:
            info = listener._bound.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
            (longest,) = struct.unpack_from("I", info, 28)  # tcpi_sacked of a listening socket
            assert longest == min(1024, most)

    run(loop, story)


def test_a_socket_can_be_handed_on() -> None:
    bound = bind("127.0.0.1:0")

    async def story() -> None:
        async with listening(gate_parts()) as listener:
            shared = listener.share_socket()
            assert isinstance(shared, socket.socket)
            assert shared.getsockname()[:2] == listener.address
            assert listener.address_text == f"127.0.0.1:{listener.address[1]}"
            listener.sweep()
            shared.close()

    run(asyncio.new_event_loop, story)
    bound.close()
