"""The commands on their way to the server, and the replies that are due to them, in their order.

A reply can answer only octets that have left. So entries count from the `data_to_send` that carried
their cause. The 250 of content cannot come before the content, whatever a proxy says.
"""

from collections import deque
from collections.abc import Iterable

from restante.smtp.client_transaction import ACROSS, MAIL, ClientTransaction, DialogueStep


class DueReplies:
    """The steps of a session whose replies have not come."""

    __slots__ = ("_expected", "_outgoing", "answerable", "outgoing_octets", "taken")

    def __init__(self, first: DialogueStep) -> None:
        """`first` needs nothing of ours: the greeting."""
        self._outgoing: list[bytes] = []
        self._expected: deque[tuple[DialogueStep, ClientTransaction | None]] = deque(
            [(first, None)]
        )
        self.answerable = 1  # how many of those, from the front: their cause has left
        self.outgoing_octets = 0  # that `data_to_send` would return
        self.taken = 0  # replies that have come

    def write(self, data: bytes) -> None:
        """Send data that is not answered by itself."""
        self._outgoing.append(data)
        self.outgoing_octets += len(data)

    def send(
        self, data: bytes, step: DialogueStep, transaction: ClientTransaction | None = None
    ) -> None:
        """Send data that is answered."""
        self.write(data)
        self._expected.append((step, transaction))

    def send_all(self, data: bytes, steps: Iterable[DialogueStep]) -> None:
        """Send several commands of the session at once."""
        self.write(data)
        self._expected.extend((step, None) for step in steps)

    def add_answerable(self, steps: tuple[DialogueStep, ...]) -> None:
        """Expect more replies to octets that have left."""
        self._expected.extend((step, None) for step in steps)
        self.answerable += len(steps)

    def data_to_send(self) -> bytes:
        """Return what must be written now, at once and in order; b"" if nothing."""
        if not self._outgoing:
            return b""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        self.outgoing_octets = 0
        self.answerable = len(self._expected)
        return data

    def take(self) -> None:
        """Count the reply to the front as taken."""
        self._expected.popleft()
        self.answerable -= 1
        self.taken += 1

    def __len__(self) -> int:
        return len(self._expected)

    def front(self) -> tuple[DialogueStep, ClientTransaction | None]:
        """The step whose reply comes next, and its transaction. There must be one."""
        return self._expected[0]

    @property
    def awaited(self) -> DialogueStep | None:
        """The step whose reply comes next, None if no reply is due."""
        return self._expected[0][0] if self._expected else None

    @property
    def awaits_across(self) -> bool:
        """Whether the next reply is to a command behind content: it comes at once, or never."""
        if not self._expected:
            return False
        step, transaction = self._expected[0]
        return step is ACROSS or (
            step is MAIL and transaction is not None and transaction.is_across
        )

    @property
    def last(self) -> DialogueStep | None:
        """The step whose reply comes last, None if no reply is due."""
        return self._expected[-1][0] if self._expected else None

    def has(self, step: DialogueStep) -> bool:
        """Tell whether a reply to this is due."""
        return any(expected is step for expected, _ in self._expected)

    def ends_with(self, transaction: ClientTransaction) -> bool:
        """Tell whether the last reply is one to this transaction."""
        return bool(self._expected) and self._expected[-1][1] is transaction

    def transactions(self) -> list[ClientTransaction]:
        """Return the transaction of each step that has one, in order."""
        return [transaction for _, transaction in self._expected if transaction is not None]
