"""The API behind a gate: no route without a token, and the things of one account only."""

import asyncio
from typing import Any

import httpx
import pytest

from restante.admin import tokens
from restante.admin.tokens import NewToken
from restante.tenancy.grants import GrantedRole, Scope
from restante.web.api.api_application import build_api
from tests.admin.admin_world import run
from tests.admin.test_token_authentication import Scene


class Web:
    """The API for clients of a network."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.admin = self.scene.admin
        self._api = build_api(self.admin.context, gate=self.scene.gate)

    async def ask(
        self, method: str, path: str, token: str | None = None, **given: Any
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self._api, client=("192.0.2.7", 40000))
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://mx2") as client:
            return await client.request(method, path, headers=headers, **given)


@pytest.mark.parametrize(
    "path", ["/v1/domains", "/v1/openapi.json", "/v1/nowhere", "/", "/metrics", "/v1/tokens"]
)
def test_nothing_answers_without_a_token(path: str) -> None:
    async def story() -> None:
        web = Web()
        for answer in (await web.ask("GET", path), await web.ask("GET", path, "wrong")):
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert answer.json()["detail"] == "request: no valid token came with the request"
            assert answer.headers["X-Request-Id"]

    run(story())


def test_a_body_is_not_read_for_a_stranger() -> None:
    async def story() -> None:
        web = Web()
        for content in (b"{", b"\xff", b"x" * 100_000):
            assert (await web.ask("POST", "/v1/accounts", content=content)).status_code == 401

    run(story())


def test_a_token_sees_its_own_account_only() -> None:
    async def story() -> None:
        web = Web()
        added = await web.scene.add(role=GrantedRole.ACCOUNT_ADMIN)
        await web.admin.host("beta.example", "beta")
        shown = await web.ask("GET", "/v1/domains", added.token)
        assert [one["name"] for one in shown.json()] == ["alpha.example"]
        foreign = await web.ask("GET", "/v1/domains/beta.example", added.token)
        unknown = await web.ask("GET", "/v1/domains/gone.example", added.token)
        assert (foreign.status_code, unknown.status_code) == (404, 404)
        assert foreign.text.replace("beta", "gone") == unknown.text
        assert (await web.ask("GET", "/v1/status", added.token)).status_code == 403

    run(story())


def test_a_scope_opens_its_routes_only() -> None:
    async def story() -> None:
        web = Web()
        added = await web.scene.add()
        assert (await web.ask("GET", "/v1/queue", added.token)).status_code == 200
        refused = await web.ask("GET", "/v1/domains", added.token)
        assert refused.status_code == 403
        assert "token ci (alpha) is not allowed to" in refused.json()["detail"]

    run(story())


@pytest.mark.parametrize("place", ["?access_token={}", "?x=1&t={}", "/{}", "?t=%72st{}"])
def test_a_token_in_a_url_is_refused_even_beside_a_valid_header(place: str) -> None:
    async def story() -> None:
        web = Web()
        added = await web.scene.add()
        text = added.token.removeprefix("rst") if "%72" in place else added.token
        answer = await web.ask("GET", "/v1/queue" + place.format(text), added.token)
        assert answer.status_code == 400
        assert answer.json()["detail"] == "request: has a token in its URL"
        assert added.token not in answer.text
        assert web.scene.causes == [("in-url", "ci", "alpha")]

    run(story())


def test_a_flood_is_told_to_wait() -> None:
    async def story() -> None:
        web = Web()
        statuses = [(await web.ask("GET", "/v1/queue", "x")).status_code for _ in range(21)]
        assert (statuses[:20], statuses[20]) == ([401] * 20, 429)

    run(story())


def test_a_revoked_token_is_refused_at_the_next_request() -> None:
    async def story() -> None:
        web = Web()
        added = await web.scene.add()
        assert (await web.ask("GET", "/v1/queue", added.token)).status_code == 200
        await tokens.revoke_token(web.admin.context, added.id, "leaked")
        assert (await web.ask("GET", "/v1/queue", added.token)).status_code == 401

    run(story())


def test_the_trail_names_the_token_that_acted() -> None:
    async def story() -> None:
        web = Web()
        new = NewToken(name="fix", account="alpha", scopes=(Scope.DOMAIN_WRITE,))
        await web.admin.host("alpha.example", "alpha")
        added = await tokens.add_token(web.admin.context, new)
        body = {"hold": "relay"}
        done = await web.ask("PATCH", "/v1/domains/alpha.example", added.token, json=body)
        assert done.status_code == 200
        [entry] = await web.admin.store.audit.audit(limit=1)
        assert (entry.actor, entry.acted_from) == ("token fix (alpha)", "192.0.2.7")

    run(story())


def test_requests_at_once_keep_their_principals() -> None:
    async def story() -> None:
        web = Web()
        first = await web.scene.add(scopes=("domain:read",))
        await web.admin.host("beta.example", "beta")
        other = NewToken(name="b", account="beta", scopes=(Scope.DOMAIN_READ,))
        second = await tokens.add_token(web.admin.context, other)
        pairs = [(first.token, "alpha.example"), (second.token, "beta.example")] * 10
        answers = await asyncio.gather(
            *(web.ask("GET", "/v1/domains", token) for token, _ in pairs)
        )
        for answer, (_, name) in zip(answers, pairs, strict=True):
            assert [one["name"] for one in answer.json()] == [name]

    run(story())
