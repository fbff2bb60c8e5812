"""HTTP over real sockets: idle, slow and unread connections end, and keep nobody out."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from restante.reception.listener import bind
from restante.web.http_connections import (
    ConnectionCut,
    HttpConnection,
    HttpConnections,
    HttpService,
)
from restante.web.serving import HttpLimits, LimitedProtocol, serve_http

Loop = Callable[[], asyncio.AbstractEventLoop]
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]

ASK = b"GET / HTTP/1.1\r\nHost: restante\r\n\r\n"
SOON = 0.02  # seconds
LONG = 600.0
MUCH = b"x" * 2**16


async def short(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with two octets."""
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"OK"})


@asynccontextmanager
async def serving(
    limits: HttpLimits, application: ASGIApp = short
) -> AsyncIterator[tuple[str, int]]:
    """Serve inside; gives where."""
    listener = bind("127.0.0.1:0")
    listener.listen()
    task = asyncio.create_task(serve_http(application, listener, limits))
    try:
        yield listener.getsockname()
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> Loop:
    """Each of the two event loops."""
    made: Loop = request.param
    return made


def run(loop: Loop, story: Callable[[], "asyncio.Future[None] | object"]) -> None:
    async def within() -> None:
        async with asyncio.timeout(60):
            await story()  # type: ignore[misc]

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(within())


async def heard(reader: asyncio.StreamReader) -> bytes:
    """Read to the end, however it comes."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def answered(stream: Stream) -> None:
    """Ask, and read the answer of `short`."""
    reader, writer = stream
    writer.write(ASK)
    assert (await reader.readuntil(b"\r\n\r\nOK")).startswith(b"HTTP/1.1 200 OK\r\n")


def test_idle_connections_beyond_the_limit_keep_nobody_out(loop: Loop) -> None:
    connections = HttpConnections(HttpService.METRICS, 4)

    async def story() -> None:
        async with serving(HttpLimits(connections, LONG)) as place:
            crowd = [await asyncio.open_connection(*place) for _ in range(20)]
            late = await asyncio.open_connection(*place)
            await answered(late)
            assert connections.count == 4
            assert [await heard(reader) for reader, _ in crowd[:17]] == [b""] * 17
            assert connections.take_closed() == {ConnectionCut.TOO_MANY: 17}
            await answered(crowd[-1])
            for _, writer in (*crowd, late):
                writer.close()

    run(loop, story)


@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\nHost: resta"], ids=["nothing", "half a header"]
)
def test_one_that_sends_no_request_is_closed(loop: Loop, said: bytes) -> None:
    connections = HttpConnections(HttpService.CONTROL, 4)

    async def story() -> None:
        async with serving(HttpLimits(connections, SOON)) as place:
            reader, writer = await asyncio.open_connection(*place)
            writer.write(said)
            assert await heard(reader) == b""
            assert (connections.count, connections.take_closed()) == (
                0,
                {ConnectionCut.NO_REQUEST: 1},
            )
            writer.close()

    run(loop, story)


def test_half_a_header_behind_an_answer_ends_too(loop: Loop) -> None:
    """uvicorn's own limit ends with the first octet of the next request."""
    connections = HttpConnections(HttpService.CONTROL, 4)

    async def story() -> None:
        async with serving(HttpLimits(connections, header_seconds=SOON * 10)) as place:
            reader, writer = await asyncio.open_connection(*place)
            await answered((reader, writer))
            writer.write(b"GET / HT")
            assert await heard(reader) == b""
            assert connections.take_closed() == {ConnectionCut.NO_REQUEST: 1}
            writer.close()

    run(loop, story)


def test_an_answer_that_nobody_reads_ends(loop: Loop) -> None:
    connections, ended = HttpConnections(HttpService.METRICS, 4), asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield MUCH
                await asyncio.sleep(0)
        finally:
            ended.set()

    async def story() -> None:
        async with serving(
            HttpLimits(connections, LONG, answer_seconds=SOON), StreamingResponse(pieces())
        ) as place:
            with socket.create_connection(place) as client:
                await asyncio.to_thread(client.sendall, ASK)
                await ended.wait()
                assert (connections.count, connections.take_closed()) == (
                    0,
                    {ConnectionCut.TOO_SLOW: 1},
                )

    run(loop, story)


def test_the_end_of_an_answer_waits_for_a_client_that_pauses(loop: Loop) -> None:
    """The application has ended by then: a pager shows the first page of a listing meanwhile."""
    connections = HttpConnections(HttpService.CONTROL, 4)

    async def story() -> None:
        async with serving(HttpLimits(connections, SOON), Response(MUCH * 64)) as place:
            with socket.create_connection(place) as client:
                await asyncio.to_thread(
                    client.sendall, ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
                )
                assert (await asyncio.to_thread(client.recv, 4096)).startswith(b"HTTP/1.1 200")
                idle, idle_writer = await asyncio.open_connection(*place)
                assert await heard(idle) == b"", "the limit of a header is over"
                assert await asyncio.to_thread(rest_of, client) == MUCH[-1000:]
                assert connections.take_closed() == {ConnectionCut.NO_REQUEST: 1}
                idle_writer.close()

    run(loop, story)


def rest_of(client: socket.socket) -> bytes:
    """Read to the end, and return the last thousand octets."""
    end = b""
    while block := client.recv(2**20):
        end = (end + block)[-1000:]
    return end


def test_the_end_of_an_answer_that_nobody_reads_has_a_limit_at_a_public_door(loop: Loop) -> None:
    expired: list[ConnectionCut] = []

    async def story() -> None:
        over = asyncio.Event()

        class Watched(HttpConnections):
            """Tells when a connection's time is over."""

            def expire(self, connection: HttpConnection, cause: ConnectionCut) -> None:
                super().expire(connection, cause)
                expired.append(cause)
                over.set()

        connections = Watched(HttpService.METRICS, 4)
        limits = HttpLimits(connections, SOON, answer_seconds=LONG)
        async with serving(limits, Response(MUCH * 64)) as place:
            with socket.create_connection(place) as client:
                await asyncio.to_thread(client.sendall, ASK)
                await over.wait()
                assert (connections.count, expired) == (0, [ConnectionCut.TOO_SLOW])

    run(loop, story)


def test_an_answer_without_a_limit_may_take_longer_than_a_header(loop: Loop) -> None:
    connections, begun, go_on = (
        HttpConnections(HttpService.CONTROL, 4),
        asyncio.Event(),
        asyncio.Event(),
    )

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await go_on.wait()
        await short(scope, receive, send)

    async def story() -> None:
        async with serving(HttpLimits(connections, SOON), slow) as place:
            stream = await asyncio.open_connection(*place)
            idle, idle_writer = await asyncio.open_connection(*place)
            stream[1].write(ASK)
            await begun.wait()
            assert await heard(idle) == b"", "the limit of a header is over"
            go_on.set()
            assert (await stream[0].readuntil(b"\r\n\r\nOK")).startswith(b"HTTP/1.1 200")
            stream[1].close()
            idle_writer.close()

    run(loop, story)


@pytest.mark.parametrize(
    "start",
    [
        b"POST / HTTP/1.1\r\nHost: restante\r\nContent-Length: 9000\r\n\r\n{",
        b"POST / HTTP/1.1\r\nHost: restante\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: restante\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ],
    ids=["length", "expect", "chunked"],
)
def test_a_body_that_stops_frees_its_place(loop: Loop, start: bytes) -> None:
    connections = HttpConnections(HttpService.CONTROL, 1)

    async def story() -> None:
        async with serving(HttpLimits(connections, LONG, body_seconds=SOON), reading) as place:
            reader, writer = await asyncio.open_connection(*place)
            writer.write(start)
            await heard(reader)
            writer.close()
            stream = await asyncio.open_connection(*place)
            await answered(stream)
            stream[1].close()

    run(loop, story)
    assert connections.take_closed()[ConnectionCut.NO_REQUEST] == 1


def test_a_body_may_take_any_time_while_it_arrives_or_we_are_slow(loop: Loop) -> None:
    connections, go_on = HttpConnections(HttpService.CONTROL, 1), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await go_on.wait()
        await reading(scope, receive, send)

    async def story() -> None:
        async with serving(HttpLimits(connections, LONG, body_seconds=SOON), slow) as place:
            reader, writer = await asyncio.open_connection(*place)
            head = b"POST / HTTP/1.1\r\nHost: restante\r\nContent-Length: %d\r\n\r\n"
            writer.write(head % (16 * len(MUCH)) + MUCH * 16)
            asyncio.get_running_loop().call_later(SOON * 4, go_on.set)
            assert (await reader.readuntil(b"\r\n\r\nOK")).startswith(b"HTTP/1.1 200")
            writer.close()

    run(loop, story)


async def reading(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer once the whole body is there."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        if not message.get("more_body"):
            await short(scope, receive, send)
            return


async def turns_until(is_so: Callable[[], bool]) -> None:
    """Give other tasks turns until something is so; `run` has a limit of time."""
    while not is_so():  # noqa: ASYNC110  nobody tells
        await asyncio.sleep(0)


def test_a_connection_that_has_ended_is_no_garbage(loop: Loop) -> None:
    connections = HttpConnections(HttpService.CONTROL, 4)

    async def closed(place: tuple[str, int], said: bytes) -> None:
        reader, writer = await asyncio.open_connection(*place)
        writer.write(said)
        await reader.readuntil(b"\r\n\r\n" if said == ASK else b"OK")
        writer.close()
        await writer.wait_closed()

    async def story() -> None:
        async with serving(HttpLimits(connections, LONG)) as place:
            for said in (ASK, ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")):
                await closed(place, said)
                await turns_until(lambda: connections.count == 0)
            await asyncio.sleep(0)
            left = [
                one
                for one in gc.get_objects()
                if type(one) is LimitedProtocol and one._limits.connections is connections
            ]
            assert len(left) == 0, "an ended connection waits for the collector"

    gc.collect()
    gc.disable()
    try:
        run(loop, story)
    finally:
        gc.enable()
