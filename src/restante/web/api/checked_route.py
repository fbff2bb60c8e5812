"""A route that refuses a JSON body of too many parts, or with a field twice.

The event loop decodes and checks a body in one go. A field, a list or an object costs it far more
than its few octets: a mebibyte of empty lists takes 50 milliseconds.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope

from restante.mail.unique_json import NameTwice, read_json

MOST_PARTS: Final = 10_000  # in one body; an IPv6 address in a text counts as up to seven


class CheckedRoute(APIRoute):
    """A route whose JSON body has a limited number of parts, and each field once."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the framework with the check before it."""
        answer = super().get_route_handler()
        if self.body_field is None:  # it has no body, or reads a stream
            return answer

        async def answer_checked(request: Request) -> Response:
            if has_too_many_parts(await request.body()):
                raise _refusal(ValueError(f"has more than {MOST_PARTS} fields or lists"))
            unique = UniqueRequest(request.scope, request.receive, await request.body())
            try:
                return await answer(unique)
            except HTTPException:  # the framework's, for a body that it could not read
                if unique.fault is not None:
                    raise _refusal(unique.fault) from None
                raise

        return answer_checked


class UniqueRequest(Request):
    """A request whose body was read. Its JSON has each field once."""

    def __init__(self, scope: Scope, receive: Receive, body: bytes) -> None:
        super().__init__(scope, receive)
        self._whole = body
        self.fault: NameTwice | None = None  # in its JSON

    async def body(self) -> bytes:
        """Return it."""
        return self._whole

    async def json(self) -> Any:
        """Return the value of the body; the framework asks once. Raises ValueError."""
        try:
            return read_json(self._whole)
        except NameTwice as fault:
            self.fault = fault
            raise


def _refusal(fault: ValueError) -> RequestValidationError:
    entry = {"type": "value_error", "loc": ("body",), "ctx": {"error": fault}}
    return RequestValidationError([entry])


def has_too_many_parts(body: bytes) -> bool:
    """Tell whether a JSON text may have more fields, lists or objects than the limit."""
    return any(body.count(mark) > MOST_PARTS for mark in (b":", b"[", b"{"))
