"""Why a destination defers mail: it limits the rate, or a policy of its own is against the message.

    the 4xx stands at    and says                                          it is
    -----------------    ------------------------------------------------  -----------
    MAIL                 an enhanced code X.1.x, X.5.x or X.6.x            neither: this message
    MAIL                 anything else                                     a rate limit
    RCPT or later        X.7.x, and that there was too much or too many    a rate limit
    RCPT or later        X.7.x (RFC 3463 §3.8: security or policy)         a policy
    anything else                                                          neither

A rate limit passes with time. A policy says the same in each drain, until somebody changes it.
"""

import re
from typing import Final

from restante.mail.reply_status import ReplyStatus
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    TransactionStage,
)
from restante.stable_word import StableWord

# Not X.2.0: greylisting says so of everything.
_ABOUT_MAILBOX: Final = frozenset({"2.1", "2.2", "2.3", "2.4"})
_ABOUT_ADDRESS: Final = "1"
_ABOUT_MESSAGE: Final = frozenset({"1", "5", "6"})
_POLICY: Final = "7"
_TOO_MUCH: Final = re.compile(r"\btoo (?:much|many|fast|quickly)\b|\brate\b", re.IGNORECASE)

# RFC 5321 §4.5.3.1.10, RFC 3463 §3.6
_TOO_MANY_CODES: Final = frozenset({452, 552})  # without an enhanced code
_TOO_MANY: Final = frozenset({"4.5.3", "5.5.3"})


class DeferralCause(StableWord):
    """The reason why a destination defers a recipient's mail."""

    RATE = "rate-limit"
    POLICY = "policy"


def hindrance(recipient: RecipientOutcome) -> DeferralCause | None:
    """Judge what was said of one recipient."""
    status = recipient.status
    if recipient.move is not RecipientMove.DEFERRED or status is None or not status.is_temporary:
        return None
    subject = status.topic.partition(".")[0]
    if recipient.stage is TransactionStage.MAIL:
        return None if subject in _ABOUT_MESSAGE else DeferralCause.RATE
    if subject != _POLICY:
        return None
    return DeferralCause.RATE if _TOO_MUCH.search(recipient.reply) else DeferralCause.POLICY


def concerns_mailbox(recipient: RecipientOutcome) -> bool:
    """Return whether a recipient was deferred at RCPT for the state of its mailbox (RFC 3463)."""
    status = recipient.status
    if status is None or not status.is_temporary:
        return False
    if recipient.move is not RecipientMove.DEFERRED or recipient.stage is not TransactionStage.RCPT:
        return False
    subject = status.topic.partition(".")[0]
    return subject == _ABOUT_ADDRESS or status.topic in _ABOUT_MAILBOX


def takes_few_at_once(outcome: MessageOutcome) -> bool:
    """Return whether some recipients were taken and others were too many for one transaction."""
    recipients = outcome.recipients
    has_some = any(one.move is RecipientMove.DELIVERED for one in recipients)
    return has_some and any(
        one.move is RecipientMove.DEFERRED
        and one.stage is TransactionStage.RCPT
        and _has_too_many(one.status)
        for one in recipients
    )


def _has_too_many(status: ReplyStatus | None) -> bool:
    if status is None:
        return False
    return status.enhanced in _TOO_MANY or (status.code in _TOO_MANY_CODES and not status.enhanced)
