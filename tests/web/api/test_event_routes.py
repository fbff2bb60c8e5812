"""Events as a stream of blocks."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from restante.admin.event_feed import EventFeed, FeedEvent, FeedKind, PlacedEvent
from restante.tenancy.notice import NoticeFacts
from restante.web.api.api_application import build_api
from restante.web.api.event_routes import EventStream, event_block
from restante.web.serving import CUT_EXTENSION
from tests.admin.admin_world import NOW, AdminWorld
from tests.web.api.asking import ask


def admin_with_feed() -> tuple[AdminWorld, EventFeed]:
    admin = AdminWorld()
    feed = EventFeed(admin.context.directory, lambda: NOW)
    admin.context = replace(admin.context, parts=replace(admin.context.parts, feed=feed))
    return admin, feed


def test_text_of_strangers_stays_on_its_line() -> None:
    data = {"text": "a\n\nevent: forged\u2028\r"}
    block = event_block(PlacedEvent("r-1", FeedEvent(FeedKind.NOTICE, "", "", data)))
    assert block.count(b"\n") == 4
    assert block.startswith(b"id: r-1\nevent: notice\ndata: {")


def test_an_event_that_is_not_kept_has_no_id() -> None:
    block = event_block(PlacedEvent("", FeedEvent(FeedKind.HELD, "a", "a.example", {"held": 1})))
    assert block == b'event: held\ndata: {"held": 1}\n\n'


def test_events_are_sent_as_they_happen_until_the_server_stops() -> None:
    admin, feed = admin_with_feed()
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 2:  # the header, and the first comment
            feed.hear_notice(NoticeFacts("room-short", "", "disk", "Room is short.", NOW))
        if len(sent) == 3:
            feed.close()

    async def receive() -> Any:
        await asyncio.Event().wait()

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/v1/events",
        "raw_path": b"/v1/events",
        "query_string": b"",
        "headers": [],
        "client": None,
        "server": ("restante", 80),
        "scheme": "http",
        "root_path": "",
        "http_version": "1.1",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
    }
    asyncio.run(build_api(admin.context, admin.context.principal)(scope, receive, send))
    assert dict(sent[0]["headers"])[b"content-type"].startswith(b"text/event-stream")
    assert sent[1]["body"] == b": alive\n\n"
    assert b"event: notice\n" in sent[2]["body"]


def test_a_client_that_does_not_read_is_cut() -> None:
    cut: list[bool] = []

    async def blocks() -> AsyncIterator[bytes]:
        while True:
            yield b": alive\n\n"

    async def stuck(_message: Any) -> None:
        await asyncio.Event().wait()

    class Impatient(EventStream):
        slow_seconds = 0.0

    scope = {
        "type": "http",
        "asgi": {"spec_version": "2.4"},
        "extensions": {CUT_EXTENSION: lambda: cut.append(True)},
    }
    asyncio.run(Impatient(blocks())(scope, stuck, stuck))  # type: ignore[arg-type]
    assert cut == [True]


def test_without_a_server_the_answer_is_an_error() -> None:
    answer = ask(AdminWorld(), "GET", "/v1/events")
    assert (answer.status_code, answer.json()["kind"]) == (503, "unavailable")
