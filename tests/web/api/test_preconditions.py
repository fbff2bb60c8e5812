"""A record is changed only as the client knows it, if the client says so."""

import asyncio
from typing import Any

import httpx
import pytest

from restante.web.api.api_application import build_api
from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story

CHANGES: dict[str, dict[str, Any]] = {
    "/v1/accounts/alpha": {"note": "paid"},
    "/v1/domains/alpha.example": {"connections": 7},
    "/v1/accounts/alpha/logins/alpha-mail": {"cram_md5": False},
    "/v1/notices/channels/ops?account=alpha": {"kinds": ["primary-away"]},
}


def change(admin: AdminWorld, path: str, **headers: str) -> httpx.Response:
    """Send the change of a path. That of a channel needs a reason."""
    address = f"{path}&reason=test" if "channels" in path else path
    return ask(admin, "PATCH", address, json=CHANGES[path], headers=headers)


@pytest.fixture
def admin() -> AdminWorld:
    admin = AdminWorld()
    story(admin)
    login = {"user": "alpha-mail", "password": "a long secret"}
    assert ask(admin, "POST", "/v1/accounts/alpha/logins", json=login).status_code == 201
    channel = {"name": "ops", "account": "alpha", "mail": "ops@elsewhere.example"}
    assert ask(admin, "POST", "/v1/notices/channels", json=channel).status_code == 201
    idn = {"name": "bücher.example", "account": "alpha", "destination": "192.0.2.1"}
    assert ask(admin, "POST", "/v1/domains", json=idn).status_code == 201
    return admin


@pytest.mark.parametrize("path", CHANGES)
def test_a_stale_tag_changes_and_removes_nothing(admin: AdminWorld, path: str) -> None:
    tag = ask(admin, "GET", path).headers["etag"]
    first = change(admin, path, **{"If-Match": tag})
    assert first.status_code == 200
    assert first.json()["changes"]
    stale = change(admin, path, **{"If-Match": tag})
    assert (stale.status_code, stale.json()["kind"]) == (412, "stale")
    query = path + ("&" if "?" in path else "?") + "reason=test"
    removal = ask(admin, "DELETE", query, headers={"If-Match": tag})
    assert removal.status_code == 412
    now = first.headers["etag"]
    assert change(admin, path, **{"If-Match": now}).status_code == 200
    assert change(admin, path).status_code == 200


@pytest.mark.parametrize("path", CHANGES)
def test_content_that_the_client_has_is_not_sent_again(admin: AdminWorld, path: str) -> None:
    first = ask(admin, "GET", path)
    same = ask(admin, "GET", path, headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == first.headers["etag"]
    change(admin, path)
    other = ask(admin, "GET", path, headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200
    assert other.headers["etag"] != first.headers["etag"]


def test_new_mail_is_shown_but_makes_no_tag_stale(admin: AdminWorld) -> None:
    path = "/v1/domains/alpha.example"
    tag = ask(admin, "GET", path).headers["etag"]
    domain_id = admin.context.directory.now.domains["alpha.example"].id
    asyncio.run(admin.hold(1, domain_id, "u@alpha.example"))
    assert ask(admin, "GET", path, headers={"If-None-Match": tag}).status_code == 200
    changed = ask(admin, "PATCH", path, json={"connections": 3}, headers={"If-Match": tag})
    assert changed.status_code == 200


@pytest.mark.parametrize("other", ["bücher.example", "XN--BCHER-KVA.example"])
def test_of_two_changes_at_once_with_one_tag_one_succeeds(admin: AdminWorld, other: str) -> None:
    """Also if they come by two ways, such as the control socket, and spell the name otherwise."""
    path = "/v1/domains/xn--bcher-kva.example"
    tag = ask(admin, "GET", path).headers["etag"]

    async def connect(path: str, number: int) -> int:
        transport = httpx.ASGITransport(build_api(admin.context, admin.context.principal))
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            answer = await client.patch(
                path, json={"connections": number}, headers={"If-Match": tag}
            )
        return answer.status_code

    async def both() -> list[int]:
        return sorted(await asyncio.gather(connect(path, 3), connect(f"/v1/domains/{other}", 4)))

    assert asyncio.run(both()) == [200, 412]
