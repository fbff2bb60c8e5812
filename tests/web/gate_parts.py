"""The parts of a gate, for tests: one token, and an application that a test may replace."""

from collections.abc import Callable

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from restante.admin.admin_error import ErrorKind
from restante.tenancy.model import IpAddress
from restante.tenancy.principal import Principal, Role
from restante.web.api.bearer_tokens import CHALLENGE
from restante.web.api.problem_details import problem
from restante.web.request_counts import RequestCounts
from restante.web.web_gate import GateParts
from tests.actors import actor_named

TOKEN = b"Bearer rst_test"


def by_token(scope: Scope, client: IpAddress) -> Principal | Response:
    """Know one operator's token, and those of accounts by their names."""
    given = dict(scope["headers"]).get(b"authorization", b"")
    if given == TOKEN:
        return Principal(Role.OPERATOR, actor_named("token test"), str(client))
    if given.startswith(b"Account "):
        account = given.removeprefix(b"Account ").decode()
        return Principal(Role.ACCOUNT, actor_named(f"token ci ({account})"), str(client), account)
    return problem(401, ErrorKind.NOT_ALLOWED, "request: has no token", "send one", CHALLENGE)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the principal's acted_from, the method, the path and the length of the body."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    principal: Principal = scope["state"]["principal"]
    text = f"{principal.acted_from} {scope['method']} {scope['path']} {len(body)}"
    await PlainTextResponse(text)(scope, receive, send)


def gate_parts(
    api: ASGIApp = echo,
    *,
    is_ready: Callable[[], bool] = lambda: True,
    defers_large_mail: Callable[[], bool] = lambda: False,
    request_seconds: float = 30.0,
    portal: ASGIApp | None = None,
) -> GateParts:
    """Return them. The clock stands at 0."""
    return GateParts(
        api=api,
        identify=by_token,
        is_ready=is_ready,
        defers_large_mail=defers_large_mail,
        counts=RequestCounts(),
        monotonic=lambda: 0.0,
        now=lambda: 0.0,
        request_seconds=request_seconds,
        portal=portal,
    )
