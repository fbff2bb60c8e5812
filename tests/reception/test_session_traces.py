"""Traces of sessions: the clients that match, slow readers, the end, and TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from restante.reception.session_traces import (
    LINES_A_SECOND,
    MOST_LINES,
    MOST_TRACES,
    SessionTraces,
    TracedLine,
    TraceKind,
)
from tests.integration.reception import Reception, close, read_reply, until
from tests.wire import initial_response

PEER = ip_address("192.0.2.7")
NETWORK = ip_network("192.0.2.0/24")


class World:
    """Traces, with a clock that each wait moves to the next heartbeat."""

    def __init__(self) -> None:
        self.now = 100.0
        self.traces = SessionTraces(lambda: 1e9, lambda: self.now, self.wait)

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        if not event.is_set():
            self.now += seconds


def spoken(pieces: list[list[TracedLine]]) -> list[str]:
    return [line.text for piece in pieces for line in piece]


def is_active(world: World) -> bool:
    return world.traces.is_active


async def begun(world: World, seconds: float = 60) -> AsyncIterator[list[TracedLine]]:
    """Begin a trace, and read its first sign of life."""
    found = world.traces.follow(NETWORK, seconds)
    assert await anext(found) == []
    return found


def test_a_trace_has_the_lines_of_its_clients_and_ends_by_itself() -> None:
    world = World()

    async def run() -> None:
        assert not is_active(world)
        found = await begun(world)
        assert is_active(world)
        assert world.traces.observer(ip_address("198.51.100.1"), 1) is None
        observer = world.traces.observer(PEER, 4711)
        assert observer is not None
        observer.note("connected")
        observer.heard_line(b"EHLO c.example", is_authenticating=False)
        observer.heard_content(4000)
        observer.heard_content(96)
        observer.said(b"250-a\r\n250 b\r\n")
        pieces = [piece async for piece in found]
        assert spoken(pieces) == [
            "connected",
            "EHLO c.example",
            "(content, 4096 octets)",
            "250-a",
            "250 b",
        ]
        second = TracedLine(1e9, "192.0.2.7:4711", TraceKind.CLIENT, "EHLO c.example")
        assert pieces[0][1] == second
        assert pieces[-1] == []
        assert world.now == 160.0
        assert not is_active(world)
        observer.note("after the end")  # nobody gets it

    asyncio.run(run())


def test_a_slow_reader_loses_lines_and_is_told_how_many() -> None:
    world = World()

    async def run() -> None:
        found = await begun(world)
        observer = world.traces.observer(PEER, 4711)
        assert observer is not None
        for number in range(MOST_LINES + 5):
            observer.note(str(number))
        lines = await anext(found)
        assert [line.text for line in lines[-2:]] == [
            str(MOST_LINES - 1),
            "5 lines dropped: they came faster than they were read",
        ]
        assert lines[-1].kind is TraceKind.MISSED
        read_at = world.now
        observer.note("again")
        assert spoken([await anext(found)]) == ["again"]
        waited = world.now - read_at
        assert waited == pytest.approx(len(lines) / LINES_A_SECOND), "a reader gets no more"

    asyncio.run(run())


def test_each_trace_gets_its_clients_and_their_number_is_bounded() -> None:
    world = World()

    async def run() -> None:
        many = [await begun(world) for _ in range(MOST_TRACES)]
        assert not world.traces.has_room
        observer = world.traces.observer(PEER, 4711)
        assert observer is not None
        observer.note("x")
        assert [spoken([await anext(each)]) for each in many] == [["x"]] * MOST_TRACES
        world.traces.close()
        assert [[piece async for piece in each] for each in many] == [[]] * MOST_TRACES
        assert world.traces.has_room

    asyncio.run(run())


@pytest.mark.parametrize("is_open_before", [False, True])
def test_a_session_with_tls_on_the_wire(reception: Reception, *, is_open_before: bool) -> None:
    reception.world.hosts("a.example")
    world, context = World(), reception.certificates.client_context()

    async def session() -> list[str]:
        async with reception.listener() as listener:
            listener.settings = replace(listener.settings, traces=world.traces)
            if is_open_before:
                reader, writer = await asyncio.open_connection("localhost", listener.address[1])
                await read_reply(reader)
            trace = world.traces.follow(ip_network("127.0.0.1"), 60)
            await anext(trace)
            if not is_open_before:
                reader, writer = await asyncio.open_connection("localhost", listener.address[1])
                await read_reply(reader)
            await _talk(reader, writer, context)
            await until(lambda: not listener.sessions)
            world.traces.close()
            return spoken([piece async for piece in trace])

    told = reception.world.run(session())
    assert told[:2] == (
        ["the session was open before", "EHLO c.example"]
        if is_open_before
        else ["connected", "220 mx2.example.net ESMTP Restante"]
    )
    start = told.index("STARTTLS")
    assert told[start + 1] == "220 2.0.0 Ready to start TLS"
    assert told[start + 2].startswith("TLS is established: TLSv1.3 ")
    said = [text for text in told[start + 3 :] if not text.startswith("250-")]
    assert said == [
        "EHLO c.example",
        "250 HELP",
        "AUTH PLAIN (secret, 44 octets)",
        "535 5.7.8 Authentication credentials invalid",
        "MAIL FROM:<b@b.example>",
        "250 2.1.0 OK",
        "RCPT TO:<x@a.example>",
        "250 2.1.5 OK",
        "DATA",
        "354 End data with <CR><LF>.<CR><LF>",
        "(content, 22 octets)",
        said[11],
        "QUIT",
        "221 2.0.0 mx2.example.net closing connection",
        "closed: quit",
    ]
    assert said[11].startswith("250 2.0.0 ")


async def _talk(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext
) -> None:
    """Bring a message under TLS, as alice."""

    async def say(line: str) -> None:
        writer.write(f"{line}\r\n".encode())
        await read_reply(reader)

    await say("EHLO c.example")
    await say("STARTTLS")
    await writer.start_tls(context, server_hostname="localhost")
    for line in (
        "EHLO c.example",
        f"AUTH PLAIN {initial_response('alice')}",
        "MAIL FROM:<b@b.example>",
        "RCPT TO:<x@a.example>",
        "DATA",
        "Subject: secret\r\n\r\n.",
        "QUIT",
    ):
        await say(line)
    await close(writer)
