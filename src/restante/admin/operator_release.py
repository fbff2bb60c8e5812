"""The operator's ETRN: as a primary's, without its login and host.

Releaser, destination and audit trail are the same.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import no_server
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import AtMost, LineText
from restante.mail.message import message_name
from restante.release.release_outcome import (
    ReleaseOutcome,
    pending_messages,
    result_of,
    suspensions_of,
)
from restante.tenancy.release_result import ReleaseResult, result_text

MAX_TARGETS = 1000


class ReleaseOrder(BaseModel):
    """The targets to release, and the reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    targets: Annotated[
        tuple[LineText, ...], Field(min_length=1), AtMost(MAX_TARGETS)
    ]  # domains, `@domain`, `#account`
    reason: LineText = ""


class ReleaseView(BaseModel):
    """The result for one target."""

    id: str  # for `GET /v1/releases/{id}`; "" if the request is not kept
    target: str
    result: ReleaseResult
    text: str  # the result in words
    pending: int  # messages released
    reason: str
    suspensions: list[str]  # of domains that were left out, with the reason of each; at most 20


async def release(context: AdminContext, order: ReleaseOrder) -> list[ReleaseView]:
    """Start the drains, and return the answers in the order of the targets.

    Raises AdminError without a running server.
    """
    permit(context.principal, AdminAction.RELEASE)
    if context.server is None:
        raise no_server("release")
    return [
        _view(target, await context.server.release(target, context.principal, order.reason))
        for target in order.targets
    ]


def _view(target: str, outcome: ReleaseOutcome) -> ReleaseView:
    result, pending = result_of(outcome), pending_messages(outcome)
    return ReleaseView(
        id=message_name(outcome.release) if outcome.release else "",
        target=target,
        result=result,
        text=result_text(result, pending),
        pending=pending,
        reason=outcome.reason,
        suspensions=list(suspensions_of(outcome)),
    )
