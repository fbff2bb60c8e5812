"""One request to another host: bounded, to the address that was checked. Webhooks test the rest."""

import asyncio
import subprocess
import sys

import pytest

from restante.network.late_module import ProgramReplaced
from restante.network.outgoing_http import (
    HTTP_LIBRARY,
    OutgoingAnswer,
    OutgoingFailed,
    OutgoingHttp,
)
from restante.network.outgoing_http import OutgoingRequest as Request
from tests.delivery.world import Names

PATH = "/secret-path"


def fetch(answer: bytes, *, most: int = 0, is_public_only: bool = False) -> OutgoingAnswer:
    """Return the answer of a host that sends these octets; its name is local.example."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"accept-encoding: identity\r\n" in head.lower()
        writer.write(answer)
        writer.close()

    async def story() -> OutgoingAnswer:
        names = Names({"local.example": ["127.0.0.1"]})
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            http = OutgoingHttp(names, lambda: 20.0)
            url = f"http://local.example:{port}{PATH}"
            return await http.fetch(
                Request("GET", url, is_public_only=is_public_only, most_octets=most)
            )

    return asyncio.run(story())


def answer_with(body: bytes, head: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)


def test_the_body_is_read_up_to_a_limit() -> None:
    found = fetch(answer_with(b"12345"), most=5)
    assert found == OutgoingAnswer(200, b"12345", {"content-length": "5"})
    with pytest.raises(OutgoingFailed, match="too long"):
        fetch(answer_with(b"123456"), most=5)
    assert fetch(answer_with(b"123456")).body == b""


def test_a_packed_body_is_not_unpacked() -> None:
    packed = answer_with(b"\x1f\x8b\x08", b"Content-Encoding: gzip\r\n")
    assert fetch(packed, most=5).body == b"\x1f\x8b\x08"


def test_a_redirect_is_an_answer() -> None:
    assert fetch(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", most=5).status == 302


def test_an_account_s_url_leads_to_public_addresses_only() -> None:
    with pytest.raises(OutgoingFailed, match="no public address"):
        fetch(answer_with(b""), is_public_only=True)


def failing(url: str) -> str:
    async def story() -> None:
        await OutgoingHttp(Names(), lambda: 20.0).fetch(Request("GET", url))

    with pytest.raises(OutgoingFailed) as failed:
        asyncio.run(story())
    return str(failed.value)


@pytest.mark.parametrize(
    "url",
    [f"https://127.0.0.1:1{PATH}", f"https://nowhere.example{PATH}", f"https://[{PATH}"],
    ids=["refused", "unknown", "odd"],
)
def test_a_failure_tells_its_cause_and_not_the_url(url: str) -> None:
    cause = failing(url)
    assert cause
    assert PATH not in cause


def test_the_library_is_loaded_once_before_the_first_request() -> None:
    loaded: list[str] = []

    async def load(module: str) -> None:
        loaded.append(module)

    async def story() -> None:
        http = OutgoingHttp(Names(), lambda: 20.0, load=load)
        assert loaded == []
        for _ in range(2):
            with pytest.raises(OutgoingFailed):
                await http.fetch(Request("GET", "https://nowhere.example/"))

    asyncio.run(story())
    assert loaded == [HTTP_LIBRARY]


def test_a_program_that_was_upgraded_sends_no_request_and_says_why() -> None:
    async def load(_module: str) -> None:
        raise ProgramReplaced

    async def story() -> None:
        names = Names()
        http = OutgoingHttp(names, lambda: 20.0, load=load)
        with pytest.raises(OutgoingFailed, match=r"was upgraded since .* restart the server"):
            await http.fetch(Request("GET", "https://nowhere.example/"))
        http.forget("https://nowhere.example/")
        assert names.asked == names.forgotten == []

    asyncio.run(story())


def test_its_module_has_what_a_first_request_would_load() -> None:
    program = (
        f"import asyncio, sys, {HTTP_LIBRARY}; before = set(sys.modules)\n"
        "import ssl, httpx\n"
        "tls = ssl.create_default_context()\n"
        "async def ask():\n"
        "  async with httpx.AsyncClient(verify=tls, trust_env=False) as c:\n"
        "    try: await c.get('http://127.0.0.1:1')\n"
        "    except httpx.ConnectError: pass\n"
        "asyncio.run(ask()); print(*(set(sys.modules) - before))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "\n"
