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

from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    TransactionStage,
)
from restante.stable_word import StableWord

_ENHANCED: Final = re.compile(r"4\d\d[ -]4\.(\d{1,3})\.\d{1,3}\b")
# Not X.2.0: greylisting says so of everything.
_ABOUT_MAILBOX: Final = re.compile(r"4\d\d[ -]4\.(?:1\.\d{1,3}|2\.[1-4])\b")
_ABOUT_MESSAGE: Final = frozenset({"1", "5", "6"})
_POLICY: Final = "7"
_TOO_MUCH: Final = re.compile(r"\btoo (?:much|many|fast|quickly)\b|\brate\b", re.IGNORECASE)

# RFC 5321 §4.5.3.1.10, RFC 3463 §3.6
_TOO_MANY: Final = re.compile(r"[45]52\b(?![ -][245]\.)|[45]\d\d[ -][45]\.5\.3\b")


class Hindrance(StableWord):
    """The reason why a destination defers a recipient's mail."""

    RATE = "rate-limit"
    POLICY = "policy"


def hindrance(recipient: RecipientOutcome) -> Hindrance | None:
    """Judge what was said of one recipient."""
    if (
        recipient.move is not RecipientMove.DEFERRED
        or recipient.stage is TransactionStage.NONE
        or not recipient.reply.startswith("4")
    ):
        return None
    found = _ENHANCED.match(recipient.reply)
    subject = found[1] if found is not None else ""
    if recipient.stage is TransactionStage.MAIL:
        return None if subject in _ABOUT_MESSAGE else Hindrance.RATE
    if subject != _POLICY:
        return None
    return Hindrance.RATE if _TOO_MUCH.search(recipient.reply) else Hindrance.POLICY


def concerns_mailbox(recipient: RecipientOutcome) -> bool:
    """Return whether a recipient was deferred at RCPT for the state of its mailbox (RFC 3463)."""
    if recipient.move is not RecipientMove.DEFERRED or recipient.stage is not TransactionStage.RCPT:
        return False
    return _ABOUT_MAILBOX.match(recipient.reply) is not None


def takes_few_at_once(outcome: MessageOutcome) -> bool:
    """Return whether some recipients were taken and others were too many for one transaction."""
    recipients = outcome.recipients
    has_some = any(one.move is RecipientMove.DELIVERED for one in recipients)
    return has_some and any(
        one.move is RecipientMove.DEFERRED
        and one.stage is TransactionStage.RCPT
        and _TOO_MANY.match(one.reply)
        for one in recipients
    )
