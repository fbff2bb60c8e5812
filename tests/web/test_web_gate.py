"""The gate: each stage refuses what it must, and everything else reaches the API."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import httpx
import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from restante.network.addresses import address_block
from restante.request_limits.stranger_limits import OF_BLOCK_AT_ONCE
from restante.tenancy.api_token import token_inside
from restante.tenancy.model import IpAddress
from restante.tenancy.principal import Principal
from restante.web.request_counts import RefusedRequests, RequestRefusal
from restante.web.request_places import IN_ALL, OF_ONE, OF_PORTAL, PlaceKind
from restante.web.route_limits import BODY_OCTETS
from restante.web.serving import PROVED_EXTENSION
from restante.web.web_gate import GateParts, GateSettings, WebGate
from tests.delivery.swift_loop import run_swiftly
from tests.web.gate_parts import TOKEN, by_token, echo, gate_parts

KNOWN = {"Authorization": TOKEN.decode()}
PROXIES = (ipaddress.ip_network("10.0.0.5"),)
LOCAL = GateSettings()
OPEN = GateSettings(PROXIES, is_loopback=False)


def client_of(
    parts: GateParts, settings: GateSettings = LOCAL, peer: str = "127.0.0.1"
) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(WebGate(parts, settings), client=(peer, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://restante")


def ask(
    path: str = "/v1/status",
    *,
    parts: GateParts | None = None,
    settings: GateSettings = LOCAL,
    peer: str = "127.0.0.1",
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
) -> httpx.Response:
    async def story() -> httpx.Response:
        async with client_of(parts or gate_parts(), settings, peer) as client:
            return await client.request(method, path, headers=headers, content=content)

    return asyncio.run(story())


@pytest.mark.parametrize("path", ["/", "/v1/status", "/metrics", "/v1/openapi.json", "/nothing"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "DELETE", "BREW"])
def test_nothing_but_health_is_shown_without_a_principal(path: str, method: str) -> None:
    answer = ask(path, method=method)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    assert "access-control-allow-origin" not in answer.headers


def test_a_principal_reaches_the_api() -> None:
    answer = ask(headers=KNOWN, method="POST", content=b"four")
    assert answer.text == "127.0.0.1 POST /v1/status 4"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_head_is_get_without_a_body() -> None:
    assert ask(headers=KNOWN, method="HEAD").headers["content-length"] == str(
        len("127.0.0.1 GET /v1/status 0")
    )


def test_health_is_shown_to_anybody_and_says_no_more() -> None:
    is_ready = True
    parts = gate_parts(is_ready=lambda: is_ready)
    for settings in (GateSettings(), OPEN):
        for path in ("/healthz", "/readyz"):
            assert ask(path, parts=parts, settings=settings, peer="192.0.2.1").status_code == 200
    is_ready = False
    refused = ask("/readyz", parts=parts, settings=OPEN, peer="192.0.2.1")
    assert (refused.status_code, refused.text) == (503, "not ready\n")
    assert ask("/healthz", parts=parts).status_code == 200
    assert ask("/healthz", method="POST").headers["allow"] == "GET, HEAD"


def test_a_server_without_its_object_store_is_ready_and_says_so() -> None:
    """Each server would say the same, and then nobody would take small mail."""
    parts = gate_parts(defers_large_mail=lambda: True)
    answer = ask("/readyz", parts=parts)
    assert (answer.status_code, answer.text) == (200, "ready, without large mail\n")
    parts = gate_parts(is_ready=lambda: False, defers_large_mail=lambda: True)
    assert ask("/readyz", parts=parts).status_code == 503


def test_no_page_takes_a_token_in_its_url() -> None:
    token = f"rst_{'a' * 10}_{'b' * 43}"
    assert token_inside(f"/healthz?token={token}") is not None
    asked: list[str] = []

    def noted(scope: Scope, client: IpAddress) -> Principal | Response:
        asked.append(scope["path"])
        return by_token(scope, client)

    parts = replace(gate_parts(portal=echo), identify=noted)
    for path in ("/healthz", "/readyz", "/", "/v1/status"):
        assert ask(f"{path}?token={token}", parts=parts).status_code == 401
    assert asked == ["/healthz", "/readyz", "/", "/v1/status"]


def test_clear_text_from_elsewhere_is_only_read_from_a_proxy() -> None:
    forwarded = {**KNOWN, "X-Forwarded-For": "192.0.2.7"}
    assert ask(headers=forwarded, settings=OPEN, peer="192.0.2.1").status_code == 403
    assert ask(headers=forwarded, settings=OPEN, peer="10.0.0.5").text.startswith("192.0.2.7 ")
    assert ask(headers=forwarded, settings=OPEN, peer="127.0.0.1").text.startswith("127.0.0.1 ")
    tls = GateSettings(PROXIES, is_tls=True, is_loopback=False)
    answer = ask(headers=forwarded, settings=tls, peer="192.0.2.1")
    assert answer.text.startswith("192.0.2.1 ")
    assert "strict-transport-security" in answer.headers


async def endless(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Never answer."""
    await asyncio.Event().wait()


def test_the_requests_at_once_are_limited_in_all_and_for_each_account() -> None:
    parts = gate_parts(endless)

    async def story() -> None:
        async with client_of(parts) as client, asyncio.TaskGroup() as tasks:

            def begin(who: str) -> asyncio.Task[httpx.Response]:
                return tasks.create_task(client.get("/x", headers={"Authorization": who}))

            running = [begin("Account alpha") for _ in range(OF_ONE[PlaceKind.WORK])]
            one_more = await begin("Account alpha")
            assert (one_more.status_code, one_more.headers["retry-after"]) == (503, "1")
            running += [
                begin(other)
                for other in ("Account beta", "Account gamma", TOKEN.decode())
                for _ in range(OF_ONE[PlaceKind.WORK])
            ]
            assert len(running) == IN_ALL[PlaceKind.WORK]
            assert (await begin("Account delta")).status_code == 503
            assert (await client.get("/healthz")).status_code == 200
            for each in running:
                each.cancel()

    asyncio.run(story())
    assert parts.places.are_free
    assert parts.counts.running == 0
    assert parts.counts.take_refused() == {RequestRefusal.TOO_MANY: RefusedRequests(2, "127.0.0.1")}


async def portal(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell who asked for what."""
    assert "principal" not in scope.get("state", {})
    await PlainTextResponse(f"{scope['client'][0]} {scope['path']}")(scope, receive, send)


def test_the_portal_gets_every_path_that_is_not_the_api_s() -> None:
    parts = gate_parts(portal=portal)
    for path in ("/", "/sign-in", "/v11", "/nothing"):
        assert ask(path, parts=parts).text == f"127.0.0.1 {path}"
    for path in ("/v1", "/v1/status", "/metrics", "/metrics/x"):
        assert ask(path, parts=parts).status_code == 401
    assert ask("/healthz", parts=parts).text == "alive\n"


def test_the_portal_is_behind_the_proxies_and_the_limits() -> None:
    parts = gate_parts(portal=portal)
    forwarded = {"X-Forwarded-For": "192.0.2.7"}
    assert ask("/", parts=parts, settings=OPEN, peer="192.0.2.1").status_code == 403
    through = ask("/", parts=parts, settings=OPEN, peer="10.0.0.5", headers=forwarded)
    assert through.text == "192.0.2.7 /"
    large = bytes(BODY_OCTETS + 1)
    assert ask("/", parts=gate_parts(portal=echo_body), method="POST", content=large).is_error


async def echo_body(_scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await PlainTextResponse("read")(_scope, receive, send)


def test_visitors_of_the_portal_leave_room_for_the_api() -> None:
    parts = gate_parts(portal=endless)

    async def story() -> None:
        async with client_of(parts) as client, asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(client.get("/")) for _ in range(OF_PORTAL)]
            await asyncio.sleep(0)
            assert (await client.get("/")).status_code == 503
            assert (await client.get("/v1/status", headers=KNOWN)).status_code == 200
            for each in running:
                each.cancel()

    asyncio.run(story())
    assert parts.places.are_free


def test_slow_bodies_of_strangers_take_no_place_of_the_portal() -> None:
    parts = gate_parts(portal=portal, request_seconds=0.2)

    async def story() -> None:
        async def slow() -> AsyncIterator[bytes]:
            yield b"em"
            await asyncio.Event().wait()

        async with client_of(parts) as client, asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(client.post("/sign-in", content=slow())) for _ in range(OF_PORTAL)
            ]
            for _ in range(20):
                await asyncio.sleep(0)
            assert (await client.get("/sign-in")).status_code == 200
            ended = await asyncio.gather(*running)
            assert {one.status_code for one in ended} == {503}

    asyncio.run(story())
    assert parts.places.are_free


@pytest.mark.parametrize("who", ["Account alpha", TOKEN.decode()])
def test_slow_bodies_of_one_account_take_no_place_of_a_complete_request(who: str) -> None:
    parts = gate_parts(request_seconds=0.2)
    headers = {"Authorization": who}

    async def story() -> None:
        async def slow() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.Event().wait()

        async with client_of(parts) as client, asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(client.post("/v1/releases", headers=headers, content=slow()))
                for _ in range(OF_ONE[PlaceKind.BODY])
            ]
            for _ in range(20):
                await asyncio.sleep(0)
            # Its own next body has no place; others' requests, with a body or without, have one.
            assert (await client.post("/v1/releases", headers=headers)).status_code == 503
            for other in ("Account beta", "Account gamma"):
                theirs = {"Authorization": other}
                assert (await client.get("/v1/status", headers=theirs)).status_code == 200
                assert (await client.post("/v1/releases", headers=theirs)).status_code == 200
            ended = await asyncio.gather(*running)
            assert {one.status_code for one in ended} == {503}

    asyncio.run(story())
    assert parts.places.are_free


def test_slow_bodies_of_many_accounts_take_no_place_of_a_visitor_or_a_request_at_work() -> None:
    parts = gate_parts(portal=portal, request_seconds=0.2)

    async def story() -> None:
        async def slow() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.Event().wait()

        async with client_of(parts) as client, asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(
                    client.post("/v1/x", headers={"Authorization": f"Account {n}"}, content=slow())
                )
                for n in range(IN_ALL[PlaceKind.BODY])
            ]
            for _ in range(20):
                await asyncio.sleep(0)
            assert (await client.post("/sign-in", content=b"x")).status_code == 200
            ended = await asyncio.gather(*running)
            assert {one.status_code for one in ended} == {503}

    asyncio.run(story())
    assert parts.places.are_free


def test_long_requests_have_places_of_their_own() -> None:
    parts = gate_parts(endless)
    alpha = {"Authorization": "Account alpha"}

    async def story() -> None:
        async with client_of(parts) as client, asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(client.post("/v1/queue/export", headers=alpha))
                for _ in range(OF_ONE[PlaceKind.LONG])
            ]
            await asyncio.sleep(0)
            assert (await client.get("/v1/events", headers=alpha)).status_code == 503
            working = tasks.create_task(client.get("/v1/x", headers=alpha))
            await asyncio.sleep(0)
            assert not working.done()
            for each in [*running, working]:
                each.cancel()

    asyncio.run(story())
    assert parts.places.are_free


def test_a_large_body_is_refused_announced_or_not() -> None:
    large = bytes(BODY_OCTETS + 1)
    assert ask(method="POST", headers=KNOWN, content=large).status_code == 413
    assert ask(method="POST", headers=KNOWN, content=large[1:]).status_code == 200
    assert ask("/v1/queue/import", method="POST", headers=KNOWN, content=large).is_success

    async def pieces() -> httpx.Response:
        async def body() -> AsyncIterator[bytes]:
            for _ in range(17):
                yield bytes(4096)

        async with client_of(gate_parts()) as client:
            return await client.post("/v1/release", headers=KNOWN, content=body())

    assert asyncio.run(pieces()).status_code == 413


def test_a_request_ends_in_time_but_a_change_that_began_goes_on() -> None:
    done = []

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(2.0)
        done.append(scope["method"])
        await PlainTextResponse("done")(scope, receive, send)

    parts = gate_parts(slow, request_seconds=0)
    assert ask(headers=KNOWN, parts=parts).status_code == 503

    async def change() -> int:
        async with client_of(gate_parts(slow, request_seconds=1.0)) as client:
            return (await client.delete("/v1/x", headers=KNOWN)).status_code

    # An ended time limit cannot be moved, so this one ends while the change runs.
    assert run_swiftly(change()) == 200
    assert done == ["DELETE"]


def test_answers_count_by_route() -> None:
    parts = gate_parts()
    ask(parts=parts)
    ask(parts=parts, headers=KNOWN)
    assert parts.counts.ended == {("(none)", "4xx"): 1, ("(none)", "2xx"): 1}


async def sign_in_page(scope: Scope, receive: Receive, send: Send) -> None:
    """A session is known by its cookie, as in the portal."""
    if b"cookie" in dict(scope["headers"]):
        scope["extensions"][PROVED_EXTENSION]()
    await PlainTextResponse("page")(scope, receive, send)


def statuses(parts: GateParts, count: int, peer: str, headers: Mapping[str, str]) -> list[int]:
    return [
        ask("/sign-in", parts=parts, peer=peer, headers=headers).status_code for _ in range(count)
    ]


def test_a_stranger_has_a_number_of_requests_and_others_still_have_theirs() -> None:
    parts, most = gate_parts(portal=sign_in_page), int(OF_BLOCK_AT_ONCE)
    assert statuses(parts, most + 2, "127.0.0.1", {}) == [200] * most + [429] * 2
    assert statuses(parts, 1, "127.0.0.2", {}) == [200]
    assert ask("/healthz", parts=parts).status_code == 200
    assert parts.counts.take_refused() == {
        RequestRefusal.STRANGERS: RefusedRequests(2, "127.0.0.1")
    }


def test_a_stranger_s_body_is_not_read_once_there_were_too_many() -> None:
    parts = gate_parts(portal=sign_in_page)
    statuses(parts, int(OF_BLOCK_AT_ONCE), "127.0.0.1", {})
    large = b"x" * (BODY_OCTETS + 1)
    refused = ask("/sign-in", parts=parts, method="POST", content=large)
    assert (refused.status_code, refused.headers["Connection"]) == (429, "close")
    assert refused.headers["Retry-After"] == "10"


@pytest.mark.parametrize("headers", [{"Cookie": "session"}, KNOWN])
def test_a_block_with_a_principal_is_no_stranger(headers: Mapping[str, str]) -> None:
    parts = gate_parts(portal=sign_in_page)
    path = "/v1/status" if headers is KNOWN else "/sign-in"
    assert ask(path, parts=parts, headers=headers).status_code == 200
    assert set(statuses(parts, int(OF_BLOCK_AT_ONCE) + 2, "127.0.0.1", {})) == {200}


def test_guesses_at_tokens_count_as_requests_of_a_stranger() -> None:
    parts = gate_parts(portal=sign_in_page)
    for _ in range(int(OF_BLOCK_AT_ONCE)):
        assert ask(parts=parts).status_code == 401
    assert statuses(parts, 1, "127.0.0.1", {}) == [429]
    assert parts.strangers.turns_away(address_block(ipaddress.ip_address("127.0.0.1")), 0.0)
