"""Waiting changes over the API: 202 for one that waits, then listed, cancelled and applied."""

import asyncio
from typing import Any

import httpx
import pytest

from restante.tenancy.principal import Principal
from restante.web.api.api_application import build_api
from tests.admin.change_scene import NEW_HOST, ChangeScene

DOMAIN = "/v1/domains/alpha.example"


def asked(scene: ChangeScene, acting: Principal, method: str, path: str, **more: Any) -> Any:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(
            build_api(scene.operator, acting), raise_app_exceptions=False
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            return await client.request(method, path, **more)

    return asyncio.run(once())


@pytest.fixture(name="scene")
def _scene() -> ChangeScene:
    return asyncio.run(ChangeScene().open())


def test_a_change_that_waits_is_answered_with_202_and_its_time(scene: ChangeScene) -> None:
    account = scene.alpha.principal
    done = asked(scene, account, "PATCH", DOMAIN, json={"destination": NEW_HOST})
    assert done.status_code == 202
    waiting = done.json()["scheduled"]
    assert waiting["applies_at"] == "2025-10-09T09:53:20Z"
    assert waiting["changes"][0] == {
        "field": "destination.host",
        "before": "mail.alpha.example",
        "after": NEW_HOST,
    }
    assert done.json()["domain"]["destination"] == "mail.alpha.example:25"
    again = asked(scene, account, "PATCH", DOMAIN, json={"destination": NEW_HOST})
    assert (again.status_code, again.json()["scheduled"]) == (202, waiting)
    listed = asked(scene, account, "GET", "/v1/changes", params={"domain": "alpha.example"})
    assert listed.json() == [waiting]
    at_once = asked(scene, account, "PATCH", DOMAIN, json={"hold": "relay"})
    assert (at_once.status_code, at_once.json()["scheduled"]) == (200, None)


def test_the_tag_of_a_record_stays_while_its_change_waits(scene: ChangeScene) -> None:
    account = scene.alpha.principal
    before = asked(scene, account, "GET", DOMAIN).headers["ETag"]
    asked(scene, account, "PATCH", DOMAIN, json={"destination": NEW_HOST})
    assert asked(scene, account, "GET", DOMAIN).headers["ETag"] == before


def test_a_change_is_cancelled_once(scene: ChangeScene) -> None:
    account = scene.alpha.principal
    asked(scene, account, "PATCH", DOMAIN, json={"destination": NEW_HOST})
    done = asked(scene, account, "DELETE", "/v1/changes/1", params={"reason": "not ours"})
    assert (done.status_code, done.json()["id"]) == (200, 1)
    assert asked(scene, account, "DELETE", "/v1/changes/1").status_code == 404
    assert asked(scene, account, "GET", "/v1/changes").json() == []


def test_an_operator_applies_it_early_and_the_account_does_not(scene: ChangeScene) -> None:
    account, operator = scene.alpha.principal, scene.operator.principal
    asked(scene, account, "PATCH", DOMAIN, json={"destination": NEW_HOST})
    assert asked(scene, account, "POST", "/v1/changes/1/apply").status_code == 403
    assert asked(scene, operator, "POST", "/v1/changes/1/apply").status_code == 200
    assert scene.domain.destination.host == NEW_HOST


def test_changes_come_by_pages(scene: ChangeScene) -> None:
    account = scene.alpha.principal
    asked(scene, account, "PATCH", DOMAIN, json={"destination": NEW_HOST})
    asked(scene, account, "PATCH", DOMAIN, json={"add_allow": ["198.51.100.9"]})
    first = asked(scene, account, "GET", "/v1/changes", params={"limit": 1})
    assert [one["id"] for one in first.json()] == [1]
    assert 'rel="next"' in first.headers["Link"]
    second = asked(scene, account, "GET", "/v1/changes", params={"limit": 1, "after": "1"})
    assert [one["id"] for one in second.json()] == [2]
    assert "Link" not in second.headers


@pytest.mark.parametrize("after", ["x", "²", "9" * 30, "-1"])
def test_a_place_that_is_none_is_refused(scene: ChangeScene, after: str) -> None:
    listed = asked(scene, scene.operator.principal, "GET", "/v1/changes", params={"after": after})
    assert listed.status_code == 422
    assert f"after: {after!r} is not in this list" in listed.json()["detail"]


@pytest.mark.parametrize("number", ["0", "x", str(2**63)])
def test_a_number_that_is_none_is_refused(scene: ChangeScene, number: str) -> None:
    answer = asked(scene, scene.operator.principal, "DELETE", f"/v1/changes/{number}")
    assert answer.status_code == 422
