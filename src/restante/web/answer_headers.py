"""The headers of every answer of the `web` listeners, and the answer to an unreadable request."""

from collections.abc import Iterator
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from starlette.datastructures import MutableHeaders

from restante.admin.admin_error import ErrorKind
from restante.web.api.problem_details import problem
from restante.web.api.request_id import ID_HEADER, request_id

KEPT_FOR_GOOD: Final = "public, max-age=31536000, immutable"  # files whose address has their hash
_CACHING: Final = "Cache-Control"
_FIXED: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_POLICY: Final = "Content-Security-Policy"
_API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
_TLS_ONLY: Final = ("Strict-Transport-Security", "max-age=31536000")  # a year


def complete(headers: MutableHeaders, now: float, *, is_tls: bool) -> None:
    """Add to the headers of an answer. `now` is Unix time."""
    for name, value in _FIXED.items():
        headers[name] = value
    forbid_keeping(headers)
    headers.setdefault(_POLICY, _API_POLICY)
    headers.setdefault("Date", formatdate(now, usegmt=True))
    if is_tls:
        name, value = _TLS_ONLY
        headers[name] = value


def forbid_keeping(headers: MutableHeaders) -> None:
    """Have no cache keep an answer, unless it is a file that never changes."""
    if headers.get(_CACHING) != KEPT_FOR_GOOD:
        headers[_CACHING] = "no-store"


def malformed(status: int, now: float, *, is_tls: bool) -> bytes:
    """Return the whole answer to a request that cannot be read. The connection must close."""
    remedy = "send HTTP/1.1 as in RFC 9112"
    detail = f"request: {HTTPStatus(status).phrase}"
    answer = problem(status, ErrorKind.USAGE, detail, remedy)
    answer.headers["Connection"] = "close"
    answer.headers[ID_HEADER] = request_id(b"")
    complete(answer.headers, now, is_tls=is_tls)
    return b"\r\n".join(_lines(status, answer.headers)) + b"\r\n\r\n" + bytes(answer.body)


def _lines(status: int, headers: MutableHeaders) -> Iterator[bytes]:
    yield f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode("ascii")
    for name, value in headers.raw:
        yield name + b": " + value
