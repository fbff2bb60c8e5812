"""The API's shapes. The tests of `admin/` cover its decisions."""

import asyncio
import pkgutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from restante.web.api import api_application
from restante.web.api.api_application import PreparedApi, build_api
from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story


@pytest.fixture(autouse=True)
def unmade() -> Iterator[None]:
    """Let no earlier test have made the routes."""
    api_application._described.cache_clear()
    yield
    api_application._described.cache_clear()


def threads_in(monkeypatch: pytest.MonkeyPatch, place: str) -> list[threading.Thread]:
    """Keep in which thread each call of a function is made."""
    threads = []
    real = pkgutil.resolve_name(place)

    def noting(*arguments: Any, **others: Any) -> Any:
        threads.append(threading.current_thread())
        return real(*arguments, **others)

    monkeypatch.setattr(place.replace(":", "."), noting)
    return threads


def test_the_description_of_the_api_is_made_once_and_where_nobody_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    makers = threads_in(monkeypatch, "fastapi.applications:get_openapi")
    schema = ask(AdminWorld(), "GET", "/v1/openapi.json").json()
    assert len(makers) == 1
    assert threading.main_thread() not in makers
    assert ask(AdminWorld(), "GET", "/v1/openapi.json").json() == schema
    assert len(makers) == 1
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


def test_a_description_that_two_threads_ask_for_at_once_is_whole() -> None:
    api = build_api(AdminWorld().context)
    with ThreadPoolExecutor(4) as pool:
        described = [one.result() for one in [pool.submit(api.openapi) for _ in range(4)]]
    assert all("ProblemDetails" in one["components"]["schemas"] for one in described)
    assert all(one is described[0] for one in described)


def test_routes_are_made_once_and_where_nobody_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At the first request; those that come meanwhile wait for it. Two applications share them."""

    async def ask_three() -> list[int]:
        transport = httpx.ASGITransport(
            PreparedApi(build_api(AdminWorld().context, AdminWorld().context.principal))
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            answers = await asyncio.gather(*(client.get("/v1/accounts") for _ in range(3)))
            return [answer.status_code for answer in answers]

    api = build_api(AdminWorld().context)
    makers = threads_in(monkeypatch, "fastapi.routing:_populate_api_route_state")
    assert asyncio.run(ask_three()) == asyncio.run(ask_three()) == [200, 200, 200]
    assert len(makers) == len(list(iter_route_contexts(api.routes))) - 1  # its schema is not a part
    assert threading.main_thread() not in makers


def test_each_application_has_its_own_admin_context() -> None:
    admin, other = AdminWorld(), AdminWorld()
    story(admin)
    hosted, none = (ask(one, "GET", "/v1/domains").json() for one in (admin, other))
    assert ([one["name"] for one in hosted], none) == (["alpha.example"], [])


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
