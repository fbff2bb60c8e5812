"""The log's lines about what a session was refused: the first ones whole, the rest as a count.

A client may have recipients and content refused as fast as it can send them, and each line is longer
than the command that caused it. So a session has LINES_WHOLE of each event. What comes after them is
counted by reply, and written when the session ends, in a line with `count` for each reply. Metrics
count lines by the same field, so they are exact once the session has ended.
"""

from collections import Counter
from typing import Any, Final

from restante.telemetry.events import Event
from restante.telemetry.log import Log
from restante.tenancy.model import IpAddress

LINES_WHOLE: Final = 10  # of each event in a session
_REST: Final = "further ones of this session"


class RefusalLines:
    """One session's."""

    __slots__ = ("_is_closed", "_log", "_peer", "_rest", "_written")

    def __init__(self, log: Log, peer: IpAddress) -> None:
        self._log = log
        self._peer = str(peer)
        self._written: Counter[Event] = Counter()
        self._rest: Counter[tuple[Event, str]] = (
            Counter()
        )  # by event and reply: both are words of ours
        self._is_closed = False

    def write(self, event: Event, answer: str, **fields: Any) -> None:
        """Write a line, or count it. After `close` each is written: an answer that was on its way."""
        if self._written[event] < LINES_WHOLE or self._is_closed:
            self._written[event] += 1
            self._log.write(event, peer=self._peer, answer=answer, **fields)
        else:
            self._rest[event, answer] += 1

    def close(self) -> None:
        """Write what was only counted. May be called again."""
        rest, self._rest = self._rest, Counter()
        self._is_closed = True
        for (event, answer), count in rest.items():
            self._log.write(event, peer=self._peer, answer=answer, count=count, reason=_REST)
