"""How much may run ahead of its replies: a bounded window that fits the server's pace.

A window is filled, and settled as a whole when the last of its replies is there. Its messages are
sent again if the connection is lost before. So it is kept as small as the connection allows. It
starts with a few messages, and doubles while the server answers quickly and takes all. It is halved
where the server needs seconds for it. A large window helps over a long distance, and is useless for
a server that is slow itself.

A server that is not known gets one message first, then two, and then twice as many as it has
answered together. So one that is silent at BDAT keeps one message. One that drops the octets behind
a chunk shows that in the window of two, and gets one copy.
"""

from typing import Final

from restante.smtp.pipelining import ContentPipelining

FEWEST_MESSAGES: Final = 4
MOST_MESSAGES: Final = 64  # the copies that one lost connection can make, at most
MOST_OCTETS: Final = 4 * 1024 * 1024
QUICK: Final = 2.0  # seconds from the first octet sent to the last reply
SLOW: Final = 5.0
_SEVERAL: Final = 2  # messages
_STEPS: Final = 3  # windows of 1, 2 and 4


class WindowPace:
    """How many messages a window takes.

    The connections of one attempt share it: the server behind them is the same.
    """

    __slots__ = ("_settled", "across", "messages", "proven", "together")

    def __init__(self, proven: int = MOST_MESSAGES) -> None:
        """`proven`: the messages of the largest window that the server has answered, 0 for none."""
        self.messages = FEWEST_MESSAGES
        self.proven = proven
        self._settled = 0  # windows
        self.across = ContentPipelining.UNTRIED
        self.together = (
            1  # how many got their replies together the last time: one, while nothing runs ahead
        )

    @property
    def most(self) -> int:
        """How many messages the next window takes."""
        return min(self.messages, max(1, 2 * self.proven))

    @property
    def is_trying(self) -> bool:
        """Whether no window of several messages has been answered yet."""
        return self.proven < _SEVERAL

    @property
    def is_finding_out(self) -> bool:
        """Whether a window proves how large the next may be: one connection is enough for that."""
        return self.proven < FEWEST_MESSAGES and self._settled < _STEPS

    def settle(self, messages: int) -> None:
        """Count a window that was answered."""
        self._settled += 1
        self.proven = max(self.proven, messages)

    def adapt(self, seconds: float, *, is_whole: bool) -> None:
        """Set the size of the next window by the time of one, and whether it was all delivered."""
        self.together = self.most
        if seconds > SLOW or not is_whole:
            self.messages = max(self.messages // 2, FEWEST_MESSAGES)
        elif seconds < QUICK:
            self.messages = min(self.messages * 2, MOST_MESSAGES)

    def start_again(self) -> None:
        """Shrink the next windows: a lost connection's window is sent a second time."""
        self.messages = FEWEST_MESSAGES


class SendWindow:
    """Of one session."""

    __slots__ = ("_count", "_octets", "_pace")

    def __init__(self, pace: WindowPace) -> None:
        self._pace = pace
        self._count = 0
        self._octets = 0

    @property
    def has_room(self) -> bool:
        """Whether one more message may go; an empty window takes one of any size."""
        return self._count < self._pace.most and self._octets < MOST_OCTETS

    def take(self, octets: int) -> None:
        """Count a message that goes."""
        self._count += 1
        self._octets += octets

    def empty(self) -> None:
        """Begin again: everything has its replies."""
        self._pace.settle(self._count)
        self._count = 0
        self._octets = 0
