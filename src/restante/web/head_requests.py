"""HEAD: the answer of GET, without its body (RFC 9110, section 9.3.2).

A GET changes nothing, so it is ended once its header was sent. Otherwise one that never ends would
go on without a reader, such as that of events.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


async def answer_head(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a HEAD by an application that knows GET."""
    try:
        async with asyncio.timeout(None) as limit:

            async def send_header(message: Message) -> None:
                if message["type"] == "http.response.start":
                    await send(message)
                    await send({"type": "http.response.body"})
                    limit.reschedule(asyncio.get_running_loop().time())

            await app({**scope, "method": "GET"}, receive, send_header)
    except TimeoutError:
        if not limit.expired():
            raise


class HeadRequests:
    """An application in front of another, which answers HEAD for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            await answer_head(self._app, scope, receive, send)
        else:
            await self._app(scope, receive, send)
