"""The portal as a whole: its headers, its errors, and nothing for foreigners."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from restante.store.live_directory import LiveDirectory
from restante.telemetry.events import InternalError
from restante.web.portal import portal_application
from restante.web.portal.portal_application import POLICY, PreparedPortal, build_portal
from tests.web.portal.visitors import (
    ALPHA,
    BETA,
    OPERATOR,
    GivenSession,
    hosting,
    visit,
)

PORTAL = Path(portal_application.__file__).parent
TEMPLATES = sorted(PORTAL.glob("templates/*.html"))


@pytest.mark.parametrize("path", ["/", "/nothing", "/static/portal.css", "/static/nothing"])
def test_every_answer_has_the_headers_that_keep_strange_scripts_out(path: str) -> None:
    answer = visit(hosting(), path)
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_a_stranger_sees_no_page_and_no_navigation() -> None:
    answer = visit(hosting(), "/", None)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert answer.text == ""
    part = visit(hosting(), "/nothing", None)
    assert part.status_code == 404
    assert "<nav" not in part.text


def test_unknown_and_foreign_domains_get_the_same_answer() -> None:
    admin = hosting()
    foreign, unknown = (visit(admin, f"/domains/{name}", BETA) for name in ("alpha.example", "x.y"))
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.text == unknown.text


def _paths() -> list[tuple[str, str]]:
    portal = build_portal(hosting().context, GivenSession(None))
    routes = [one for one in portal.routes if isinstance(one, Route)]
    return [
        (one.path, method)
        for one in routes
        for method in sorted(one.methods or ())
        if "{" in one.path and method in ("GET", "POST") and not one.path.startswith("/static")
    ]


@pytest.mark.parametrize(("path", "method"), _paths())
def test_a_foreign_account_gets_404_on_every_route_with_a_name(path: str, method: str) -> None:
    """Of alpha's domain, message, release and channel, nothing exists for beta."""
    admin = hosting()
    asyncio.run(admin.hold(1, 1, "a@alpha.example"))
    filled = re.sub(r"\{name\}", "alpha.example" if "/domains/" in path else "1", path)
    filled = re.sub(r"\{.*?\}", "alpha", filled)
    form = {"reason": "mine", "names": "1", "account": "alpha"} if method == "POST" else None
    answer = visit(admin, filled, BETA, form=form)
    assert answer.status_code == 404, filled
    assert "alpha" not in re.sub(r'href="[^"]*"', "", answer.text)
    assert admin.server is not None
    assert admin.server.released == []


def test_a_defect_is_logged_and_shown_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    admin = hosting()
    monkeypatch.setattr("restante.web.portal.overview_page.sentence", fail)
    answer = visit(admin, "/", ALPHA)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert [kind for kind, _ in admin.log.lines if kind is InternalError]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_escape_everything_and_have_no_inline_code(template: Path) -> None:
    text = template.read_text()
    for forbidden in ("|safe", "| safe", "autoescape", "Markup", "<style", "style=", "javascript:"):
        assert forbidden not in text
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"\son[a-z]+=", text)
    assert not re.search(r"hx-on|hx-vals|hx-headers='js", text)
    for attribute in re.findall(r'hx-[a-z:-]+="([^"]*)"', text):
        assert "{{" not in attribute or "segment" in attribute


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_each_form_that_changes_something_has_the_token_of_the_session(template: Path) -> None:
    if template.name in ("sign_in.html", "invitation.html", "portal_link.html"):  # no session yet
        return
    for form in re.findall(r'<form[^>]*method="post".*?</form>', template.read_text(), re.DOTALL):
        is_kept = 'action="{{ keep }}"' in form  # it opens a page, and changes nothing
        assert is_kept or 'name="csrf"' in form or "csrf(session)" in form
        assert 'formmethod="get"' not in form  # it would put the token into a URL


def test_static_files_are_there_for_strangers() -> None:
    for name in ("portal.css", "portal.js", "htmx.js", "look.css"):
        assert visit(hosting(), f"/static/{name}", None).status_code == 200
    assert visit(hosting(), "/static/..%2fportal.css", None).status_code == 404


def test_more_routes_are_part_of_the_portal() -> None:
    async def story() -> httpx.Response:
        route = Route("/more", lambda _request: PlainTextResponse("more"))
        portal = PreparedPortal(
            lambda: build_portal(hosting().context, GivenSession(None), more_routes=[route])
        )
        transport = httpx.ASGITransport(portal)
        async with httpx.AsyncClient(transport=transport, base_url="https://r.example") as client:
            await client.get("/more")
            return await client.get("/more")

    account_answer = asyncio.run(story())
    assert account_answer.text == "more"
    assert account_answer.headers["content-security-policy"] == POLICY


def test_an_operator_sees_every_domain() -> None:
    assert visit(hosting(), "/domains/alpha.example", OPERATOR).status_code == 200


def test_the_policy_lets_a_page_load_and_send_to_its_own_site_alone() -> None:
    assert dict(part.strip().split(" ", 1) for part in POLICY.split(";")) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }


def test_an_odd_request_is_answered_in_words_for_people() -> None:
    answer = visit(hosting(), "/queue/carry-out", ALPHA)
    assert answer.status_code == 405
    assert "Method Not Allowed" not in answer.text
    assert "a form leads to it" in answer.text


def test_a_page_shows_the_records_that_another_server_has_changed() -> None:
    admin = hosting()
    other = replace(admin.context, directory=LiveDirectory(admin.store.records))
    asyncio.run(other.directory.refresh())
    asyncio.run(admin.host("newest.example", "alpha"))

    async def show() -> int:
        transport = httpx.ASGITransport(build_portal(other, GivenSession(ALPHA)))
        async with httpx.AsyncClient(transport=transport, base_url="https://r.example") as client:
            return (await client.get("/domains/newest.example")).status_code

    assert asyncio.run(show()) == 200
