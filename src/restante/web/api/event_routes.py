"""The route of events as they happen: server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Final

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from restante.admin import event_following
from restante.admin.event_feed import PlacedEvent
from restante.web.api.request_context import ReadingContext
from restante.web.serving import CUT_EXTENSION

router = APIRouter(tags=["operations"])

MEDIA_TYPE: Final = "text/event-stream"
SLOW_SECONDS: Final = 30.0  # a client that takes nothing for so long is cut
_HEARTBEAT: Final = b": alive\n\n"


class EventStream(StreamingResponse):
    """A stream that drops a client which does not read."""

    media_type = MEDIA_TYPE
    slow_seconds = SLOW_SECONDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. A client that is cut is no error."""

        async def send_in_time(message: Message) -> None:
            try:
                async with asyncio.timeout(self.slow_seconds):
                    await send(message)
            except TimeoutError:
                if (cut := scope.get("extensions", {}).get(CUT_EXTENSION)) is not None:
                    cut()
                raise

        with contextlib.suppress(TimeoutError, ClientDisconnect):
            await super().__call__(scope, receive, send_in_time)


@router.get(
    "/events",
    response_class=EventStream,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}},
)
async def follow_events(
    context: ReadingContext,
    last_event_id: Annotated[
        str, Header(max_length=64, description="The id of the last event that you have.")
    ] = "",
) -> EventStream:
    """Follow events as they happen: causes of notices, changes of records, and of held mail.

    A comment every 15 seconds shows that the connection is alive. The stream ends after 15 minutes;
    connect again with `Last-Event-ID`. After an event `missed`, read again what you show.
    """
    found = event_following.follow_events(context, last_event_id)
    await anext(found)  # there is room for one more
    return EventStream(_blocks(found), headers={"Cache-Control": "no-store"})


async def _blocks(found: AsyncIterator[PlacedEvent | None]) -> AsyncIterator[bytes]:
    yield _HEARTBEAT  # so that the client has the header at once
    async with aclosing(found):  # type: ignore[type-var]  # it is a generator
        async for placed in found:
            yield _HEARTBEAT if placed is None else event_block(placed)


def event_block(placed: PlacedEvent) -> bytes:
    """Return an event as a block of the stream. JSON on one line has no line ends in it."""
    data = json.dumps(placed.event.data)
    id_line = f"id: {placed.id}\n" if placed.id else ""  # the client keeps the id of the last one
    return f"{id_line}event: {placed.event.kind}\ndata: {data}\n\n".encode()
