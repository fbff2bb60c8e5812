"""Requests see the records that other servers have changed.

Two requests in a row can be answered by two workers of one server, or by two servers. The second
must see what the first has done.
"""

import asyncio
from contextlib import suppress
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from restante.store.live_directory import LiveDirectory
from restante.store.store_errors import StoreError

_FRESH_SECONDS: Final = 1.0  # a request waits for the changes; it is answered anyway


async def see_changes(directory: LiveDirectory) -> None:
    """Take over the records that other servers have changed, before a request is answered."""
    with suppress(StoreError, TimeoutError):
        async with asyncio.timeout(_FRESH_SECONDS):
            await directory.refresh()


class FreshRecords:
    """Stands before an application, and does so for each request, except for files."""

    def __init__(self, app: ASGIApp, directory: LiveDirectory, files: str) -> None:
        """`files` begins the paths of the answers that no record changes."""
        self._app = app
        self._directory = directory
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http" and not scope["path"].startswith(self._files):
            await see_changes(self._directory)
        await self._app(scope, receive, send)
