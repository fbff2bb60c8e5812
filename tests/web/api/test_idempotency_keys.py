"""A request with a key is done once, and answered as often as it is sent."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from restante.store.store_errors import StoreError
from restante.telemetry.events import StoreFailed
from restante.tenancy.principal import Principal, Role
from restante.web.api.api_application import build_api
from restante.web.api.idempotency_keys import (
    REPEATABLE,
    SECRET_ANSWER,
    ActingRoute,
    RequestsUnderWay,
    key_owner_of,
    request_digest,
)
from tests.actors import actor_named
from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story

KEY = {"Idempotency-Key": "ticket-7"}


def test_a_repeat_gets_the_first_answer_and_adds_nothing() -> None:
    admin = AdminWorld()
    first = ask(admin, "POST", "/v1/accounts", json={"name": "beta"}, headers=KEY)
    again = ask(admin, "POST", "/v1/accounts", json={"name": "beta"}, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["x-request-id"]
    assert ask(admin, "POST", "/v1/accounts", json={"name": "beta"}).status_code == 200


@pytest.mark.parametrize("path", ["/v1/releases", "/v1/release"])
def test_a_repeat_releases_nothing_more(path: str) -> None:
    admin = AdminWorld()
    story(admin)
    for _ in range(2):
        order = {"targets": ["alpha.example"], "reason": "test"}
        assert ask(admin, "POST", path, json=order, headers=KEY).status_code == 200
    assert admin.server is not None
    assert len(admin.server.released) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/accounts", {"name": "gamma"}), ("/v1/notices/channels", {"name": "beta"})],
)
def test_a_key_of_another_request_is_refused(path: str, body: dict[str, Any]) -> None:
    admin = AdminWorld()
    ask(admin, "POST", "/v1/accounts", json={"name": "beta"}, headers=KEY)
    other = ask(admin, "POST", path, json=body, headers=KEY)
    assert other.status_code == 422
    assert "gamma" not in admin.context.directory.now.accounts


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "k\xe9"])
def test_an_odd_key_is_refused(key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}
    answer = ask(AdminWorld(), "POST", "/v1/accounts", json={"name": "beta"}, headers=headers)
    assert answer.status_code == 422


def test_a_request_that_failed_can_be_sent_again_with_its_key() -> None:
    admin = AdminWorld()
    path, login = "/v1/accounts/alpha/logins", {"user": "u", "password": "long enough"}
    assert ask(admin, "POST", path, json=login, headers=KEY).status_code == 404
    story(admin)
    assert ask(admin, "POST", path, json=login, headers=KEY).status_code == 201


def test_two_principals_have_keys_of_their_own() -> None:
    anna, bert = (
        Principal(Role.OPERATOR, actor_named(f"operator {one}"), "") for one in ("anna", "bert")
    )
    assert key_owner_of(anna) != key_owner_of(bert)
    admin = AdminWorld()
    ask(admin, "POST", "/v1/accounts", json={"name": "beta"}, headers=KEY)
    admin.context = admin.context.acting(bert)
    other = ask(admin, "POST", "/v1/accounts", json={"name": "gamma"}, headers=KEY)
    assert other.status_code == 201


def asked_at_once(admin: AdminWorld, api: FastAPI, path: str) -> list[int]:
    async def both() -> list[int]:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(api), base_url="http://restante"
        ) as client:
            posts = (client.post(path, json={"name": "beta"}, headers=KEY) for _ in range(2))
            return sorted(answer.status_code for answer in await asyncio.gather(*posts))

    return asyncio.run(both())


def test_of_two_requests_at_once_one_is_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = AdminWorld()
    put = admin.store.records.put_account

    async def slow(*given: Any, **named: Any) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await put(*given, **named)

    monkeypatch.setattr(admin.store.records, "put_account", slow)
    api = build_api(admin.context, admin.context.principal)
    assert asked_at_once(admin, api, "/v1/accounts") == [201, 409]
    under_way: RequestsUnderWay = api.state.under_way
    assert under_way._keys == set()


def test_an_action_is_done_even_if_its_answer_cannot_be_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin = AdminWorld()

    async def fail(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(admin.store.answers, "keep_answer", fail)
    answer = ask(admin, "POST", "/v1/accounts", json={"name": "beta"}, headers=KEY)
    assert answer.status_code == 201
    assert admin.log.lines[-1][0] is StoreFailed


def api_with_secret(admin: AdminWorld) -> FastAPI:
    router = APIRouter(route_class=ActingRoute)

    @router.post("/secret", dependencies=[REPEATABLE, SECRET_ANSWER])
    async def make() -> dict[str, str]:
        return {"secret": "hush hush"}

    api = build_api(admin.context, admin.context.principal)
    api.include_router(router)
    return api


def test_an_answer_with_a_secret_is_not_kept() -> None:
    admin = AdminWorld()

    async def twice() -> list[httpx.Response]:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(api_with_secret(admin)), base_url="http://restante"
        ) as client:
            return [await client.post("/secret", headers=KEY) for _ in range(2)]

    first, again = asyncio.run(twice())
    assert first.json() == {"secret": "hush hush"}
    assert (again.status_code, again.json()["kind"]) == (409, "conflict")
    assert "hush" not in repr(admin.store.state.answers)


def test_the_digest_of_a_request_needs_the_key_and_keeps_its_parts_apart() -> None:
    assert request_digest(b"k", [b"ab", b"c"]) != request_digest(b"k", [b"a", b"bc"])
    assert request_digest(b"k", [b"a"]) != request_digest(b"l", [b"a"])
