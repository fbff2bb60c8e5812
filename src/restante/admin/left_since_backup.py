"""Delete mail that a restored backup holds again, although a newer history says that it left.

Requests bring entries of that history, as `GET /v1/history` exports them.
`queue/newer_history` decides which recipients these prove to be gone. Only those are removed, and
nobody gets a report. The history of this store keeps the outcome, time and reply of the newer one.
Otherwise nobody could tell later that the mail was delivered.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.admin_context import AdminContext
from restante.admin.auditing import (
    announce,
    checked_reason,
    entry_about_mail,
    moment,
    with_changes,
)
from restante.admin.held_mail import (
    MAX_NAMES,
    MAX_PATTERN_LENGTH,
    DomainNames,
    domain_names,
    number_of,
)
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import AtMost, LineText, Moment, StoredNumber
from restante.admin.scope import list_held
from restante.mail.message import message_name
from restante.mail.message_id import MESSAGE_ID_LIMIT
from restante.queue.history import REPLY_LIMIT
from restante.queue.newer_history import (
    GoneRecipients,
    HistoryDoubt,
    MailFacts,
    PastOutcome,
    gone_recipients,
)
from restante.queue.recipient_status import RecipientMove
from restante.retention.removal_record import removal_of
from restante.store.queue_store import MessageBounce, QueuedMessage, QueueFilter
from restante.tenancy.audit import AuditAction

AT_ONCE: Final = 100  # messages in one transaction of the store: mail waits meanwhile

OutcomeText = Literal["delivered", "bounced", "deleted", "expired"]
_PathText = Annotated[str, Field(max_length=MAX_PATTERN_LENGTH)]


class NewerOutcome(BaseModel):
    """An entry of the newer history, with some of the fields that `GET /v1/history` returns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: LineText  # of the message
    received_at: Moment
    octets: StoredNumber
    reverse_path: _PathText
    message_id: Annotated[str, Field(max_length=MESSAGE_ID_LIMIT)]
    forward_path: _PathText
    outcome: OutcomeText
    at: Moment
    reply: Annotated[str, Field(max_length=REPLY_LIMIT)] = ""


class NewerHistory(BaseModel):
    """Entries to compare with held mail, and whether to delete the mail that left."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcomes: Annotated[tuple[NewerOutcome, ...], Field(min_length=1), AtMost(MAX_NAMES)]
    dry_run: bool = False
    reason: LineText = ""


class LeftRecipient(BaseModel):
    """A recipient that left, by the newer history."""

    forward_path: str
    outcome: str
    at: datetime
    reply: str


class LeftMessage(BaseModel):
    """A held message, with those recipients that left."""

    name: str
    domain: str
    recipients: list[LeftRecipient]
    stay: int  # its recipients that the history does not name: they stay as they are


class DoubtfulMessage(BaseModel):
    """A held message that stays as it is, although the history has outcomes under its name."""

    name: str
    domain: str
    doubt: HistoryDoubt
    text: str  # the doubt in words


class LeftMail(BaseModel):
    """The result."""

    messages: list[LeftMessage]
    doubtful: list[DoubtfulMessage]
    deleted: int  # messages of which recipients were removed; 0 in a dry run
    missing: list[str]  # names of those that changed meanwhile: nothing was removed of them


class _Finding(NamedTuple):
    listed: QueuedMessage
    found: GoneRecipients


async def delete_left(context: AdminContext, history: NewerHistory) -> LeftMail:
    """Find the held recipients that these entries prove to be gone; unless asked to, delete them.

    Raises AdminError without a reason or for a bad name, and StoreError.
    """
    permit(context.principal, AdminAction.QUEUE_DELETE_LEFT)
    if not history.dry_run:
        checked_reason(history.reason)
    told: dict[int, list[PastOutcome]] = defaultdict(list)
    for one in history.outcomes:
        told[number_of(one.name)].append(_outcome(one))
    held = await list_held(context, QueueFilter(numbers=tuple(told), limit=len(told)))
    findings = [_Finding(one, _gone(one, told[one.number])) for one in held]
    names = domain_names(context)
    leaving = [one for one in findings if one.found.gone]
    done: set[int] = set()
    if not history.dry_run:
        for group in _groups(leaving):
            done |= await _delete(context, group, history.reason)
    return LeftMail(
        messages=[_left_view(one, names) for one in leaving],
        doubtful=[
            _doubtful_view(one.listed, one.found.doubt, names)
            for one in findings
            if one.found.doubt is not None
        ],
        deleted=len(done),
        missing=[]
        if history.dry_run
        else [message_name(one.listed.number) for one in leaving if one.listed.number not in done],
    )


def _outcome(one: NewerOutcome) -> PastOutcome:
    return PastOutcome(
        MailFacts(
            number_of(one.name),
            one.received_at.timestamp(),
            one.octets,
            one.reverse_path,
            one.message_id,
        ),
        one.forward_path,
        RecipientMove(one.outcome),
        one.at.timestamp(),
        one.reply,
    )


def _gone(listed: QueuedMessage, outcomes: Sequence[PastOutcome]) -> GoneRecipients:
    facts = MailFacts(
        listed.number, listed.received_at, listed.size, listed.reverse_path, listed.message_id
    )
    return gone_recipients(facts, [one.forward_path for one in listed.recipients], outcomes)


def _groups(leaving: Sequence[_Finding]) -> list[Sequence[_Finding]]:
    """Return small groups, each of one domain: an account's trail may not name others' mail."""
    by_domain: dict[int, list[_Finding]] = defaultdict(list)
    for one in leaving:
        by_domain[one.listed.domain_id].append(one)
    return [
        group[start : start + AT_ONCE]
        for group in by_domain.values()
        for start in range(0, len(group), AT_ONCE)
    ]


async def _delete(context: AdminContext, group: Sequence[_Finding], reason: str) -> set[int]:
    """Remove the recipients of one domain's messages that left; return the messages' numbers."""
    removed = [_only_gone(one) for one in group]
    domain_id, numbers = removed[0].domain_id, [one.number for one in removed]
    recorded = with_changes(
        entry_about_mail(context, AuditAction.MAIL_DELETED, domain_id, numbers, reason),
        removal_of(removed),
    )
    changes = [
        MessageBounce(
            one.listed.number,
            tuple(gone.forward_path for gone in one.found.gone),
            None,
            RecipientMove.DELETED,
            tuple(map(_remembered, one.found.gone)),
        )
        for one in group
    ]
    done = set(await context.store.queue.bounce(changes, recorded))
    announce(context, recorded)
    return done


def _only_gone(one: _Finding) -> QueuedMessage:
    paths = {gone.forward_path for gone in one.found.gone}
    recipients = tuple(each for each in one.listed.recipients if each.forward_path in paths)
    return replace(one.listed, recipients=recipients)


def _remembered(gone: PastOutcome) -> str:
    """Return the outcome of the newer history, as the reply of the entry in this one."""
    return f"{gone.outcome} {moment(gone.at):%Y-%m-%dT%H:%M:%SZ}: {gone.reply}"[:REPLY_LIMIT]


def _left_view(one: _Finding, names: DomainNames) -> LeftMessage:
    return LeftMessage(
        name=message_name(one.listed.number),
        domain=names(one.listed.domain_id),
        recipients=[
            LeftRecipient(
                forward_path=gone.forward_path,
                outcome=gone.outcome,
                at=moment(gone.at),
                reply=gone.reply,
            )
            for gone in one.found.gone
        ],
        stay=len(one.listed.recipients) - len(_only_gone(one).recipients),
    )


def _doubtful_view(
    listed: QueuedMessage, doubt: HistoryDoubt, names: DomainNames
) -> DoubtfulMessage:
    return DoubtfulMessage(
        name=message_name(listed.number),
        domain=names(listed.domain_id),
        doubt=doubt,
        text=doubt.text,
    )
