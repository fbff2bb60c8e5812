"""Facts about mailboxes that a drain learns: which were accepted, which do not exist.

They count only if the destination accepted at least one recipient. A destination that answers 5.1.1
to all has lost its list of mailboxes, and its answers must not become our replies to senders.
"""

from typing import Final

from restante.mail.address import split_mailbox
from restante.mail.reply_status import ReplyStatus
from restante.queue.recipient_status import MessageOutcome, RecipientMove
from restante.tenancy.recipients import Recipient, RecipientSource

MOST: Final = 100_000  # names, in the memory of one drain
_NO_MAILBOX: Final = frozenset({"5.1.1", "5.1.6"})  # RFC 3463 §3.2: none, or it has moved
_REFUSALS: Final = range(550, 560)


def says_no_mailbox(status: ReplyStatus | None) -> bool:
    """Return whether a destination's reply says that there is no such mailbox."""
    return status is not None and status.code in _REFUSALS and status.enhanced in _NO_MAILBOX


class RecipientLearning:
    """Collected from outcomes, and returned at the end."""

    def __init__(self) -> None:
        self._names: dict[str, bool] = {}
        self._has_taken = False

    def take(self, outcome: MessageOutcome) -> None:
        """Learn from the outcome of a message."""
        if outcome.is_ours:
            return
        for recipient in outcome.recipients:
            if recipient.move is RecipientMove.DELIVERED:
                self._has_taken = True
                self._note(recipient.forward_path, is_there=True)
            elif recipient.move is RecipientMove.REFUSED and says_no_mailbox(recipient.status):
                self._note(recipient.forward_path, is_there=False)

    def learned(self, at: float) -> list[Recipient]:
        """Return the facts, as of this time."""
        if not self._has_taken:
            return []
        return [
            Recipient(name, RecipientSource.DRAIN, is_there, at)
            for name, is_there in self._names.items()
        ]

    def _note(self, forward_path: str, *, is_there: bool) -> None:
        name = split_mailbox(forward_path).local_part.lower()
        if name in self._names or len(self._names) < MOST:
            self._names[name] = is_there
