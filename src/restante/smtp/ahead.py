"""Transactions that run ahead of their replies in one session, and count together or not at all (RFC 3030, RFC 2920).

DATA has its 354 between the replies to recipients and the one to content; here all are 250. If a
server says one 250 too many, each later reply stands in the place of the one after it, and the last
content would count as taken on the word for its recipient, before the server has said anything of
it. Two things tell them apart:

- Enhanced codes, where there are any: the reply to a recipient is about an address, x.1.x (RFC 3463 §3.2); the one to
  content is not.
- Where there are none (Exim), the words: each message that is taken gets a name of its own, so no two replies to content
  are alike, and none is like one to a command of this session: a window of one message has too few to compare with. The
  first message goes alone, so that a server which says the same to everything gets one copy before DATA is spoken to it
  (delivery/pipelining_backoff.py).
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from restante.smtp.chunking_probe import SendingMode
from restante.smtp.client_events import TransactionEnded, WindowSettled
from restante.smtp.client_transaction import ClientTransaction
from restante.smtp.peer_replies import ServerReply
from restante.smtp.protocol_errors import PeerBroke
from restante.smtp.window import Pace, SendWindow

_Words = tuple[bytes, ...]  # the lines of a reply
_MOST_WORDS: Final = (
    1000  # replies to commands that are remembered; a server that repeats the path has one for each
)


class Ahead:
    """What is in the window, with replies or without."""

    __slots__ = ("_heard", "_is_proven", "_may_be_left_open", "_window", "transactions", "way")

    def __init__(self, pace: Pace) -> None:
        self.way = SendingMode.DATA  # until the probe has shown another
        self.transactions: list[ClientTransaction] = []
        self._window = SendWindow(pace)
        self._heard: set[_Words] = set()  # replies to commands, where words must tell
        self._is_proven = False  # the server's replies can be told apart
        self._may_be_left_open = (
            False  # a transaction, at the server: its content is not known to have been taken
        )

    def open(self, way: SendingMode, *, has_codes: bool) -> None:
        """Begin, with what the probe has shown."""
        self.way = way
        self._is_proven = has_codes

    @property
    def has_room(self) -> bool:
        """Whether one more may go."""
        return self._window.has_room and (self._is_proven or not self.transactions)

    @property
    def needs_reset(self) -> bool:
        """Whether RSET must stand before the next MAIL."""
        return self.way is SendingMode.AHEAD_WITH_RSET and self._may_be_left_open

    def add(self, transaction: ClientTransaction) -> None:
        """Take one that goes."""
        transaction.is_chunked = True
        self.transactions.append(transaction)
        self._window.take(transaction.message.size)
        self._may_be_left_open = True

    def settle(self) -> list[TransactionEnded | WindowSettled]:
        """Every reply is there: tell what ended, and begin anew.

        Raises PeerBroke if they are not where they belong.
        """
        if not self._is_in_step():
            raise PeerBroke(
                "the replies to content are like those to commands: which is which cannot be told"
            )
        self._is_proven = True
        last = self.transactions[-1].content
        self._may_be_left_open = last is None or not last.is_positive
        is_whole = all(transaction.is_delivered for transaction in self.transactions)
        ended: list[TransactionEnded | WindowSettled] = [*map(TransactionEnded, self.transactions)]
        ended.append(WindowSettled(is_whole))
        self.transactions.clear()
        self._window.empty()
        return ended

    def _is_in_step(self) -> bool:
        """Tell whether the replies by which content was taken can be those to content; remember what commands got."""
        content = [
            reply
            for one in self.transactions
            if (reply := one.content) is not None and reply.is_positive
        ]
        if any(_is_about_address(reply) for reply in content):
            return False
        if all(
            _is_about_address(reply)
            for one in self.transactions
            for reply in one.recipients
            if reply.is_positive
        ):
            return True
        if len(self._heard) > _MOST_WORDS:
            self._heard.clear()
        self._heard.update(_replies_to_commands(self.transactions))
        words = {reply.lines for reply in content}
        return len(words) == len(content) and words.isdisjoint(self._heard)

    def settle_answered(self, unanswered: Collection[ClientTransaction]) -> list[TransactionEnded]:
        """Tell of those only that have all their replies: they have them in the order in which they were begun."""
        answered = [
            transaction for transaction in self.transactions if transaction not in unanswered
        ]
        del self.transactions[: len(answered)]
        return [TransactionEnded(transaction) for transaction in answered]


def _is_about_address(reply: ServerReply) -> bool:
    return reply.enhanced[1:3] == ".1"


def _replies_to_commands(transactions: Sequence[ClientTransaction]) -> Iterator[_Words]:
    for transaction in transactions:
        yield from (
            reply.lines
            for reply in (transaction.mail, *transaction.recipients)
            if reply is not None
        )
