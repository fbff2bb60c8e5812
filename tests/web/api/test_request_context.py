"""The principal of a request."""

import asyncio
import json
from dataclasses import replace

import httpx
import pytest

from restante.store.live_directory import LiveDirectory
from restante.tenancy.grants import GrantedRole
from restante.tenancy.principal import Principal, Role
from restante.web.api.api_application import build_api, published_schema
from tests.actors import actor_named
from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/queue", "/v1/status", "/metrics"])
def test_a_client_that_the_socket_does_not_name_is_forbidden_everything(path: str) -> None:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(build_api(AdminWorld().context))
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            return await client.get(path)

    answer = asyncio.run(once())
    assert (answer.status_code, answer.json()["kind"]) == (403, "not-allowed")
    assert answer.json()["detail"].endswith(": anonymous is not allowed to")


ALPHA_ADMIN = Principal(
    Role.ACCOUNT,
    actor_named("token admin (alpha)"),
    "192.0.2.1",
    account="alpha",
    grants=(frozenset({GrantedRole.ACCOUNT_ADMIN}),),
)


def queries() -> list[tuple[str, str, str]]:
    """Return method, path and name of each query parameter that the schema declares."""
    return [
        (method, path, parameter["name"])
        for path, operations in json.loads(published_schema())["paths"].items()
        for method, operation in operations.items()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    ]


def test_each_query_parameter_of_the_schema_is_one_that_the_route_takes() -> None:
    admin = AdminWorld()
    story(admin)
    for method, path, name in queries():
        bare = path.replace("{", "").replace("}", "")
        if path != "/v1/events":  # its answer does not end
            answer = ask(admin, method, bare, params={name: "1"})
            assert "no such field" not in answer.text, (method, path, name)


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("/v1/tokens", {"name": "ci", "scopes": ["queue:read"]}),
        ("/v1/users", {"email": "eve@alpha.example", "role": "account-reader"}),
        ("/v1/notices/channels", {"name": "ops", "mail": "ops@elsewhere.example"}),
    ],
    ids=["token", "user", "channel"],
)
def test_a_new_thing_without_an_account_is_its_maker_s_own(path: str, new: object) -> None:
    admin = AdminWorld()
    story(admin)
    added = ask(admin, "POST", path, json=new, acting=ALPHA_ADMIN)
    assert (added.status_code, added.json()["account"]) == (201, "alpha")


def test_a_channel_without_an_account_is_the_principal_s_own() -> None:
    admin = AdminWorld()
    story(admin)
    for account in ("", "alpha"):
        new = {"name": "ops", "account": account, "mail": "ops@elsewhere.example"}
        ask(admin, "POST", "/v1/notices/channels", json=new)
    shown = [
        ask(admin, "GET", "/v1/notices/channels/ops", acting=acting).json()["account"]
        for acting in (None, ALPHA_ADMIN)
    ]
    assert shown == ["", "alpha"]


def test_a_request_sees_the_records_that_another_server_has_changed() -> None:
    """Two commands in a row can be answered by two workers."""
    admin = AdminWorld()
    story(admin)
    other = replace(admin.context, directory=LiveDirectory(admin.store.records))
    asyncio.run(other.directory.refresh())
    ask(admin, "POST", "/v1/accounts", json={"name": "newest"})

    async def show() -> int:
        transport = httpx.ASGITransport(build_api(other, other.principal))
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            return (await client.get("/v1/accounts/newest")).status_code

    assert asyncio.run(show()) == 200
