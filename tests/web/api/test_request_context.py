"""The principal of a request."""

import asyncio

import httpx
import pytest

from restante.web.api.api_application import build_api
from tests.admin.desk import Desk


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/queue", "/v1/status", "/metrics"])
def test_a_client_that_the_socket_does_not_name_is_forbidden_everything(path: str) -> None:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(build_api(Desk().context))
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            return await client.get(path)

    answer = asyncio.run(once())
    assert (answer.status_code, answer.json()["kind"]) == (403, "not-allowed")
    assert answer.json()["detail"].endswith(": anonymous is not allowed to")
