"""How much may run ahead of its replies: a bounded window that fits the server's pace.

A window is filled, and settled as a whole when the last of its replies is there. Its messages are
sent again if the connection is lost before. So it is kept as small as the connection allows. It
starts with a few messages, and at least doubles while the server answers quickly and takes all. It
is halved where the server needs seconds for it. A large window helps over a long distance, and is
useless for a server that is slow itself.

The next window is as large as the time of this one allows. It would be quick even if the server
needed as long for each of its messages. Over a distance, most of the time of a small window is that
of the path. So windows of 1 and 2 messages are followed by one of 16, and by one of 64.

A server that is not known gets one message first, then two. So one that is silent at BDAT keeps one
message. One that drops the octets behind a chunk shows that in the window of two, and gets one
copy. Where the last drain went well, its windows are used at once (delivery/drain_experience.py).
"""

from math import inf
from typing import Final

from restante.smtp.pipelining import ContentPipelining

FEWEST_MESSAGES: Final = 4
MOST_MESSAGES: Final = 64  # the copies that one lost connection can make, at most
MOST_OCTETS: Final = 4 * 1024 * 1024
QUICK: Final = 2.0  # seconds from the first octet sent to the last reply
SLOW: Final = 5.0
_SEVERAL: Final = 2  # messages
_STEPS: Final = 3  # windows of 1 and 2, and the next
_DOUBLE: Final = 2  # times the last window, where it was quick; after a loss, no more than that
_LEAP: Final = 8  # the same, where it was so quick, at most: it is all that the server has proven
_MANY: Final = MOST_MESSAGES // 4  # messages whose time tells how fast the server is


class WindowPace:
    """How many messages a window takes.

    The connections of one attempt share it: the server behind them is the same.
    """

    __slots__ = (
        "_last",
        "_leap",
        "_settled",
        "across",
        "large_seconds",
        "messages",
        "proven",
        "quickest_seconds",
        "together",
    )

    def __init__(self, proven: int = MOST_MESSAGES, messages: int = FEWEST_MESSAGES) -> None:
        """`proven`: the messages of the largest window that the server has answered, 0 for none.

        `messages`: those of the first window, if so many are proven.
        """
        self.messages = messages
        self.proven = proven
        self._settled = 0  # windows
        self._leap = _LEAP
        self._last = 0  # messages in the last of them
        self.quickest_seconds = inf  # of a window: about the round trip
        self.large_seconds = 0.0  # of the last window of many messages; 0.0: there was none
        self.across = ContentPipelining.UNTRIED
        self.together = (
            1  # how many got their replies together the last time: one, while nothing runs ahead
        )

    @property
    def most(self) -> int:
        """How many messages the next window takes."""
        return min(self.messages, max(1, 2 * self.proven)) if self.is_trying else self.messages

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
        self._last = messages
        self.proven = max(self.proven, messages)

    def adapt(self, seconds: float, *, is_whole: bool) -> None:
        """Set the size of the next window by the time of one, and whether it was all delivered."""
        self.together = self.most
        self.quickest_seconds = min(self.quickest_seconds, seconds)
        if is_whole and self._last >= _MANY:
            self.large_seconds = seconds
        if seconds > SLOW or not is_whole:
            self.messages = max(self.messages // 2, FEWEST_MESSAGES)
        elif seconds < QUICK:
            self.messages = min(max(self.messages, self._affordable(seconds)), MOST_MESSAGES)

    def _affordable(self, seconds: float) -> int:
        """Return how many messages would be quick, by the time of the last window."""
        by_time = QUICK / seconds if seconds > 0 else inf
        return int(self._last * min(max(_DOUBLE, by_time), self._leap))

    def start_again(self) -> None:
        """Shrink the next windows: a lost connection's window is sent a second time."""
        self.messages = FEWEST_MESSAGES
        self._leap = _DOUBLE


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
