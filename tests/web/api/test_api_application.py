"""The API's shapes. The tests of `admin/` cover its decisions."""

import asyncio
import threading
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from restante.web.api.api_application import PreparedApi, build_api
from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story


def test_the_description_of_the_api_is_made_where_nobody_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    makers = []
    real = FastAPI.openapi

    def noting(self: FastAPI) -> dict[str, Any]:
        makers.append(threading.current_thread())
        return real(self)

    monkeypatch.setattr(FastAPI, "openapi", noting)
    schema = ask(AdminWorld(), "GET", "/v1/openapi.json").json()
    assert threading.main_thread() not in makers
    assert {"/v1/status", "/v1/queue/{name}/content", "/metrics"} <= schema["paths"].keys()
    audit = [parameter["name"] for parameter in schema["paths"]["/v1/audit"]["get"]["parameters"]]
    assert sorted(audit) == [
        "account",
        "action",
        "actor",
        "after",
        "domain",
        "limit",
        "since",
        "until",
    ]


def test_routes_are_made_once_and_where_nobody_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At the first request; those that come meanwhile wait for it."""
    makers = []
    real = FastAPI.openapi

    def noting(self: FastAPI) -> dict[str, Any]:
        makers.append(threading.current_thread())
        return real(self)

    async def ask_three() -> list[int]:
        transport = httpx.ASGITransport(
            PreparedApi(build_api(AdminWorld().context, AdminWorld().context.principal))
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            answers = await asyncio.gather(*(client.get("/v1/accounts") for _ in range(3)))
            return [answer.status_code for answer in answers]

    monkeypatch.setattr(FastAPI, "openapi", noting)
    assert asyncio.run(ask_three()) == [200, 200, 200]
    assert len(makers) == 1
    assert threading.main_thread() not in makers


def test_no_request_is_read_or_answered_in_a_thread_of_the_framework(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To start one, the event loop waits for it."""

    def refuse(*_: object) -> None:
        raise AssertionError("a thread was asked for")

    monkeypatch.setattr("fastapi.dependencies.utils.run_in_threadpool", refuse)
    monkeypatch.setattr("fastapi.routing.run_in_threadpool", refuse)
    monkeypatch.setattr("starlette.routing.run_in_threadpool", refuse)
    admin = AdminWorld()
    story(admin)
    schema = ask(admin, "GET", "/v1/openapi.json").json()
    paths = [path for path, methods in schema["paths"].items() if "get" in methods]
    paths.remove("/v1/events")  # it has no end
    names = {"name": "alpha.example", "account": "alpha", "domain": "alpha.example", "number": 1}
    names |= {"release": "1", "user": "alpha-mail", "email": "ana@alpha.example", "token_id": "1"}
    for path in paths:
        assert ask(admin, "GET", path.format(**names)).status_code in (200, 404, 422), path
    assert len(paths) > 10
