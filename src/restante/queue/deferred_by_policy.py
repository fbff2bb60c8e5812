"""Deferrals by a policy of the destination: drains are counted, and may be too many. Pure.

    the 4xx stands at   and says                                              it counts
    -----------------   ----------------------------------------------------  ---------
    MAIL, RCPT          X.1.7 or X.1.8 (RFC 3463 §3.2: the sender's address)  yes
    RCPT or later       X.7.x (security or policy), and not too much mail     yes
    RCPT or later       no enhanced code, but words of a policy               yes
    any                 that the server itself has a problem                  no
    before MAIL         a refusal of the client in whose name it would go     once (below)
    any                 5xx by policy that does not stand                     once (below)
    anything else, 421, no reply, or no connection                            no

So mail of a destination that is down, or limits the rate, is never counted. Such replies at MAIL
are mostly about the rate (deferral_cause.py).

Mail with too many of them is marked refused, with the destination's reply. Its sender gets no
report by itself, even where refusals are bounced. A bad reputation can be wrong, and it can end. So
people decide.

A refusal before MAIL is said to a connection, and not of a message. So it never makes a message
refused: it counts in the first drain alone, and not at all where there is a limit. The same holds
for 5xx that does not stand, because many clients are refused (delivery/refused_clients.py).
"""

import re
from typing import Final

from restante.mail.policy_deferrals import PolicyDeferrals
from restante.mail.reply_status import ReplyStatus
from restante.queue.deferral_cause import DeferralCause, hindrance
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    TransactionStage,
)

_ABOUT_SENDER: Final = frozenset({"1.7", "1.8"})
_ENVELOPE: Final = frozenset({TransactionStage.MAIL, TransactionStage.RCPT})
_POLICY_CODES: Final = frozenset({450, 451})  # RFC 5321 §4.2.3: "for policy reasons", and formerly
_POLICY_WORDS: Final = re.compile(
    r"\b(?:gr[ae]y-?list|(?:black|block|deny)-?list|blocked|denied|reject|polic(?:y|ies)\b|spam"
    r"|reputation|spf\b|dmarc\b|reverse (?:dns|name))",
    re.IGNORECASE,
)
# Postfix says "451 4.7.1 Service unavailable" while a milter is down.
_TROUBLE: Final = re.compile(
    r"\b(?:service|server|system)\b.{0,40}\bunavailable\b|\bconfiguration\b|\binternal\b"
    r"|\btemporary\b.{0,40}\b(?:lookup|failure|error|problem)\b",
    re.IGNORECASE,
)


def is_by_policy(recipient: RecipientOutcome) -> bool:
    """Return whether a policy of the destination deferred a recipient's mail."""
    status = recipient.status
    if recipient.move is not RecipientMove.DEFERRED or status is None or not status.is_temporary:
        return False
    if _TROUBLE.search(recipient.reply):
        return False
    if status.topic in _ABOUT_SENDER and recipient.stage in _ENVELOPE:
        return True
    if hindrance(recipient) is DeferralCause.POLICY:
        return True
    return recipient.stage is not TransactionStage.MAIL and _has_policy_words(
        status, recipient.reply
    )


def _has_policy_words(status: ReplyStatus, reply: str) -> bool:
    return (
        not status.enhanced
        and status.code in _POLICY_CODES
        and _POLICY_WORDS.search(reply) is not None
    )


def counted_outcome(
    outcome: MessageOutcome, before: PolicyDeferrals, mark: int, limit: int | None
) -> MessageOutcome:
    """Count the drain with a mark if a policy deferred the message; refuse it at the `limit`.

    `before` is the count as it was read; None as limit: it stays held.
    """
    concerned = [is_by_policy(recipient) for recipient in outcome.recipients]
    if True not in concerned:
        return outcome
    now = before.in_drain(mark)
    recipients = outcome.recipients
    if limit is not None and now.drains >= limit:
        recipients = tuple(
            one._replace(move=RecipientMove.REFUSED) if is_concerned else one
            for one, is_concerned in zip(recipients, concerned, strict=True)
        )
    return outcome._replace(recipients=recipients, deferrals=now)


def counted_refusal_of_client(
    outcome: MessageOutcome, before: PolicyDeferrals, mark: int, limit: int | None
) -> MessageOutcome:
    """Count the first drain in which the client of a message was refused before its mail.

    So the message leaves last in later drains. Arguments as for `counted_outcome`.
    """
    if before.drains or limit is not None:
        return outcome
    return outcome._replace(deferrals=before.in_drain(mark))
