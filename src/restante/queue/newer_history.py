"""The recipients that left after a backup was made, by a history that is newer than the store.

A restored backup holds mail again that was handed over since. A recipient counts as gone only if
the history has its outcome under the same number. All other facts of the message must agree. Its
Message-ID alone proves nothing, because the sender chose it. In doubt, a recipient stays held: a
copy too many is better than a message lost.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from restante.queue.recipient_status import RecipientMove
from restante.stable_word import StableWord

GONE: Final = frozenset(
    {
        RecipientMove.DELIVERED,
        RecipientMove.BOUNCED,
        RecipientMove.DELETED,
        RecipientMove.EXPIRED,
    }
)
_SAME_MOMENT: Final = 0.00001  # seconds: an export has microseconds


class MailFacts(NamedTuple):
    """The facts of a message that its history has, too. Times are Unix time."""

    number: int
    received_at: float
    octets: int
    reverse_path: str
    message_id: str  # "" where it has none


class PastOutcome(NamedTuple):
    """The outcome for one recipient, by the newer history."""

    facts: MailFacts
    forward_path: str
    outcome: RecipientMove
    at: float  # Unix time
    reply: str


class HistoryDoubt(StableWord):
    """Why recipients stay held although the newer history has outcomes of their message."""

    OTHER_FACTS = "other-facts", "the history is about another message with this name"
    OTHER_RECIPIENTS = "other-recipients", "the history names other recipients, or only domains"


class GoneRecipients(NamedTuple):
    """The recipients of a held message that have left, and the doubt about the rest."""

    gone: tuple[PastOutcome, ...]  # one for each recipient
    doubt: HistoryDoubt | None = None


def gone_recipients(
    held: MailFacts, forward_paths: Iterable[str], outcomes: Iterable[PastOutcome]
) -> GoneRecipients:
    """Return which of these recipients have left, by the outcomes under the message's number."""
    by_path: dict[str, PastOutcome] = {}
    doubt = None
    for one in outcomes:
        if one.outcome not in GONE:
            continue
        if _is_same(held, one.facts):
            by_path.setdefault(one.forward_path, one)
        else:
            doubt = HistoryDoubt.OTHER_FACTS
    gone = tuple(by_path[path] for path in dict.fromkeys(forward_paths) if path in by_path)
    if by_path and not gone:
        doubt = HistoryDoubt.OTHER_RECIPIENTS
    return GoneRecipients(gone, doubt)


def _is_same(held: MailFacts, told: MailFacts) -> bool:
    is_same_moment = abs(held.received_at - told.received_at) < _SAME_MOMENT
    return is_same_moment and held._replace(received_at=told.received_at) == told
