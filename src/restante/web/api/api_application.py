"""The API as an ASGI application.

On the control socket it requires no login: every client that can reach it is an operator. The
socket is inside a directory that only the server's user may enter. Elsewhere it is made with a
gate, and each request acts for the principal of its token. `admin/permissions` decides about each
principal's permissions.
"""

import asyncio
import json
from collections import deque
from functools import cache
from typing import cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.types import Receive, Scope, Send

from restante import __version__
from restante.admin.admin_context import AdminContext
from restante.admin.long_work import beside_mail
from restante.shielded_task import shielded
from restante.tenancy.principal import Principal
from restante.web.api import (
    account_routes,
    account_use_routes,
    change_routes,
    configuration_routes,
    domain_routes,
    drill_routes,
    event_routes,
    history_routes,
    login_routes,
    metrics_routes,
    node_routes,
    notice_routes,
    person_routes,
    portal_link_routes,
    queue_routes,
    recipient_routes,
    release_routes,
    report_routes,
    server_routes,
    session_routes,
    store_routes,
    token_routes,
    user_routes,
)
from restante.web.api.api_schema import PROBLEMS, ApiOfRoutes, ApiWithSchema, operation_id
from restante.web.api.bearer_tokens import BearerGate, BearerTokens
from restante.web.api.idempotency_keys import RequestsUnderWay
from restante.web.api.malformed_request import answer_bad_shape
from restante.web.api.problem_details import handle_problems
from restante.web.api.request_id import RequestIds
from restante.web.head_requests import HeadRequests

ROUTES = (  # in the order of the reference
    account_routes,
    account_use_routes,
    login_routes,
    token_routes,
    user_routes,
    portal_link_routes,
    domain_routes,
    drill_routes,
    change_routes,
    recipient_routes,
    queue_routes,
    report_routes,
    notice_routes,
    person_routes,
    release_routes,
    server_routes,
    event_routes,
    session_routes,
    history_routes,
    node_routes,
    store_routes,
    configuration_routes,
)


def build_api(
    context: AdminContext, acting: Principal | None = None, gate: BearerGate | None = None
) -> FastAPI:
    """Return the application for this admin context.

    `acting` makes every request; None: each is its client's, as the gate or the socket tells. With
    a gate, a request without a valid token reaches no route.
    """
    api = ApiOfRoutes(_described())
    api.state.context = context
    api.state.acting = acting
    api.state.under_way = RequestsUnderWay()
    handle_problems(api)
    api.add_exception_handler(RequestValidationError, answer_bad_shape)
    if gate is not None:
        api.add_middleware(BearerTokens, gate=gate)
    api.add_middleware(RequestIds)
    api.add_middleware(HeadRequests)
    return api


@cache
def _described() -> ApiWithSchema:
    """Return all routes. They know no admin context, so a process makes them once."""
    api = ApiWithSchema(
        title="Restante",
        version=__version__,
        openapi_url=None,
        generate_unique_id_function=operation_id,
        responses=PROBLEMS,
    )
    for routes in ROUTES:
        api.include_router(routes.router, prefix="/v1")
    api.include_router(metrics_routes.router)
    api.add_api_route("/v1/openapi.json", _show_schema, include_in_schema=False)
    return api


class PreparedApi:
    """The API, with its routes made in a thread at the first request.

    The framework makes a route when it is first used. On the event loop, that takes a tenth of a
    second for some routes, and all mail waits.
    """

    def __init__(self, api: FastAPI) -> None:
        self._api = api
        self._making: asyncio.Task[object] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self._making is None:
            self._making = asyncio.create_task(beside_mail(_make_routes, self._api))
        await shielded(self._making)
        await self._api(scope, receive, send)


def _make_routes(api: FastAPI) -> None:
    """Make the routes that no request has used."""
    deque(iter_route_contexts(api.routes), maxlen=0)


async def _show_schema(request: Request) -> Response:
    """Return the API's schema. A thread makes it: it would block the loop for 0.1 seconds."""
    schema = await beside_mail(_schema_text, request.app)
    return Response(schema, media_type="application/json")


def _schema_text(api: FastAPI) -> str:
    return json.dumps(api.openapi(), ensure_ascii=False)


def published_schema() -> str:
    """Return the schema as it is published, for people who generate clients."""
    api = build_api(cast("AdminContext", None))  # no request is made
    return json.dumps(api.openapi(), ensure_ascii=False, indent=1) + "\n"
