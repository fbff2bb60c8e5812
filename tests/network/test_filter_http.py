"""Messages to a filter over HTTP: the request, and every way in which the other side can fail."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from ipaddress import ip_address
from pathlib import Path

import pytest

from restante.network.filter_http import FilterHttp, FilterHttpFailed, FilterHttpPlace
from restante.network.resolver import LookupFailed
from restante.tenancy.model import IpAddress
from tests.network.filter_server import (
    Answer,
    FilterServer,
    cut,
    drip,
    endless,
    http,
    plain,
    silent,
)

CONTENT = b"Subject: x\r\n\r\n" + b"text\r\n" * 1000
FIELDS = [("IP", b"192.0.2.1"), ("Rcpt", b"a@x.example"), ("Rcpt", "ä@x.example".encode())]


class Names:
    """Knows one name."""

    def __init__(self, *found: str) -> None:
        self.found = found

    async def addresses(self, name: str) -> tuple[IpAddress, ...]:
        if not self.found:
            raise LookupFailed(f"{name}: no such name in DNS", is_temporary=False)
        return tuple(map(ip_address, self.found))

    def forget(self, name: str) -> None:
        raise NotImplementedError


async def blocks(content: bytes = CONTENT) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 1000):
        yield content[start : start + 1000]


def run(act: Callable[[AsyncExitStack], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60), AsyncExitStack() as stack:
            await act(stack)

    asyncio.run(bounded())


async def client(
    stack: AsyncExitStack, place: FilterHttpPlace, names: Sequence[str] = ()
) -> FilterHttp:
    made = FilterHttp(place, Names(*names))
    stack.push_async_callback(made.retire)
    return made


def test_the_message_is_passed_on_as_it_is_and_connections_are_kept() -> None:
    async def act(stack: AsyncExitStack) -> None:
        server = await stack.enter_async_context(FilterServer(plain(http(b'{"a":1}'))))
        made = await client(stack, FilterHttpPlace(f"{server.url}/x"))
        for _ in range(3):
            assert await made.post("/y", FIELDS, len(CONTENT), blocks()) == b'{"a":1}'
        assert (server.connections, server.bodies) == (1, [CONTENT] * 3)
        head = server.heads[0].encode("latin-1")
        assert head.startswith(b"POST /x/y HTTP/1.1\r\n")
        for line in (b"IP: 192.0.2.1", b"Rcpt: a@x.example", "Rcpt: ä@x.example".encode()):
            assert b"\r\n" + line + b"\r\n" in head
        assert b"password" not in head.lower()

    run(act)


def test_a_socket_and_a_password_are_used(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret word\n")

    async def act(stack: AsyncExitStack) -> None:
        path = tmp_path / "filter.sock"
        server = await stack.enter_async_context(FilterServer(socket=path))
        place = FilterHttpPlace("http://localhost", str(path), "", str(tmp_path / "password"))
        made = await client(stack, place)
        assert await made.post("/y", FIELDS, len(CONTENT), blocks()) == b"{}"
        assert "password: secret word\r\n" in server.heads[0].lower()

    run(act)


def test_a_name_is_looked_up_and_each_address_tried() -> None:
    async def act(stack: AsyncExitStack) -> None:
        server = await stack.enter_async_context(FilterServer())
        url = server.url.replace("127.0.0.1", "filter.example")
        made = await client(stack, FilterHttpPlace(url), ["127.0.0.9", "127.0.0.1"])
        assert await made.post("/y", FIELDS, len(CONTENT), blocks()) == b"{}"
        assert f"host: {url.removeprefix('http://')}\r\n" in server.heads[0].lower()
        assert server.bodies == [CONTENT]
        unknown = await client(stack, FilterHttpPlace(url))
        with pytest.raises(FilterHttpFailed, match="no such name in DNS"):
            await unknown.post("/y", FIELDS, len(CONTENT), blocks())

    run(act)


@pytest.mark.parametrize(
    ("answer", "cause", "is_of_request"),
    [
        (plain(b"nonsense\r\n\r\n"), "its answer is not HTTP", False),
        (plain(b""), None, False),
        (cut, "its answer is not HTTP", False),
        (endless, "its answer is too long", True),
        (plain(http(b"", "503 Away")), "it answers 503", False),
        (plain(http(b"", "403 Password")), "it answers 403", False),
        (plain(http(b"", "413 Large")), "it answers 413", True),
        (plain(http(b"", "302 Found\r\nLocation: http://127.0.0.1:9/")), "it answers 302", False),
        (silent, None, False),
        (drip, None, False),
    ],
)
def test_every_failure_is_told_apart_and_is_over_in_time(
    answer: Answer, cause: str | None, is_of_request: bool
) -> None:
    async def act(stack: AsyncExitStack) -> None:
        server = await stack.enter_async_context(FilterServer(answer))
        made = await client(stack, FilterHttpPlace(server.url))
        if cause is None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await made.post("/y", FIELDS, len(CONTENT), blocks())
        else:
            with pytest.raises(FilterHttpFailed, match=cause) as failure:
                await made.post("/y", FIELDS, len(CONTENT), blocks())
            assert failure.value.is_of_request is is_of_request
        server.answer = plain(http(b"{}"))  # and the next request is whole again
        assert await made.post("/y", FIELDS, len(CONTENT), blocks()) == b"{}"

    run(act)


@pytest.mark.parametrize(
    ("place", "cause"),
    [
        (FilterHttpPlace("http://127.0.0.1:9"), "Connect call failed|[Rr]efused"),
        (FilterHttpPlace("http://localhost", "/nonexistent/x"), "No such file"),
        (FilterHttpPlace("https://127.0.0.1:9", "", "/nonexistent"), "`ca_file` cannot be used"),
        (FilterHttpPlace("http://127.0.0.1:9", "", "", "/nonexistent"), "`password_file` cannot"),
    ],
)
def test_a_filter_that_cannot_be_reached_tells_why(place: FilterHttpPlace, cause: str) -> None:
    async def act(stack: AsyncExitStack) -> None:
        made = await client(stack, place)
        with pytest.raises((FilterHttpFailed, OSError), match=cause):
            await made.post("/y", FIELDS, len(CONTENT), blocks())

    run(act)


def test_a_large_message_takes_no_memory() -> None:
    block, count = b"x" * 65536, 800  # 50 MiB

    async def large() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield block

    async def act(stack: AsyncExitStack) -> None:
        server = await stack.enter_async_context(FilterServer(keeps_bodies=False))
        made = await client(stack, FilterHttpPlace(server.url))
        await made.post("/y", FIELDS, len(CONTENT), blocks())
        tracemalloc.start()
        await made.post("/y", FIELDS, len(block) * count, large())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert server.octets == len(CONTENT) + len(block) * count
        assert most < 2_000_000

    run(act)


def test_retired_connections_end_what_they_have_begun() -> None:
    async def act(stack: AsyncExitStack) -> None:
        is_asked, may_answer = asyncio.Event(), asyncio.Event()

        async def later(writer: asyncio.StreamWriter) -> None:
            is_asked.set()
            await may_answer.wait()
            await plain(http(b"{}"))(writer)

        server = await stack.enter_async_context(FilterServer(later))
        made = await client(stack, FilterHttpPlace(server.url))
        asking = asyncio.create_task(made.post("/y", FIELDS, len(CONTENT), blocks()))
        await is_asked.wait()
        await made.retire()
        may_answer.set()
        assert await asking == b"{}"

    run(act)
