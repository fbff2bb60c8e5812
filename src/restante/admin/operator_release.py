"""The operator's ETRN: as a primary's, without its login and host.

Releaser, destination and audit trail are the same.
"""

from collections.abc import Sequence
from math import ceil
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind, no_server
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import AtMost, LineText
from restante.admin.scope import domains_in_scope
from restante.mail.message import message_name
from restante.mail.quantity import counted
from restante.phrases import BY_ATRN_ONLY, did_you_mean
from restante.release.release_outcome import (
    CannotNow,
    ReleaseOutcome,
    pending_messages,
    result_of,
    suspensions_of,
)
from restante.tenancy.release_result import ReleaseResult, result_remedy, result_text

MAX_TARGETS = 1000
_FETCH_IT: Final = "let the primary fetch it by ATRN, or set a destination"
_NOT_YOURS: Final = "no such domain among those that you may release"


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


class NothingReleased(AdminError):  # noqa: N818
    """No target was released. `results` has the answer for each."""

    def __init__(
        self, results: Sequence[ReleaseView], seconds: float = 0.0, meant: str = ""
    ) -> None:
        """`seconds`: until requests are within their limit, if that alone is in the way.

        `meant` asks whether the first target should be another one.
        """
        self.results = list(results)
        first, more = results[0], len(results) - 1
        why = f"{first.text}; {first.reason}"
        error = f"{first.target or repr('')}: {why}" + (f"; and {more} more" if more else "")
        remedy = result_remedy(first.result, is_suspended=bool(first.suspensions))
        if first.reason == BY_ATRN_ONLY:
            remedy = _FETCH_IT
        kinds, waiting = {_kind_of(one) for one in results}, counted(ceil(seconds), "second")
        super().__init__(
            next(kind for kind in _KINDS if kind in kinds),
            error,
            f"{meant} {remedy}".strip()
            or (f"try again in {waiting}" if seconds else "try again later"),
            seconds=seconds,
        )


# Of several, the first counts: a request that time can cure is worth repeating.
_KINDS: Final = (
    ErrorKind.TRY_LATER,
    ErrorKind.CONFLICT,
    ErrorKind.NOT_ALLOWED,
    ErrorKind.NOT_FOUND,
    ErrorKind.INVALID,
)


def _kind_of(answer: ReleaseView) -> ErrorKind:
    match answer.result:
        case ReleaseResult.REFUSED:  # unknown and foreign domains look the same
            return ErrorKind.NOT_FOUND
        case ReleaseResult.NOT_A_TARGET:
            return ErrorKind.INVALID
        case ReleaseResult.NOT_AUTHENTICATED:
            return ErrorKind.NOT_ALLOWED
        case _:
            stays = bool(answer.suspensions) or answer.reason == BY_ATRN_ONLY
            return ErrorKind.CONFLICT if stays else ErrorKind.TRY_LATER


async def release(context: AdminContext, order: ReleaseOrder) -> list[ReleaseView]:
    """Start the drains, and return the answers in the order of the targets.

    Raises NothingReleased if every target was refused or deferred, and AdminError without a
    running server.
    """
    permit(context.principal, AdminAction.RELEASE)
    if context.server is None:
        raise no_server("release")
    outcomes = [
        await context.server.release(target, context.principal, order.reason)
        for target in order.targets
    ]
    answers = [release_answer(*each) for each in zip(order.targets, outcomes, strict=True)]
    if not context.principal.sees_everything:
        answers = [_without_true_reason(one) for one in answers]
    if not any(answer.result.is_done for answer in answers):
        raise NothingReleased(answers, seconds_left(outcomes), _meant(context, answers[0]))
    return answers


def _meant(context: AdminContext, answer: ReleaseView) -> str:
    """Return a question for a domain with nearly the name of a refused target; "" for others."""
    if answer.result is not ReleaseResult.REFUSED:
        return ""
    return did_you_mean(answer.target.lower(), (one.name for one in domains_in_scope(context)))


def _without_true_reason(answer: ReleaseView) -> ReleaseView:
    """Return an answer in which unknown and foreign domains look the same, as for ETRN."""
    if answer.result is not ReleaseResult.REFUSED:
        return answer
    return answer.model_copy(update={"reason": _NOT_YOURS})


def seconds_left(outcomes: Sequence[ReleaseOutcome]) -> float:
    """Return the seconds until requests are within their limit; 0 if waiting alone is no help."""
    waits = [one.seconds for one in outcomes if isinstance(one, CannotNow) and not one.suspensions]
    return max(waits) if waits and all(waits) else 0.0


def release_answer(target: str, outcome: ReleaseOutcome) -> ReleaseView:
    """Return the view of an outcome."""
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
