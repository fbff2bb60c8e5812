"""One connection to a `web` listener: its place among the others, and its time."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl

import pytest
import trustme
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from restante.network.addresses import address_block
from restante.reception.listener import bind
from restante.web import web_connection
from restante.web.http_connections import (
    ConnectionCut,
    HttpConnection,
    HttpConnections,
    HttpService,
)
from restante.web.web_connection import WebListenerSettings
from restante.web.web_gate import GateSettings, WebGate
from restante.web.web_listener import WebListener
from tests.web.gate_parts import echo, gate_parts
from tests.web.test_web_listener import LAST, POST, heard, listening


class Recording(HttpConnections):
    """Records the address block of each connection."""

    def __init__(self) -> None:
        super().__init__(HttpService.WEB, 8)
        self.blocks: list[int | None] = []

    def admits(self, connection: object, block: int | None = None) -> bool:
        self.blocks.append(block)
        return super().admits(connection, block)  # type: ignore[arg-type]


def test_proxies_and_this_machine_do_not_count_as_address_blocks() -> None:
    """All clients of a proxy come from its address."""

    async def story() -> None:
        parts, connections = gate_parts(), Recording()
        proxies = (ipaddress.ip_network("127.0.0.0/8"),)
        gate = WebGate(parts, GateSettings(proxies))
        settings = WebListenerSettings(gate, connections, parts.counts, None, proxies)
        listener = WebListener("web", bind("127.0.0.1:0"), settings)
        await listener.open()
        assert (await heard(listener, LAST)).startswith(b"HTTP/1.1 200")
        assert connections.blocks == [None]
        listener.close()

    asyncio.run(story())
    assert address_block(ipaddress.ip_address("192.0.2.1")) is not None


def test_one_that_never_shakes_hands_counts_as_idle_and_makes_room() -> None:
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority = trustme.CA()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)

    async def story() -> None:
        async with listening(gate_parts(), limit=2, tls=server) as listener:
            silent = [await asyncio.open_connection(*listener.address) for _ in range(5)]
            host, port = listener.address
            reader, writer = await asyncio.open_connection(
                host, port, ssl=client, server_hostname="localhost"
            )
            writer.write(LAST)
            assert (await reader.read()).startswith(b"HTTP/1.1 200")
            assert listener.settings.connections.take_closed() == {ConnectionCut.TOO_MANY: 4}
            for _, each in (*silent, (reader, writer)):
                each.close()

    asyncio.run(story())


def test_many_small_chunks_leave_the_loop_to_others() -> None:
    """A quarter megabyte of them took half a second at once."""
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    body = b"1\r\na\r\n" * 20_000 + b"0\r\n\r\n"

    async def story() -> None:
        async with listening(gate_parts()) as listener:
            turns = 0

            async def others() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await asyncio.sleep(0)

            counting = asyncio.create_task(others())
            answer = await heard(listener, head + body + LAST)
            counting.cancel()
            assert answer.count(b"HTTP/1.1 200") == 2
            assert turns >= len(body) // web_connection.PIECE

    asyncio.run(story())


def test_a_body_that_stops_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_connection, "CUT_SECONDS", 0.05)

    async def story() -> None:
        async with listening(gate_parts()) as listener:
            assert await heard(listener, POST + b"Content-Length: 9\r\n\r\nhi") == b""
            assert listener.settings.connections.take_closed() == {ConnectionCut.TOO_SLOW: 1}

    asyncio.run(story())


PROBES = b"GET /healthz HTTP/1.1\r\nHost: r\r\n\r\n" * 5000  # more answers than buffers take
LONG = 16 << 20  # octets; more than buffers take
ASK_LONG = LAST.replace(b"/x", b"/long")


async def long(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with LONG octets in many pieces at `/long`, else as `echo`."""
    if scope["path"] == "/long":
        await StreamingResponse(b"x" * 65536 for _ in range(LONG // 65536))(scope, receive, send)
    else:
        await echo(scope, receive, send)


class Yielding(HttpConnections):
    """Tells whether the only connection yields."""

    def __init__(self) -> None:
        super().__init__(HttpService.WEB, 1)
        self.is_yielding = asyncio.Event()

    def yields(self, connection: HttpConnection) -> None:
        super().yields(connection)
        self.is_yielding.set()

    def stays(self, connection: HttpConnection) -> None:
        super().stays(connection)
        self.is_yielding.clear()


async def takes_nothing(listener: WebListener, said: bytes) -> socket.socket:
    """Say something and read nothing of the answer, until the listener can write no more."""
    loop, client = asyncio.get_running_loop(), socket.socket()
    listener._bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # its connections inherit
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.setblocking(False)
    await loop.sock_connect(client, listener.address)
    with contextlib.suppress(BlockingIOError):
        client.send(said)
    name = client.getsockname()
    while not any(  # noqa: ASYNC110  the connection has no event for a test to wait on
        each.client == name and each.flow.write_paused for each in listener._connections()
    ):
        await asyncio.sleep(0.01)
    return client


def test_strangers_that_take_no_answers_keep_nobody_out() -> None:
    async def story() -> None:
        async with listening(gate_parts(), limit=3) as listener:
            crowd = [await takes_nothing(listener, PROBES) for _ in range(3)]
            for _ in range(2):
                assert (await heard(listener, LAST)).startswith(b"HTTP/1.1 200")
            assert listener.settings.connections.take_closed() == {ConnectionCut.TOO_MANY: 1}
            for each in crowd:
                each.close()

    asyncio.run(asyncio.wait_for(story(), 60))


def test_a_known_client_that_takes_its_answer_slowly_keeps_its_place() -> None:
    async def story() -> None:
        async with listening(gate_parts(long), limit=1) as listener:
            client = await takes_nothing(listener, ASK_LONG)
            assert await heard(listener, LAST) == b""
            client.close()

    asyncio.run(asyncio.wait_for(story(), 60))


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_known_client_yields_while_it_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
    goes_on: bool,
) -> None:
    monkeypatch.setattr(web_connection, "STALL_SECONDS", 0.05)

    async def story() -> None:
        parts, connections = gate_parts(long), Yielding()
        settings = WebListenerSettings(
            WebGate(parts, GateSettings()), connections, parts.counts, None
        )
        listener = WebListener("web", bind("127.0.0.1:0"), settings)
        await listener.open()
        client = await takes_nothing(listener, ASK_LONG)
        await connections.is_yielding.wait()
        if goes_on:
            loop, taken = asyncio.get_running_loop(), 0
            while octets := await loop.sock_recv(client, 1 << 20):
                taken += len(octets)
            assert taken > LONG
            assert not connections.is_yielding.is_set()
        assert (await heard(listener, LAST)).startswith(b"HTTP/1.1 200")
        assert connections.take_closed() == ({} if goes_on else {ConnectionCut.TOO_MANY: 1})
        client.close()
        listener.close()

    asyncio.run(asyncio.wait_for(story(), 60))
