"""Transactions that run ahead of their replies in one session, and count together or not at all (RFC 3030, RFC 2920)."""

from collections.abc import Collection

from restante.smtp.chunking_probe import Way
from restante.smtp.client_events import TransactionEnded, WindowSettled
from restante.smtp.transaction import Transaction
from restante.smtp.window import Pace, Window


class Ahead:
    """What is in the window, with replies or without."""

    __slots__ = ("_may_be_left_open", "_window", "transactions", "way")

    def __init__(self, pace: Pace) -> None:
        self.way = Way.DATA  # until the probe has shown another
        self.transactions: list[Transaction] = []
        self._window = Window(pace)
        self._may_be_left_open = False  # a transaction, at the server: its content is not known to have been taken

    @property
    def has_room(self) -> bool:
        """Whether one more may go."""
        return self._window.has_room

    @property
    def needs_reset(self) -> bool:
        """Whether RSET must stand before the next MAIL."""
        return self.way is Way.AHEAD_WITH_RSET and self._may_be_left_open

    def add(self, transaction: Transaction) -> None:
        """Take one that goes."""
        transaction.is_chunked = True
        self.transactions.append(transaction)
        self._window.take(transaction.message.size)
        self._may_be_left_open = True

    def settle(self) -> list[TransactionEnded | WindowSettled]:
        """Every reply is there: tell what ended, and begin anew."""
        last = self.transactions[-1].content
        self._may_be_left_open = last is None or not last.is_positive
        is_whole = all(transaction.is_delivered for transaction in self.transactions)
        ended = [*map(TransactionEnded, self.transactions), WindowSettled(is_whole)]
        self.transactions.clear()
        self._window.empty()
        return ended

    def settle_answered(self, unanswered: Collection[Transaction]) -> list[TransactionEnded]:
        """Tell of those only that have all their replies: they have them in the order in which they were begun."""
        answered = [transaction for transaction in self.transactions if transaction not in unanswered]
        del self.transactions[: len(answered)]
        return [TransactionEnded(transaction) for transaction in answered]
