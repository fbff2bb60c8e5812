"""One shape for every answer that is not a success: the error, the remedy, the kind."""

from http import HTTPStatus

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.store.store_errors import (
    CareUnsupported,
    Conflict,
    Damaged,
    NotEmpty,
    SearchTooLong,
    StoreError,
)
from restante.telemetry.events import InternalError, StoreFailed
from restante.transfer.transfer_error import TransferError, TransferFault

STATUSES = {
    ErrorKind.USAGE: HTTPStatus.BAD_REQUEST,
    ErrorKind.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorKind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorKind.EXISTS: HTTPStatus.CONFLICT,
    ErrorKind.CONFLICT: HTTPStatus.CONFLICT,
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
}


_FAULTS = {
    TransferFault.MALFORMED: ErrorKind.INVALID,
    TransferFault.INTERRUPTED: ErrorKind.USAGE,
    TransferFault.MISSING: ErrorKind.NOT_FOUND,
    TransferFault.DAMAGED: ErrorKind.CONFLICT,
}


class ProblemDetails(BaseModel):
    """The body of an error."""

    error: str  # the thing and the cause
    remedy: str
    kind: ErrorKind


def handle_problems(api: Starlette) -> None:
    """Give every exception that may leave a route its answer."""
    api.add_exception_handler(AdminError, _answer_admin_error)
    api.add_exception_handler(TransferError, _answer_transfer_error)
    api.add_exception_handler(StoreError, _answer_store_error)
    api.add_exception_handler(RequestValidationError, _answer_bad_shape)
    api.add_exception_handler(HTTPException, _answer_http_error)
    api.add_exception_handler(Exception, _answer_defect)


def _answer(status: int, kind: ErrorKind, error: str, remedy: str) -> JSONResponse:
    return JSONResponse(ProblemDetails(error=error, remedy=remedy, kind=kind).model_dump(), status)


async def _answer_admin_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AdminError)
    return _answer(STATUSES[error.kind], error.kind, error.error, error.remedy)


async def _answer_transfer_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TransferError)
    kind = _FAULTS[error.fault]
    return _answer(STATUSES[kind], kind, error.error, error.remedy)


async def _answer_store_error(request: Request, error: Exception) -> JSONResponse:
    kind = next(
        (kind for cause, kind in _NO_TIME_CURES.items() if isinstance(error, cause)),
        ErrorKind.TRY_LATER,
    )
    context: AdminContext = request.app.state.context
    if context.log and kind is ErrorKind.TRY_LATER:
        context.log.publish(
            StoreFailed(error=error, request=f"{request.method} {request.url.path}")
        )
    cause, _, remedy = str(error).partition("; ")  # some texts have a remedy of their own
    otherwise = "try again later" if kind is ErrorKind.TRY_LATER else "see what exists now"
    return _answer(STATUSES[kind], kind, f"store: {cause}", remedy or otherwise)


async def _answer_bad_shape(_request: Request, error: Exception) -> JSONResponse:
    """Name the field and its fault, never its value: it may be a secret."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    names = (str(part) for part in first["loc"][1:] if not isinstance(part, int))
    field = ".".join(names) or "request"  # `kinds`, also where one item of it is wrong
    text = f"{field}: {first['msg'][:1].lower()}{first['msg'][1:]}"
    return _answer(
        STATUSES[ErrorKind.INVALID], ErrorKind.INVALID, text, "see the reference for its form"
    )


async def _answer_http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    kind = ErrorKind.NOT_FOUND if error.status_code == HTTPStatus.NOT_FOUND else ErrorKind.USAGE
    return _answer(
        error.status_code,
        kind,
        f"request: {error.detail}",
        "see /v1/openapi.json for all requests",
    )


async def _answer_defect(request: Request, error: Exception) -> JSONResponse:
    context: AdminContext = request.app.state.context
    if context.log:
        context.log.publish(
            InternalError(error=error, request=f"{request.method} {request.url.path}")
        )
    text = "a defect in restante; the log has it"
    return _answer(
        HTTPStatus.INTERNAL_SERVER_ERROR, ErrorKind.UNAVAILABLE, text, "report it with the log line"
    )
