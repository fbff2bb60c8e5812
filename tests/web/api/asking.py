"""Requests to the API, without a socket."""

import asyncio
from typing import Any

import httpx

from restante.tenancy.principal import Principal
from restante.web.api.api_application import build_api
from tests.admin.admin_world import AdminWorld


def ask(
    admin: AdminWorld, method: str, path: str, *, acting: Principal | None = None, **request: Any
) -> httpx.Response:
    """Return the answer to a request of an operator, or of the one who acts."""

    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(
            build_api(admin.context, acting or admin.context.principal), raise_app_exceptions=False
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            return await client.request(method, path, **request)

    return asyncio.run(once())


def story(admin: AdminWorld) -> int:
    """Host a domain of an account, and return its id."""
    return asyncio.run(admin.host("alpha.example", "alpha"))
