"""HEAD is answered as GET is, without the body, and ends what would go on."""

import asyncio

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from restante.web.head_requests import HeadRequests, answer_head
from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story


async def endless(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})
    while True:
        await send({"type": "http.response.body", "body": b"more", "more_body": True})
        await asyncio.sleep(0)


async def failing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise TimeoutError("of its own")


def test_an_answer_that_never_ends_is_ended_after_its_header() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "HEAD"}
    asyncio.run(answer_head(endless, scope, receive, send))
    assert [one["type"] for one in sent] == ["http.response.start", "http.response.body"]
    assert sent[1].get("body", b"") == b""
    with pytest.raises(TimeoutError, match="of its own"):
        asyncio.run(answer_head(failing, scope, receive, send))


def test_another_method_passes_through() -> None:
    async def once() -> httpx.Response:
        async def app(scope: Scope, _receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": scope["method"].encode()})

        transport = httpx.ASGITransport(HeadRequests(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.get("/")

    assert asyncio.run(once()).text == "GET"


@pytest.mark.parametrize(
    "path",
    ["/v1/accounts", "/v1/domains/alpha.example", "/v1/history", "/v1/openapi.json", "/v1/none"],
)
def test_each_path_has_the_status_and_the_headers_of_get(path: str) -> None:
    admin = AdminWorld()
    story(admin)
    head, get = ask(admin, "HEAD", path), ask(admin, "GET", path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    own = {"x-request-id"}
    assert {**head.headers} | dict.fromkeys(own, "") == {**get.headers} | dict.fromkeys(own, "")


def test_a_path_without_get_refuses_it() -> None:
    answer = ask(AdminWorld(), "HEAD", "/v1/releases/x/y")
    assert answer.status_code == 404
    answer = ask(AdminWorld(), "HEAD", "/v1/apply")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
