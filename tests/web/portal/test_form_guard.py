"""No strange page acts for a person: every route that changes something is guarded."""

import asyncio
import re

import httpx
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from restante.web.portal.form_guard import (
    SAFE,
    AskedRoute,
    FormGuard,
    QuestionRoute,
    StrangerRoute,
    guarded,
    is_from_own_page,
    token_of,
)
from restante.web.portal.portal_application import build_portal
from restante.web.portal.portal_visit import FormRoute
from tests.admin.portal_people import People
from tests.web.portal.browsers import Browser, portal_of
from tests.web.portal.visitors import ALPHA, CSRF, GivenSession, hosting

OWN = {"Sec-Fetch-Site": "same-origin"}
TOKEN = {"X-CSRF-Token": CSRF}


def routes() -> list[tuple[str, str]]:
    """Return every route of the portal that is not only read, with each method."""
    portal = build_portal(hosting().context, GivenSession(None))
    return [
        (method, one.path)
        for one in portal.routes
        if isinstance(one, Route)
        for method in sorted(one.methods or ())
        if method not in SAFE
    ]


def ask(
    method: str, path: str, headers: dict[str, str], body: str = "", *, is_signed_in: bool = True
) -> httpx.Response:
    context = hosting().context

    async def once() -> httpx.Response:
        sessions = GivenSession(ALPHA if is_signed_in else None)

        async def changed(request: Request) -> Response:
            return PlainTextResponse(await request.body())

        more = [
            Route("/change", changed, methods=["POST", "DELETE"]),
            StrangerRoute("/stranger", changed, methods=["POST"]),
        ]
        portal = build_portal(context, sessions, more_routes=more)
        transport = httpx.ASGITransport(portal)
        async with httpx.AsyncClient(transport=transport, base_url="https://r.example") as client:
            if body:
                headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
            return await client.request(method, path, headers=headers, content=body)

    return asyncio.run(once())


def test_there_are_routes_to_guard() -> None:
    assert ("POST", "/queue/carry-out") in routes()
    assert ("POST", "/domains/{name}/release") in routes()


@pytest.mark.parametrize(("method", "path"), routes(), ids=lambda text: text)
def test_every_route_refuses_strange_pages_and_wrong_tokens(method: str, path: str) -> None:
    path = re.sub(r"\{.*?\}", "1", path)
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert ask(method, path, {**headers, **TOKEN}).status_code == 403, headers
    portal = build_portal(hosting().context, GivenSession(None))
    [route] = [one for one in portal.routes if one.matches(_scope(method, path))[0].value == 2]
    if isinstance(route, QuestionRoute):  # it changes nothing
        assert ask(method, path, OWN, is_signed_in=False).status_code == 401
    elif not isinstance(route, StrangerRoute):
        for token in ({}, {"X-CSRF-Token": "x"}, {"X-CSRF-Token": ""}):
            assert ask(method, path, {**OWN, **token}).status_code == 403, token
        assert ask(method, path, OWN, is_signed_in=False).status_code == 401


def _scope(method: str, path: str) -> dict[str, object]:
    return {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}


def test_few_routes_need_no_token() -> None:
    portal = build_portal(hosting().context, GivenSession(None))
    found = {one.path for one in portal.routes if isinstance(one, QuestionRoute)}
    assert found == {"/queue/confirm", "/queue/refresh", "/messages/{name}/ask", "/repeat"}


def form_routes() -> list[str]:
    """Return the path of every form that acts, those of the own access too."""
    portal = portal_of(People())
    assert isinstance(portal, Starlette)
    return [one.path for one in portal.routes if isinstance(one, FormRoute | AskedRoute)]


@pytest.mark.parametrize("path", form_routes())
def test_no_form_of_an_old_page_is_carried_out_or_lost(path: str) -> None:
    path, form = re.sub(r"\{.*?\}", "1", path), "csrf=old&reason=typed+by+hand"

    async def story() -> None:
        people = People()
        browser = Browser(people)
        await people.set_up()
        await browser.sign_in(code=people.code())
        sent = await browser.send(path, None, csrf="old", reason="typed by hand")
        assert sent.status_code == 307
        assert sent.headers["location"] != path
        if sent.headers["location"].startswith("/repeat"):
            page = await browser.send(sent.headers["location"], None, csrf="old", reason="typed")
            assert (page.status_code, "typed" in page.text) == (200, True)

    asyncio.run(story())
    if path.startswith(("/domains/", "/queue/")):
        over = ask("POST", path, dict(OWN), form, is_signed_in=False)
        assert (over.status_code, over.headers["location"][:14]) == (307, "/sign-in/keep?")


def test_a_refused_form_did_nothing() -> None:
    answer = ask("POST", "/change", {"Sec-Fetch-Site": "same-site", **TOKEN}, "a=1")
    assert answer.status_code == 403
    assert "nothing was done" in answer.text


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_an_own_form_reaches_its_route_whole(method: str) -> None:
    body = f"a=1&csrf={CSRF}&b=2"
    assert ask(method, "/change", OWN, body).text == body
    assert ask(method, "/change", {**OWN, **TOKEN}, "a=1").text == "a=1"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("csrf=wrong", None),
        ("csrf=", None),
        ("csrf=%ff", None),
        (f"csrf=x&csrf={CSRF}", None),
        (f"csrf={CSRF}", "text/plain"),
        (f"csrf={CSRF}", "multipart/form-data; boundary=x"),
    ],
    ids=range(6),
)
def test_a_body_without_the_token_in_its_place_is_refused(body: str, kind: str | None) -> None:
    headers = dict(OWN) | ({"Content-Type": kind} if kind else {})
    assert ask("POST", "/change", headers, body).status_code == 403


def test_too_many_fields_are_refused() -> None:
    assert ask("POST", "/change", OWN, "a=1&" * 2000).status_code == 400


def test_a_stranger_needs_no_token_but_an_own_page() -> None:
    assert ask("POST", "/stranger", OWN, "a=1", is_signed_in=False).text == "a=1"
    assert ask("POST", "/stranger", OWN, "a=1").text == "a=1"
    assert ask("POST", "/stranger", {"Origin": "null"}, "a=1").status_code == 403


@pytest.mark.parametrize(
    ("headers", "scheme", "is_own"),
    [
        ([("sec-fetch-site", "same-origin")], "http", True),
        ([("sec-fetch-site", "same-site")], "http", False),
        ([("sec-fetch-site", "none")], "http", False),
        ([("sec-fetch-site", "cross-site"), ("origin", "https://r.example")], "https", False),
        ([("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], "http", False),
        ([("origin", "https://r.example")], "https", True),
        ([("origin", "https://R.example")], "http", True),  # a proxy speaks TLS
        ([("origin", "http://r.example")], "http", True),
        ([("origin", "http://r.example")], "https", False),
        ([("origin", "https://r.example:8443")], "https", False),
        ([("origin", "https://r.example.evil.example")], "https", False),
        ([("origin", "https://evil@r.example")], "https", False),
        ([("origin", "null")], "https", False),
        ([("origin", "https://[")], "https", False),
        ([("origin", "")], "https", False),
        ([("origin", "https://r.example"), ("origin", "https://e.example")], "https", False),
        ([("referer", "https://r.example/")], "https", False),
        ([], "https", False),
    ],
    ids=range(18),
)
def test_the_browser_says_where_a_request_comes_from(
    headers: list[tuple[str, str]], scheme: str, is_own: bool
) -> None:
    given = [(b"host", b"r.example"), *((a.encode(), b.encode()) for a, b in headers)]
    assert is_from_own_page(Headers(raw=given), scheme) is is_own


def test_without_a_host_no_origin_is_the_same() -> None:
    assert not is_from_own_page(Headers(raw=[(b"origin", b"https:")]), "https")


def test_a_token_in_the_header_counts_alone() -> None:
    form = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert token_of(Headers(form), b"csrf=a") == "a"
    assert token_of(Headers(form | {"x-csrf-token": "b"}), b"csrf=a") == "b"
    assert token_of(Headers({}), b"csrf=a") == ""


def test_a_part_that_cannot_be_guarded_is_no_part_of_the_portal() -> None:
    with pytest.raises(AssertionError):
        guarded([Mount("/x", routes=[])], GivenSession(None))


def test_a_guard_is_not_doubled_where_a_portal_is_built_again() -> None:
    route = Route("/x", lambda _request: PlainTextResponse("x"))
    [once] = guarded([route], GivenSession(None))
    assert not isinstance(route.app, FormGuard)
    assert isinstance(once, Route)
    assert isinstance(once.app, FormGuard)
