"""Pages escape what strangers chose."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request

from restante.background.loop_slices import TURN_SECONDS
from restante.web.portal.page_renderer import PageRenderer, RenderedPage
from restante.web.portal.portal_look import PortalLook

EVIL = "<img src=x onerror=alert(1)>"


def test_texts_are_never_markup_and_always_encodable() -> None:
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    scope |= {"server": ("r.example", 443), "scheme": "https"}
    renderer = PageRenderer(lambda: 0.0, "mx.example", PortalLook(name=EVIL))
    facts: dict[str, Any] = {"title": EVIL, "error": f"{EVIL}\ud800", "remedy": ""}
    page = renderer.page(Request(scope), "error.html", **facts)
    assert isinstance(page, RenderedPage)
    body = asyncio.run(page.rendered())
    assert b"<img" not in body
    assert b"&lt;img src=x onerror=alert(1)&gt;?" in body


def test_a_long_page_leaves_turns_to_others() -> None:
    turns = 0

    def pieces() -> Iterator[str]:
        for _ in range(5):
            until = time.perf_counter() + TURN_SECONDS
            while time.perf_counter() <= until:
                pass
            yield f"{turns} "

    async def story() -> bytes:
        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        running = asyncio.create_task(others())
        try:
            return await RenderedPage(pieces(), 200).rendered()
        finally:
            running.cancel()

    assert asyncio.run(story()) == b"0 1 2 3 4 "


def test_commands_name_the_address_of_the_portal_where_it_is_known() -> None:
    look = PortalLook()
    assert PageRenderer(lambda: 0.0, "mx.example", look).base_url == "https://mx.example"
    there = PageRenderer(lambda: 0.0, "mx.example", look, lambda: "https://portal.example")
    assert there.base_url == "https://portal.example"
