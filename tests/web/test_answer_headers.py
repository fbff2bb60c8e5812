"""The headers of every answer."""

import json

import pytest
from starlette.datastructures import MutableHeaders

from restante.web.answer_headers import KEPT_FOR_GOOD, complete, malformed


def completed(*, is_tls: bool, **given: str) -> MutableHeaders:
    headers = MutableHeaders(given)
    complete(headers, 0.0, is_tls=is_tls)
    return headers


def test_only_a_file_at_the_address_of_its_content_is_kept() -> None:
    assert completed(is_tls=False, **{"cache-control": KEPT_FOR_GOOD})["cache-control"] == (
        "public, max-age=31536000, immutable"
    )


def test_an_answer_is_not_kept_or_framed_and_loads_nothing() -> None:
    headers = completed(is_tls=False, **{"cache-control": "max-age=60"})
    assert dict(headers) == {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "date": "Thu, 01 Jan 1970 00:00:00 GMT",
    }


def test_a_page_may_have_a_policy_of_its_own() -> None:
    headers = completed(is_tls=False, **{"content-security-policy": "default-src 'self'"})
    assert headers["content-security-policy"] == "default-src 'self'"


def test_only_under_tls_browsers_are_told_to_use_no_other_way() -> None:
    assert completed(is_tls=True)["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in completed(is_tls=False)


@pytest.mark.parametrize(
    ("status", "line"), [(400, b"400 Bad Request"), (431, b"431 Request Header Fields Too Large")]
)
def test_an_unreadable_request_gets_a_problem_and_a_close(status: int, line: bytes) -> None:
    head, _, body = malformed(status, 0.0, is_tls=True).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + line + b"\r\n")
    assert b"connection: close" in head.lower()
    assert b"x-request-id: " in head.lower()
    assert f"content-length: {len(body)}".encode() in head.lower()
    assert json.loads(body)["status"] == status
