"""Requests to the API, without a socket."""

import asyncio
from typing import Any

import httpx

from restante.tenancy.principal import Principal
from restante.web.api.api_application import build_api
from tests.admin.desk import Desk


def ask(
    desk: Desk, method: str, path: str, *, acting: Principal | None = None, **request: Any
) -> httpx.Response:
    """Return the answer to a request of an operator, or of the one who acts."""

    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(
            build_api(desk.context, acting or desk.context.principal), raise_app_exceptions=False
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            return await client.request(method, path, **request)

    return asyncio.run(once())


def story(desk: Desk) -> int:
    """Host a domain of an account, and return its id."""
    return asyncio.run(desk.host("alpha.example", "alpha"))
