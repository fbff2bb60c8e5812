"""A notice is shown once, on the page after the form that it is about."""

from base64 import urlsafe_b64encode
from http.cookies import SimpleCookie

import pytest
from starlette.requests import Request

from restante.web.portal.one_time_notice import NOTICE_COOKIE, drop_notice, notice_of, told_at


def request(path: str, cookie: str) -> Request:
    headers = [(b"cookie", f"{NOTICE_COOKIE}={cookie}".encode())]
    return Request({"type": "http", "path": path, "query_string": b"", "headers": headers})


def test_the_page_after_a_form_has_its_notice_and_no_other_page_has_it() -> None:
    answer = told_at("/queue?domain=alpha.example", "3 messages were deleted. ✓")
    assert (answer.status_code, answer.headers["location"]) == (303, "/queue?domain=alpha.example")
    cookie = SimpleCookie(answer.headers["set-cookie"])[NOTICE_COOKIE]
    assert (cookie["path"], cookie["samesite"], cookie["max-age"]) == ("/", "lax", "60")
    assert cookie["secure"]
    assert cookie["httponly"]
    assert notice_of(request("/queue", cookie.value)) == "3 messages were deleted. ✓"
    assert notice_of(request("/", cookie.value)) == ""
    drop_notice(answer)
    assert "Max-Age=0" in answer.headers.getlist("set-cookie")[-1]


@pytest.mark.parametrize(
    "cookie", ["", "x", "\xff", "=", urlsafe_b64encode(b"/queue").decode(), "L3F1ZXVlCv8="]
)
def test_an_odd_cookie_is_no_notice(cookie: str) -> None:
    assert notice_of(request("/queue", cookie)) == ""
