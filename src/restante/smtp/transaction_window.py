"""Transactions that run ahead of their replies in one session, and settle as a unit.

References: RFC 3030, RFC 2920. DATA has its 354 between the replies to recipients and the one to
content; here all are 250. A server may send one 250 too many. Then each later reply stands in the
place of the one after it. The last content would count as accepted by the reply to its recipient,
before the server has answered the content itself. Two things tell them apart:

- Enhanced codes, if the server sends them. The reply to a recipient is about an address, x.1.x
  (RFC 3463 §3.2); the one to content is not.
- Otherwise the text (Exim). Each accepted message gets a name of its own. So no two replies to
  content are alike, and none is like a reply to a command of this session. A window of one message
  has too few replies to compare. The first message goes alone. So a server that gives the same
  reply to everything gets one copy before the session falls back to DATA
  (delivery/pipelining_backoff.py).

A server may offer CHUNKING, pass the probe, and still refuse the command: 500 to 504 to each chunk.
If it has taken none in this session, that is no verdict on the messages. They are sent by DATA.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from restante.smtp.chunking_probe import SendingMode
from restante.smtp.client_events import TransactionEnded, WindowSettled
from restante.smtp.client_transaction import ClientTransaction
from restante.smtp.peer_replies import ServerReply
from restante.smtp.protocol_errors import PeerBroke
from restante.smtp.window_size import SendWindow, WindowPace

_Words = tuple[bytes, ...]  # the lines of a reply
_REFUSES_COMMAND: Final = range(500, 505)  # RFC 5321 §4.2.2
_MOST_WORDS: Final = (
    1000  # replies to commands that are remembered; a server that repeats the path has one for each
)


class TransactionWindow:
    """The transactions in the window, with replies or without."""

    __slots__ = (
        "_has_taken",
        "_heard",
        "_is_proven",
        "_may_be_left_open",
        "_window",
        "mode",
        "transactions",
    )

    def __init__(self, pace: WindowPace) -> None:
        self.mode = SendingMode.DATA  # until the probe has shown another
        self.transactions: list[ClientTransaction] = []
        self._window = SendWindow(pace)
        self._heard: set[_Words] = set()  # replies to commands, where words must tell
        self._is_proven = False  # the server's replies can be told apart
        self._has_taken = False  # the server has taken content
        self._may_be_left_open = (
            False  # a transaction, at the server: its content is not known to have been taken
        )

    def open(self, mode: SendingMode, *, has_codes: bool) -> None:
        """Begin, with the result of the probe."""
        self.mode = mode
        self._is_proven = has_codes

    @property
    def has_room(self) -> bool:
        """Whether one more may go."""
        return self._window.has_room and (self._is_proven or not self.transactions)

    @property
    def needs_reset(self) -> bool:
        """Whether RSET must stand before the next MAIL."""
        return self.mode is SendingMode.AHEAD_WITH_RSET and self._may_be_left_open

    def add(self, transaction: ClientTransaction) -> None:
        """Take one that goes."""
        transaction.is_chunked = True
        self.transactions.append(transaction)
        self._window.take(transaction.message.size)
        self._may_be_left_open = True

    def settle(self) -> list[TransactionEnded | WindowSettled]:
        """Every reply is there: return the transactions that ended, and begin again.

        Raises PeerBroke if they are not where they belong.
        """
        if not self._is_in_step():
            raise PeerBroke(
                "the replies to content are like those to commands and cannot be told apart"
            )
        self._find_command_refused()
        self._is_proven = True
        last = self.transactions[-1].content
        self._may_be_left_open = last is None or not last.is_positive
        is_whole = all(transaction.is_delivered for transaction in self.transactions)
        ended: list[TransactionEnded | WindowSettled] = [*map(TransactionEnded, self.transactions)]
        ended.append(WindowSettled(is_whole))
        self.transactions.clear()
        self._window.empty()
        return ended

    def _find_command_refused(self) -> None:
        """Raise PeerBroke if the server refuses the command: none of the window was taken."""
        content = [
            one.content
            for one in self.transactions
            if one.content is not None and one.has_recipients
        ]
        self._has_taken |= any(reply.is_positive for reply in content)
        if self._has_taken or not content:
            return
        if all(reply.code in _REFUSES_COMMAND for reply in content):
            raise PeerBroke(f"BDAT is offered and refused: {content[0].text}")

    def _is_in_step(self) -> bool:
        """Tell whether the replies that accepted content can be those to content.

        Remember the replies to commands.
        """
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
        """Return only those that have all their replies; replies come in the order of sending."""
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
