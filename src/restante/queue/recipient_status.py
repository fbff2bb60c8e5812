"""The states of one recipient of a held message, and every move between them.

    held ──delivered (250)──► gone
     │ ▲ ╲
     │ │  ╲──deferred (4xx, connection lost)──► held
     │ └──released again──┐
     ├──refused (5xx)──► refused ──deleted, bounced, expired──► gone
     ├──uncertain (no final reply could be read)──► uncertain ──deleted, bounced──► gone
     ├──damaged (its content cannot be read)──► damaged ──deleted, bounced, expired──► gone
     └──bounced, expired──► gone

From refused, uncertain and damaged, "released again" leads back to held. An uncertain recipient's
message may be at the destination. So only a person decides about it.

A message is in the store as long as one of its recipients is. A crash at any point leaves a
recipient where it was. Mail that was handed over but not yet settled is sent again, and never lost.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from restante.mail.policy_deferrals import PolicyDeferrals
from restante.mail.reply_status import ReplyStatus


class RecipientStatus(StrEnum):
    """Where a recipient stands."""

    HELD = "held"
    REFUSED = "refused"  # the destination said 5xx; waits for the customer
    UNCERTAIN = "uncertain"  # its final replies could not be read: the destination may have it
    DAMAGED = "damaged"  # the message is damaged on our disk, and cannot be handed over
    GONE = "gone"


class RecipientMove(StrEnum):
    """The things that can happen to a recipient."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    DAMAGED = "damaged"
    RELEASED_AGAIN = "released-again"
    DELETED = "deleted"
    EXPIRED = "expired"  # its retention is over, and it is not to be kept
    BOUNCED = "bounced"  # given up, with a report to the sender where that is allowed


class TransactionStage(StrEnum):
    """The step of a mail transaction whose reply decided about a recipient."""

    NONE = "none"  # no reply did: none came, or it was never asked for
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"


MOVES: Final[Mapping[RecipientStatus, Mapping[RecipientMove, RecipientStatus]]] = {
    RecipientStatus.HELD: {
        RecipientMove.DELIVERED: RecipientStatus.GONE,
        RecipientMove.DEFERRED: RecipientStatus.HELD,
        RecipientMove.REFUSED: RecipientStatus.REFUSED,
        RecipientMove.UNCERTAIN: RecipientStatus.UNCERTAIN,
        RecipientMove.DAMAGED: RecipientStatus.DAMAGED,
        RecipientMove.DELETED: RecipientStatus.GONE,
        RecipientMove.EXPIRED: RecipientStatus.GONE,
        RecipientMove.BOUNCED: RecipientStatus.GONE,
    },
    RecipientStatus.REFUSED: {
        RecipientMove.RELEASED_AGAIN: RecipientStatus.HELD,
        RecipientMove.DELETED: RecipientStatus.GONE,
        RecipientMove.EXPIRED: RecipientStatus.GONE,
        RecipientMove.BOUNCED: RecipientStatus.GONE,
    },
    RecipientStatus.UNCERTAIN: {
        RecipientMove.RELEASED_AGAIN: RecipientStatus.HELD,
        RecipientMove.DELETED: RecipientStatus.GONE,
        RecipientMove.BOUNCED: RecipientStatus.GONE,
    },
    RecipientStatus.DAMAGED: {
        RecipientMove.RELEASED_AGAIN: RecipientStatus.HELD,
        RecipientMove.DELETED: RecipientStatus.GONE,
        RecipientMove.EXPIRED: RecipientStatus.GONE,
        RecipientMove.BOUNCED: RecipientStatus.GONE,
    },
    RecipientStatus.GONE: {},
}

_PARKED: Final = frozenset({RecipientMove.REFUSED, RecipientMove.UNCERTAIN})


class RecipientOutcome(NamedTuple):
    """The destination's answer for one recipient: a move up to UNCERTAIN, or BOUNCED."""

    forward_path: str
    move: RecipientMove
    reply: str = ""  # the destination's full reply, as text; for DELIVERED the one to its content
    stage: TransactionStage = TransactionStage.NONE  # where it was said; NONE for DELIVERED
    status: ReplyStatus | None = None  # the codes of a reply that decided; None for DELIVERED


class MessageOutcome(NamedTuple):
    """The result of one attempt at one message, per recipient that was tried."""

    number: int
    recipients: tuple[RecipientOutcome, ...]
    passes_dsn_on: bool = (
        False  # the destination took over what was asked about reports (RFC 3461 §5.2.1)
    )
    is_ours: bool = False  # we judged it ourselves: the destination was never asked
    doubts: int = (
        0  # attempts in a row, with this one, without a readable final reply; 0: it was read
    )
    deferrals: PolicyDeferrals | None = None  # with this drain; None: no policy deferred it

    @property
    def is_refused(self) -> bool:
        """Every recipient tried was refused, or no final reply could ever be read."""
        if self.is_ours:
            return False
        for recipient in self.recipients:  # noqa: SIM110  asked about each message: twice as fast
            if recipient.move not in _PARKED:
                return False
        return True

    @property
    def is_delivered(self) -> bool:
        """Every recipient tried was taken."""
        for recipient in self.recipients:  # noqa: SIM110  as above
            if recipient.move is not RecipientMove.DELIVERED:
                return False
        return True


def move_of(outcome: MessageOutcome) -> RecipientMove:
    """Return the result of a message as a whole: that of its worst recipient.

    Refused, uncertain and bounced come before deferred.
    """
    if outcome.is_delivered:
        return RecipientMove.DELIVERED
    if any(recipient.move is RecipientMove.UNCERTAIN for recipient in outcome.recipients):
        return RecipientMove.UNCERTAIN
    is_refused = any(
        recipient.move not in (RecipientMove.DELIVERED, RecipientMove.DEFERRED)
        for recipient in outcome.recipients
    )
    return RecipientMove.REFUSED if is_refused else RecipientMove.DEFERRED
