"""One shape for every answer that is not a success (RFC 9457), with a kind and a remedy.

`problem` makes such an answer. Parts that answer before a route is reached use it too.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.configuration_entries import NotApplicable
from restante.admin.operator_release import NothingReleased, ReleaseView
from restante.mail.one_line import one_line
from restante.store.store_errors import (
    CareUnsupported,
    Conflict,
    Damaged,
    NotEmpty,
    SearchTooLong,
    StoreError,
    TargetUnusable,
)
from restante.telemetry.events import InternalError, StoreFailed
from restante.telemetry.work_word import WorkWord
from restante.transfer.transfer_error import TransferError, TransferFault
from restante.web.api.remedy_words import words_for
from restante.web.api.request_id import ID_HEADER, id_of

STATUSES = {
    ErrorKind.USAGE: HTTPStatus.BAD_REQUEST,
    ErrorKind.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorKind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorKind.EXISTS: HTTPStatus.CONFLICT,
    ErrorKind.CONFLICT: HTTPStatus.CONFLICT,
    ErrorKind.STALE: HTTPStatus.PRECONDITION_FAILED,
    ErrorKind.NOT_ALLOWED: HTTPStatus.FORBIDDEN,
    ErrorKind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorKind.TRY_LATER: HTTPStatus.SERVICE_UNAVAILABLE,
}


# Refusals of a store that are permanent. Time may cure all others.
_NO_TIME_CURES: dict[type[StoreError], ErrorKind] = {
    CareUnsupported: ErrorKind.CONFLICT,
    Conflict: ErrorKind.CONFLICT,
    Damaged: ErrorKind.CONFLICT,
    NotEmpty: ErrorKind.EXISTS,
    SearchTooLong: ErrorKind.INVALID,
    TargetUnusable: ErrorKind.INVALID,
}


_FAULTS = {
    TransferFault.MALFORMED: ErrorKind.INVALID,
    TransferFault.INTERRUPTED: ErrorKind.USAGE,
    TransferFault.MISSING: ErrorKind.NOT_FOUND,
    TransferFault.DAMAGED: ErrorKind.CONFLICT,
}


MEDIA_TYPE: Final = "application/problem+json"
_NOTHING_RELEASED: Final = "nothing-released"  # one type, whatever the kinds of its results
RETRY_SECONDS: Final = 10  # in Retry-After, where a part knows no better number

# The kind of an answer that the framework makes, by its status.
_BY_STATUS: Final[Mapping[int, ErrorKind]] = {
    HTTPStatus.UNAUTHORIZED: ErrorKind.NOT_ALLOWED,
    HTTPStatus.FORBIDDEN: ErrorKind.NOT_ALLOWED,
    HTTPStatus.NOT_FOUND: ErrorKind.NOT_FOUND,
    HTTPStatus.CONFLICT: ErrorKind.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED: ErrorKind.STALE,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ErrorKind.INVALID,
    HTTPStatus.UNPROCESSABLE_ENTITY: ErrorKind.INVALID,
    HTTPStatus.TOO_MANY_REQUESTS: ErrorKind.TRY_LATER,
    HTTPStatus.SERVICE_UNAVAILABLE: ErrorKind.TRY_LATER,
}
_MAY_BE_REPEATED: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class ProblemDetails(BaseModel):
    """The body of an error (RFC 9457, section 3)."""

    type: str = Field(
        description="`urn:restante:problem:` and the kind, or `nothing-released` for a release."
    )
    title: str = Field(description="The name of the status.")
    status: int = Field(description="The status of the answer.")
    detail: str = Field(description="The thing and the cause.")
    kind: ErrorKind
    remedy: str = Field(description="The next step.")
    problems: list[str] | None = Field(
        default=None, description="Of a configuration: each of its faults, with its remedy."
    )
    results: list[ReleaseView] | None = Field(
        default=None, description="Of a release that released nothing: the result for each target."
    )


def handle_problems(api: Starlette) -> None:
    """Give exceptions that may leave a route their answers; `bad_shape` has one more."""
    api.add_exception_handler(AdminError, answer_admin_error)
    api.add_exception_handler(TransferError, _answer_transfer_error)
    api.add_exception_handler(StoreError, _answer_store_error)
    api.add_exception_handler(HTTPException, _answer_http_error)
    api.add_exception_handler(Exception, _answer_defect)


def problem(
    status: int,
    kind: ErrorKind,
    detail: str,
    remedy: str,
    headers: Mapping[str, str] | None = None,
    *,
    problems: Sequence[str] | None = None,
    results: Sequence[ReleaseView] | None = None,
) -> JSONResponse:
    """Return the answer for a request that failed, with Retry-After where time may cure it."""
    details = ProblemDetails(
        type=f"urn:restante:problem:{kind if results is None else _NOTHING_RELEASED}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=one_line(detail),
        kind=kind,
        remedy=one_line(remedy),
        problems=None if problems is None else [one_line(one) for one in problems],
        results=None if results is None else list(results),
    )
    retry = {"Retry-After": str(RETRY_SECONDS)} if status in _MAY_BE_REPEATED else {}
    return JSONResponse(
        details.model_dump(exclude_none=True),
        status,
        headers=retry | dict(headers or {}) | {"Cache-Control": "no-store"},
        media_type=MEDIA_TYPE,
    )


def problem_status(error: AdminError) -> HTTPStatus:
    """Return the status of a refusal. One because of a limit on requests says so."""
    return HTTPStatus.TOO_MANY_REQUESTS if error.seconds else STATUSES[error.kind]


async def answer_admin_error(request: Request, error: Exception) -> JSONResponse:
    """Answer for a function of `admin` that refused, in the words of the client."""
    assert isinstance(error, AdminError)
    say = _words_for(request)
    found = error.problems if isinstance(error, NotApplicable) else None
    return problem(
        problem_status(error),
        error.kind,
        say(error.error),
        say(error.remedy),
        {"Retry-After": str(math.ceil(error.seconds))} if error.seconds else None,
        problems=None if found is None else [say(str(one)) for one in found],
        results=error.results if isinstance(error, NothingReleased) else None,
    )


def _words_for(request: Request) -> Callable[[str], str]:
    return words_for(request.headers.get("user-agent", ""))


async def _answer_transfer_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TransferError)
    kind, say = _FAULTS[error.fault], _words_for(request)
    return problem(STATUSES[kind], kind, say(error.error), say(error.remedy))


async def _answer_store_error(request: Request, error: Exception) -> JSONResponse:
    kind = next(
        (kind for cause, kind in _NO_TIME_CURES.items() if isinstance(error, cause)),
        ErrorKind.TRY_LATER,
    )
    context: AdminContext = request.app.state.context
    if context.parts.log and kind is ErrorKind.TRY_LATER:
        context.parts.log.publish(
            StoreFailed(
                error=error, doing=WorkWord.REQUEST, request=f"{request.method} {request.url.path}"
            )
        )
    cause, _, remedy = str(error).partition("; ")  # some texts have a remedy of their own
    otherwise = "try again later" if kind is ErrorKind.TRY_LATER else "see what exists now"
    return problem(STATUSES[kind], kind, f"store: {cause}", remedy or otherwise)


async def _answer_http_error(request: Request, error: Exception) -> JSONResponse:
    """Answer for the framework: an unknown path, a method that a path has not, an odd body."""
    assert isinstance(error, HTTPException)
    status, headers = error.status_code, error.headers or {}
    kind = _BY_STATUS.get(status, ErrorKind.USAGE)
    remedy = "see /v1/openapi.json for all requests"
    match status:
        case HTTPStatus.NOT_FOUND:
            detail = f"{request.url.path}: there is no such path"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            detail = f"{request.url.path}: does not take {request.method}"
            if allowed := _allowed_methods(request) or headers.get("Allow"):
                remedy, headers = f"use {allowed}", {**headers, "Allow": allowed}
        case HTTPStatus.BAD_REQUEST:
            detail, remedy = "body: cannot be read", "send JSON in UTF-8"
        case _:
            detail = f"request: {error.detail}"
    return problem(status, kind, detail, remedy, headers)


def _allowed_methods(request: Request) -> str:
    """Return all methods of a path (RFC 9110, section 10.2.1). The framework names one route's.

    "" where another framework has the routes: each path has one route there.
    """
    if not isinstance(request.app, FastAPI):
        return ""
    segments = request.url.path.split("/")
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        parts = (route.path_format or "").split("/")
        if len(parts) == len(segments) and all(
            part == segment or (part.startswith("{") and segment)
            for part, segment in zip(parts, segments, strict=True)
        ):
            found |= route.methods or set()
    found |= {"HEAD"} if "GET" in found else set()
    return ", ".join(sorted(found))


async def _answer_defect(request: Request, error: Exception) -> JSONResponse:
    context: AdminContext = request.app.state.context
    if context.parts.log:
        context.parts.log.publish(
            InternalError(
                error=error, doing=WorkWord.REQUEST, request=f"{request.method} {request.url.path}"
            )
        )
    given = id_of(request.scope)  # middleware that adds it to other answers is inside this one
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        ErrorKind.UNAVAILABLE,
        "a defect in restante; the log has it",
        "report it with the log line",
        {ID_HEADER: given} if given else None,
    )
