"""The operator's ETRN: as a primary's, without its login and host.

Releaser, destination and audit trail are the same.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.admin_context import AdminContext, ReleaseAnswer
from restante.admin.admin_error import no_server
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import AtMost, Line
from restante.mail.message import message_name

MAX_TARGETS = 1000


class ReleaseOrder(BaseModel):
    """The targets to release, and the reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    targets: Annotated[
        tuple[Line, ...], Field(min_length=1), AtMost(MAX_TARGETS)
    ]  # domains, `@domain`, `#account`
    reason: Line = ""


class ReleaseView(BaseModel):
    """The result for one target."""

    id: str  # for `GET /v1/releases/{id}`; "" if the request is not kept
    target: str
    code: int  # of the reply to ETRN
    status: str  # its enhanced status code (RFC 3463), such as 2.0.0
    text: str
    pending: int
    reason: str


async def release(context: AdminContext, order: ReleaseOrder) -> list[ReleaseView]:
    """Start the drains, and return the answers in the order of the targets.

    Raises AdminError without a running server.
    """
    permit(context.principal, AdminAction.RELEASE)
    if context.server is None:
        raise no_server("release")
    return [
        _view(await context.server.release(target, context.principal, order.reason))
        for target in order.targets
    ]


def _view(answer: ReleaseAnswer) -> ReleaseView:
    return ReleaseView(
        id=message_name(answer.id) if answer.id else "",
        target=answer.target,
        code=answer.code,
        status=answer.status,
        text=answer.text,
        pending=answer.pending,
        reason=answer.reason,
    )
