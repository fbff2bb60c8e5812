"""Log lines about refusals in a session: the first ones whole, the rest as a count.

A client can have recipients and content refused as fast as it can send them. Each line is longer
than the command that caused it. So a session has LINES_WHOLE of each event. Later ones are counted
by reply. They are written when the session ends, in a line with `count` for each reply. Metrics
count lines by the same field, so they are exact once the session has ended.
"""

from collections import Counter
from typing import Final

from restante.telemetry.event_bus import Log
from restante.telemetry.events import MailRefused, RecipientRefused

LINES_WHOLE: Final = 10  # of each event in a session
_REST: Final = "further ones of this session"

_RefusalEvent = MailRefused | RecipientRefused


class RefusalLog:
    """The lines of one session."""

    __slots__ = ("_is_closed", "_log", "_peer", "_rest", "_written")

    def __init__(self, log: Log, peer: str) -> None:
        self._log = log
        self._peer = peer
        self._written: Counter[type[_RefusalEvent]] = Counter()
        self._rest: Counter[tuple[type[_RefusalEvent], int, str]] = (
            Counter()
        )  # by event and reply: both are our own words
        self._is_closed = False

    def write(self, event: _RefusalEvent) -> None:
        """Publish or count an event. After `close` each is published, such as a late answer."""
        kind = type(event)
        if self._written[kind] < LINES_WHOLE or self._is_closed:
            self._written[kind] += 1
            self._log.publish(event)
        else:
            self._rest[kind, event.code, event.answer] += 1

    def close(self) -> None:
        """Publish the counted refusals. May be called again."""
        rest, self._rest = self._rest, Counter()
        self._is_closed = True
        for (kind, code, answer), count in rest.items():
            self._log.publish(
                kind(peer=self._peer, code=code, answer=answer, reason=_REST, count=count)
            )
