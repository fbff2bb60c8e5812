"""Requests that depend on the state of a record: If-Match and If-None-Match (RFC 9110, 13.1).

Changes of one record through the API are made one after the other, so that of two clients with the
same tag only one succeeds.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.record_locks import RecordLocks
from restante.web.api.entity_tags import allows_change, knows, record_tag, shown_tag

TAGGED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"headers": {"ETag": {"description": "Its tag.", "schema": {"type": "string"}}}},
    304: {"description": "The client has the same version already."},
}

Find = Callable[[], object]  # returns the record, or raises AdminError


class Precondition:
    """The If-Match of one request to change or remove a record."""

    def __init__(self, locks: RecordLocks, path: str, if_match: str | None) -> None:
        self._locks = locks
        self._path = path
        self._if_match = if_match

    @property
    def is_known(self) -> Callable[[object], bool] | None:
        """Whether the client knows a record as it is; None: it does not say.

        For a record that is read inside its change.
        """
        return None if self._if_match is None else partial(allows_change, self._if_match)

    @asynccontextmanager
    async def holding(self, find: Find) -> AsyncIterator[None]:
        """Change the record in this block. Raises AdminError if it is not as the client knows it.

        `find` is not called for a client that has no tag.
        """
        async with self._locks.of(self._path):
            if self._if_match is not None and not allows_change(self._if_match, find()):
                raise AdminError(
                    ErrorKind.STALE,
                    f"{self._path}: has changed since you read it",
                    "read it again, and send the new ETag in If-Match",
                )
            yield


async def _precondition(
    request: Request,
    if_match: Annotated[
        str | None,
        Header(description="The ETag that you know. The answer is 412 if the record has another."),
    ] = None,
) -> Precondition:
    context: AdminContext = request.app.state.context
    return Precondition(context.memory.record_locks, request.url.path, if_match)


async def _known(
    if_none_match: Annotated[
        str | None,
        Header(description="The ETag that you have. The answer is 304 if it is the same."),
    ] = None,
) -> str | None:
    return if_none_match


IfMatch = Annotated[Precondition, Depends(_precondition)]
IfNoneMatch = Annotated[str | None, Depends(_known)]


def shown(record: object, view: BaseModel, if_none_match: str | None) -> Response:
    """Return a record with its tag, or 304 to a client that has the same."""
    text = view.model_dump_json()
    tag = shown_tag(record, text)
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if if_none_match is not None and knows(if_none_match, tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(text, media_type="application/json", headers=headers)


def unchanged_add(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return how a route that adds a record declares the answer if nothing is changed."""
    return {
        200: {"description": "It is there with these values. Nothing was changed.", "model": model}
    }


def added_response(view: BaseModel, changes: Sequence[object]) -> Response:
    """Return the result of a request to add a record: 201, or 200 if it was there."""
    status = HTTPStatus.CREATED if changes else HTTPStatus.OK
    return Response(view.model_dump_json(), status, media_type="application/json")


def changed_response(find: Find, view: BaseModel, status: int = HTTPStatus.OK) -> Response:
    """Return the result of a change, with the tag that the next change may name."""
    headers = {}
    with suppress(AdminError):  # removed, or moved to another account, at this moment
        headers["ETag"] = record_tag(find())
    text = view.model_dump_json()
    return Response(text, status, headers=headers, media_type="application/json")
