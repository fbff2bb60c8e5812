"""Gets the events that cause notices, and keeps them until the outbox takes them.

Memory is bounded: repeated events are only counted, and beyond a number of different ones, further
ones are only counted too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from restante.notices.notice_rules import RULES, notice_facts_in
from restante.telemetry.events import Event
from restante.tenancy.notice import NoticeFacts, Topic

MOST_TOPICS: Final = 1000


@dataclass(slots=True)
class HeardTopic:
    """The last event of a topic, and the number of events."""

    last: NoticeFacts
    count: int = 1


class NoticeInbox:
    """Events that the outbox has not taken yet. Belongs to the event loop."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is Unix time."""
        self._now = now
        self.topics: dict[Topic, HeardTopic] = {}
        self.dropped = 0  # facts for which there was no room
        self.defect: Exception | None = None  # a line that could not be understood
        self._listeners: list[Callable[[], None]] = []
        self._facts_listeners: list[Callable[[NoticeFacts], None]] = []

    def on_arrival(self, listener: Callable[[], None]) -> None:
        """Call this after each event that a rule applies to."""
        self._listeners.append(listener)

    def on_facts(self, listener: Callable[[NoticeFacts], None]) -> None:
        """Call this with everything that a rule makes of an event."""
        self._facts_listeners.append(listener)

    def hear(self, event: Event) -> None:
        """Take an event. Raises nothing: its publisher must not fail."""
        if type(event) not in RULES:
            return
        try:
            for facts in notice_facts_in(event, self._now()):
                self._keep(HeardTopic(facts))
                for listen in self._facts_listeners:
                    listen(facts)
        except Exception as error:  # noqa: BLE001  the boundary: no defect reaches the publisher
            self.defect = error
        for listener in self._listeners:
            listener()

    def take(self) -> dict[Topic, HeardTopic]:
        """Return everything and forget it."""
        topics, self.topics = self.topics, {}
        return topics

    def take_back(self, topics: dict[Topic, HeardTopic]) -> None:
        """Keep events that could not be processed, before those that came since."""
        since = self.take()
        self.topics = topics
        for heard in since.values():
            self._keep(heard)

    def _keep(self, heard: HeardTopic) -> None:
        known = self.topics.get(heard.last.topic)
        if known is not None:
            known.last, known.count = heard.last, known.count + heard.count
        elif len(self.topics) < MOST_TOPICS:
            self.topics[heard.last.topic] = heard
        else:
            self.dropped += heard.count
