"""Hears every line of the log as it is written, and keeps what is news until the outbox takes it.

On the way of every line: a line that is no news costs one look-up. What is kept is bounded: the same again is only
counted, and of too many different things the further ones are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from restante.notices.rules import RULES
from restante.telemetry.events import Event
from restante.tenancy.notice import NoticeFacts, Topic

MOST_TOPICS: Final = 1000


@dataclass(slots=True)
class Heard:
    """The last news on a topic, and how often there was some."""

    last: NoticeFacts
    count: int = 1


class NoticeInbox:
    """What has happened and was not taken yet. Belongs to the event loop."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is Unix time."""
        self._now = now
        self.topics: dict[Topic, Heard] = {}
        self.dropped = 0  # news for which there was no room
        self.defect: Exception | None = None  # a line that could not be understood
        self._news_listeners: list[Callable[[], None]] = []

    def on_news(self, listener: Callable[[], None]) -> None:
        """Call this after each event that a rule applies to."""
        self._news_listeners.append(listener)

    def hear(self, event: Event, fields: dict[str, Any]) -> None:
        """Hear one line of the log. Raises nothing: whoever writes the line has other things to do."""
        rule = RULES.get(event)
        if rule is None:
            return
        try:
            for news in rule(fields, self._now()):
                self._keep(Heard(news))
        except Exception as error:  # noqa: BLE001  the boundary: a defect here must not reach what is told of
            self.defect = error
        for listener in self._news_listeners:
            listener()

    def take(self) -> dict[Topic, Heard]:
        """Hand over everything."""
        topics, self.topics = self.topics, {}
        return topics

    def take_back(self, topics: dict[Topic, Heard]) -> None:
        """Keep what could not be dealt with, before what has come since."""
        since = self.take()
        self.topics = topics
        for heard in since.values():
            self._keep(heard)

    def _keep(self, heard: Heard) -> None:
        known = self.topics.get(heard.last.topic)
        if known is not None:
            known.last, known.count = heard.last, known.count + heard.count
        elif len(self.topics) < MOST_TOPICS:
            self.topics[heard.last.topic] = heard
        else:
            self.dropped += heard.count
