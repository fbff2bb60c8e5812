"""A notice that the page after a form shows once, such as "3 messages were deleted".

It is in a cookie for that page alone, and gone once it was shown. An address has none of it, so no
link of a stranger can claim that something was done. It needs no session: the page after a sign-out
shows one too.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

NOTICE_COOKIE: Final = "__Host-restante-notice"
LONGEST: Final = 1000  # characters
_SECONDS: Final = 60


def told_at(path: str, notice: str) -> Response:
    """Return the answer to a form that was carried out: the page that says so is loaded."""
    answer = RedirectResponse(path, HTTPStatus.SEE_OTHER)
    page = path.partition("?")[0]
    value = urlsafe_b64encode(f"{page}\n{notice[:LONGEST]}".encode("utf-8", "replace"))
    _put(answer, value.decode("ascii"), _SECONDS)
    return answer


def notice_of(request: Request) -> str:
    """Return the notice that waits for the page of a request, "" without one."""
    value = request.cookies.get(NOTICE_COOKIE, "")
    try:
        text = urlsafe_b64decode(value.encode("ascii")).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    page, _, notice = text.partition("\n")
    return notice[:LONGEST] if page == request.url.path else ""


def drop_notice(answer: Response) -> None:
    """Have the browser forget the notice."""
    _put(answer, "", 0)


def _put(answer: Response, value: str, seconds: int) -> None:
    answer.set_cookie(
        NOTICE_COOKIE, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax"
    )
