"""Counts of delivered, deferred and refused messages, for the log and `restante status`."""

from dataclasses import dataclass

from restante.queue.recipient_status import RecipientMove


@dataclass(slots=True)
class DeliveryTally:
    """Counts messages, each once for each outcome it had."""

    delivered: int = 0
    deferred: int = 0
    refused: int = 0
    uncertain: int = 0

    @property
    def tried(self) -> int:
        """How many messages have an outcome."""
        return self.delivered + self.deferred + self.refused + self.uncertain

    def count(self, move: RecipientMove) -> None:
        """Count one message."""
        if move is RecipientMove.DELIVERED:
            self.delivered += 1
        elif move is RecipientMove.REFUSED:
            self.refused += 1
        elif move is RecipientMove.UNCERTAIN:
            self.uncertain += 1
        else:
            self.deferred += 1
