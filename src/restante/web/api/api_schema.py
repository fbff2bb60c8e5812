"""The schema of the API: names of operations, answers that every route can give, and security."""

from http import HTTPStatus
from threading import Lock
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

from restante.web.api.null_fields import describe_nulls
from restante.web.api.problem_details import MEDIA_TYPE, ProblemDetails
from restante.web.api.request_id import ID_HEADER

_REF: Final = "#/components/schemas/ProblemDetails"
_MEANINGS: Final = {
    HTTPStatus.BAD_REQUEST: "The request contradicts itself or lacks something.",
    HTTPStatus.UNAUTHORIZED: "The token is missing, unknown, or no longer valid.",
    HTTPStatus.FORBIDDEN: "The principal is not allowed to.",
    HTTPStatus.NOT_FOUND: "There is no such thing, or it is another account's.",
    HTTPStatus.CONFLICT: "The state of other things prevents it now.",
    HTTPStatus.PRECONDITION_FAILED: "The record has changed since the ETag in If-Match.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A value is not acceptable.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests. Retry-After says when to try again.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not possible now. Retry-After says when to try again.",
}
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    int(status): {
        "description": meaning,
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REF}}},
    }
    for status, meaning in _MEANINGS.items()
}


_ID: Final = {ID_HEADER: {"$ref": "#/components/headers/RequestId"}}


def of_octets(media_type: str) -> dict[int | str, dict[str, Any]]:
    """Return how a route declares an answer of octets."""
    return {200: octets_body(media_type)}


def octets_body(media_type: str) -> dict[str, Any]:
    """Return how a route declares a body of octets."""
    return {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}


def operation_id(route: APIRoute) -> str:
    """Return the name of an operation: the name of its function, in camel case."""
    first, *rest = route.name.split("_")
    return first + "".join(word.capitalize() for word in rest)


class ApiWithSchema(FastAPI):
    """An application whose schema has what the framework cannot derive from its routes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._making_schema = Lock()

    def openapi(self) -> dict[str, Any]:
        """Return the schema. It is made once. Any thread may ask for it."""
        with self._making_schema:
            if self.openapi_schema is None:
                _complete(super().openapi())
        assert self.openapi_schema is not None
        return self.openapi_schema


class ApiOfRoutes(FastAPI):
    """An application with the routes and the schema of another, and a state of its own."""

    def __init__(self, described: ApiWithSchema) -> None:
        super().__init__(openapi_url=None)
        self.router = described.router
        self._described = described

    def openapi(self) -> dict[str, Any]:
        """Return the schema of the routes."""
        return self._described.openapi()


def _complete(schema: dict[str, Any]) -> None:
    components = schema.setdefault("components", {})
    problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = components.setdefault("schemas", {})
    schemas.update(problem.pop("$defs", {}) | {"ProblemDetails": problem})
    describe_nulls(schemas)
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    components["headers"] = {
        "RequestId": {"description": "The id of the request.", "schema": {"type": "string"}}
    }
    components["responses"] = {
        _name_of(status): {**answer, "headers": _ID} for status, answer in PROBLEMS.items()
    }
    schema["security"] = [{}, {"bearer": []}]  # the control socket needs no token
    for methods in schema["paths"].values():
        for operation in methods.values():
            for answer in operation["responses"].values():
                answer["headers"] = _ID | answer.get("headers", {})
            operation["responses"] |= {
                str(status): {"$ref": f"#/components/responses/{_name_of(status)}"}
                for status in PROBLEMS
            }


def _name_of(status: int | str) -> str:
    return f"Problem{status}"
