"""Pages escape what strangers chose."""

from typing import Any

from starlette.requests import Request

from restante.web.portal.page_renderer import PageRenderer
from restante.web.portal.portal_look import PortalLook

EVIL = "<img src=x onerror=alert(1)>"


def test_texts_are_never_markup_and_always_encodable() -> None:
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    scope |= {"server": ("r.example", 443), "scheme": "https"}
    renderer = PageRenderer(lambda: 0.0, "mx.example", PortalLook(name=EVIL))
    facts: dict[str, Any] = {"title": EVIL, "error": f"{EVIL}\ud800", "remedy": ""}
    answer = renderer.page(Request(scope), "error.html", **facts)
    assert b"<img" not in answer.body
    assert b"&lt;img src=x onerror=alert(1)&gt;?" in answer.body
