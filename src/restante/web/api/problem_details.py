"""Every answer that is not a success has one shape: what is wrong, what to do, what kind it is."""

from http import HTTPStatus

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from restante.admin.admin_context import Office
from restante.admin.admin_error import AdminError, Kind
from restante.store.store_errors import Conflict, Damaged, NotEmpty, StoreError
from restante.telemetry.events import Event

STATUSES = {
    Kind.USAGE: HTTPStatus.BAD_REQUEST,
    Kind.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    Kind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Kind.EXISTS: HTTPStatus.CONFLICT,
    Kind.CONFLICT: HTTPStatus.CONFLICT,
    Kind.NOT_ALLOWED: HTTPStatus.FORBIDDEN,
    Kind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Kind.TRY_LATER: HTTPStatus.SERVICE_UNAVAILABLE,
}


# What a store refuses however often it is asked. Everything else may be cured by time.
_NO_TIME_CURES: dict[type[StoreError], Kind] = {
    Conflict: Kind.CONFLICT,
    Damaged: Kind.CONFLICT,
    NotEmpty: Kind.EXISTS,
}


class ProblemView(BaseModel):
    """The body of an answer that says no."""

    error: str  # the thing and the cause
    remedy: str
    kind: Kind


def handle_problems(api: Starlette) -> None:
    """Give every exception that may leave a route its answer."""
    api.add_exception_handler(AdminError, _answer_admin_error)
    api.add_exception_handler(StoreError, _answer_store_error)
    api.add_exception_handler(RequestValidationError, _answer_bad_shape)
    api.add_exception_handler(HTTPException, _answer_http_error)
    api.add_exception_handler(Exception, _answer_defect)


def _answer(status: int, kind: Kind, error: str, remedy: str) -> JSONResponse:
    return JSONResponse(ProblemView(error=error, remedy=remedy, kind=kind).model_dump(), status)


async def _answer_admin_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AdminError)
    return _answer(STATUSES[error.kind], error.kind, error.error, error.remedy)


async def _answer_store_error(request: Request, error: Exception) -> JSONResponse:
    kind = next((kind for cause, kind in _NO_TIME_CURES.items() if isinstance(error, cause)), Kind.TRY_LATER)
    office: Office = request.app.state.office
    if office.log and kind is Kind.TRY_LATER:
        office.log.failure(Event.STORE_FAILED, error, request=f"{request.method} {request.url.path}")
    cause, _, remedy = str(error).partition("; ")  # some say themselves what to do
    otherwise = "try again later" if kind is Kind.TRY_LATER else "look at what is there now"
    return _answer(STATUSES[kind], kind, f"store: {cause}", remedy or otherwise)


async def _answer_bad_shape(_request: Request, error: Exception) -> JSONResponse:
    """Name the field and what is wrong with it, never its value: it may be a secret."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:]) or "request"
    text = f"{field}: {first['msg'][:1].lower()}{first['msg'][1:]}"
    return _answer(STATUSES[Kind.INVALID], Kind.INVALID, text, "give it as the reference says")


async def _answer_http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    kind = Kind.NOT_FOUND if error.status_code == HTTPStatus.NOT_FOUND else Kind.USAGE
    return _answer(error.status_code, kind, f"request: {error.detail}", "see /v1/openapi.json for what there is")


async def _answer_defect(request: Request, error: Exception) -> JSONResponse:
    office: Office = request.app.state.office
    if office.log:
        office.log.failure(Event.INTERNAL_ERROR, error, request=f"{request.method} {request.url.path}")
    text = "a defect in restante; the log has it"
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, Kind.UNAVAILABLE, text, "report it with the log line")
