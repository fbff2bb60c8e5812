"""The metrics on the control socket, beside the versions of the API."""

import asyncio

import httpx

from restante.web.api.api_application import build_api
from tests.admin.admin_world import AdminWorld


def ask_api(
    admin: AdminWorld, path: str = "/metrics", accept: str = "text/plain"
) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(
            build_api(admin.context, admin.context.principal), raise_app_exceptions=False
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            return await client.get(path, headers={"accept": accept})

    return asyncio.run(once())


def test_the_api_has_them_beside_its_versions() -> None:
    answer = ask_api(AdminWorld(), accept="application/openmetrics-text")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; asked=application/openmetrics-text"
    assert answer.content == b"restante_held_messages 7.0\n"
    assert answer.headers["content-length"] == "27"


def test_without_a_server_there_are_none() -> None:
    answer = ask_api(AdminWorld(server=None))
    assert (answer.status_code, answer.json()["kind"]) == (503, "unavailable")
