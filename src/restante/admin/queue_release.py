"""Release messages by name: held ones are handed over now, and others are held again.

Only these messages leave, to the destination on record. The rest of the domain's mail stays held,
unless a drain of the domain runs anyway: then they go with it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind, no_server
from restante.admin.held_mail import domain_names, number_of
from restante.admin.hold_again import HoldChange, MessagesToHoldAgain, hold_again
from restante.admin.operator_release import (
    NothingReleased,
    ReleaseView,
    release_answer,
    seconds_left,
)
from restante.admin.permissions import AdminAction, permit
from restante.admin.scope import list_held
from restante.mail.message import message_name
from restante.queue.recipient_status import RecipientStatus
from restante.release.release_outcome import ReleaseOutcome
from restante.store.queue_store import QueuedMessage, QueueFilter

MOST_NAMED: Final = 20  # held messages of one domain: a release names them all


class QueueRelease(HoldChange):
    """The result of both. Held messages have an answer for each of their domains."""

    handed_over: list[ReleaseView]  # the target has the names of the messages


async def release_messages(context: AdminContext, named: MessagesToHoldAgain) -> QueueRelease:
    """Hand over the held messages, and hold refused, uncertain or damaged ones again.

    A message with recipients of both kinds is held again. With a status, nothing is handed over.
    Raises AdminError before anything is done, or if nothing was done; StoreError.
    """
    permit(context.principal, AdminAction.QUEUE_RELEASE)
    held = {} if named.status else await _held(context, named)
    _check(context, held)
    change = await hold_again(context, named)
    given, outcomes = await _hand_over(context, held, named.reason)
    answers = [release_answer(*each) for each in zip(given, outcomes, strict=True)]
    if answers and not change.changed and not any(one.result.is_done for one in answers):
        raise NothingReleased(answers, seconds_left(outcomes))
    return QueueRelease(**change.model_dump(), handed_over=answers)


async def _held(context: AdminContext, named: MessagesToHoldAgain) -> dict[str, list[int]]:
    """Return those that are held for all their recipients, by the name of their domain."""
    numbers = tuple(number_of(name) for name in named.names)
    name_of = domain_names(context)
    by_domain = defaultdict[str, list[int]](list)
    for listed in await list_held(context, QueueFilter(numbers=numbers, limit=len(numbers))):
        if _is_held(listed):
            by_domain[name_of(listed.domain_id)].append(listed.number)
    return by_domain


def _is_held(listed: QueuedMessage) -> bool:
    return all(
        one.status in (RecipientStatus.HELD, RecipientStatus.GONE) for one in listed.recipients
    )


def _check(context: AdminContext, held: Mapping[str, Sequence[int]]) -> None:
    if not held:
        return
    permit(context.principal, AdminAction.RELEASE)
    if context.server is None:
        raise no_server("queue release")
    for domain, numbers in held.items():
        if len(numbers) > MOST_NAMED:
            error = f"{len(numbers)} held messages of {domain}: at most {MOST_NAMED} at once"
            raise AdminError(
                ErrorKind.INVALID, error, f"name fewer, or run `restante release {domain}`"
            )


async def _hand_over(
    context: AdminContext, held: Mapping[str, Sequence[int]], reason: str
) -> tuple[list[str], list[ReleaseOutcome]]:
    """Return the names of each domain's messages, and the outcome of their release."""
    given, outcomes = [], []
    for domain, numbers in held.items():
        assert context.server is not None, "it was checked"
        names = " ".join(map(message_name, numbers))
        given.append(names)
        outcomes.append(
            await context.server.release_messages(domain, names, context.principal, reason)
        )
    return given, outcomes
