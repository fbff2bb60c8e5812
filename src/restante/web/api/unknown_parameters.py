"""Refuses a query parameter that a route does not have: a misspelled filter would select all."""

from collections.abc import Iterator
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError


def refuse_unknown_parameters(request: Request) -> None:
    """Raise RequestValidationError for a parameter that the route of a request does not have.

    A route whose parameters are fields of one model is left out: the model refuses them.
    """
    known: set[str] = set()
    for parameter in _parameters(request.scope["route"].dependant):
        if hasattr(parameter.field_info.annotation, "model_fields"):
            return
        known.add(parameter.alias)
    for name in request.query_params:
        if name not in known:
            raise RequestValidationError([{"type": "extra_forbidden", "loc": ("query", name)}])


def _parameters(dependant: Any) -> Iterator[Any]:
    """Yield the query parameters of a route's function, and of all that it depends on."""
    yield from dependant.query_params
    for one in dependant.dependencies:
        yield from _parameters(one)
