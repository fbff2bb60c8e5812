"""News wait in memory that is bounded, and no defect reaches their publisher."""

import pytest

from restante.notices import notice_inbox
from restante.notices.notice_inbox import MOST_TOPICS, NoticeInbox
from restante.telemetry.event_fields import example
from restante.telemetry.events import Event, MailAfterQuiet, MailHeld
from tests.wire import NOW


def came(domain: str = "a.example", messages: int = 1) -> MailAfterQuiet:
    return MailAfterQuiet(domain=domain, account="alpha", messages=messages)


class Scene:
    def __init__(self) -> None:
        self.inbox = NoticeInbox(lambda: NOW)
        self.woken = 0
        self.inbox.on_arrival(self.wake)

    def wake(self) -> None:
        self.woken += 1

    def hear(self, *events: Event) -> None:
        for event in events:
            self.inbox.hear(event)

    def counts(self) -> dict[str, int]:
        return {topic[2]: heard.count for topic, heard in self.inbox.topics.items()}


def test_an_event_that_is_news_waits_with_its_time_and_wakes_the_outbox() -> None:
    scene = Scene()
    scene.hear(came())
    [heard] = scene.inbox.topics.values()
    assert (heard.last.about, heard.last.at, heard.count) == ("a.example", NOW, 1)
    assert scene.woken == 1


def test_an_event_that_is_no_news_wakes_nobody() -> None:
    scene = Scene()
    scene.hear(example(MailHeld))
    assert (scene.counts(), scene.woken) == ({}, 0)


def test_of_one_topic_the_last_is_kept_and_the_others_are_counted() -> None:
    scene = Scene()
    scene.hear(came(messages=1), came("b.example"), came(messages=7))
    assert scene.counts() == {"a.example": 2, "b.example": 1}
    assert next(iter(scene.inbox.topics.values())).last.details["messages"] == 7


def test_beyond_so_many_topics_further_ones_are_counted_only() -> None:
    scene = Scene()
    scene.hear(*(came(f"d{number}.example") for number in range(MOST_TOPICS + 5)))
    assert (len(scene.inbox.topics), scene.inbox.dropped) == (MOST_TOPICS, 5)
    scene.hear(came("d0.example"))
    assert (scene.counts()["d0.example"], scene.inbox.dropped) == (2, 5)


def test_news_that_are_taken_are_forgotten() -> None:
    scene = Scene()
    scene.hear(came())
    assert [heard.count for heard in scene.inbox.take().values()] == [1]
    assert scene.inbox.take() == {}


def test_news_that_were_taken_back_come_before_those_that_came_since() -> None:
    scene = Scene()
    scene.hear(came("a.example", 1), came("b.example"))
    taken = scene.inbox.take()
    scene.hear(came("c.example"), came("a.example", 9))
    scene.inbox.take_back(taken)
    assert list(scene.counts().items()) == [("a.example", 2), ("b.example", 1), ("c.example", 1)]
    assert next(iter(scene.inbox.topics.values())).last.details["messages"] == 9


def test_news_for_which_there_is_no_room_any_more_are_counted_as_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notice_inbox, "MOST_TOPICS", 2)
    scene = Scene()
    scene.hear(came("a.example"), came("b.example"))
    taken = scene.inbox.take()
    scene.hear(came("c.example"), came("c.example"))
    scene.inbox.take_back(taken)
    assert list(scene.counts()) == ["a.example", "b.example"]
    assert scene.inbox.dropped == 2


def test_a_defect_is_kept_for_the_log_and_does_not_reach_the_publisher(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(notice_inbox, "notice_facts_in", broken)
    scene = Scene()
    scene.hear(came())
    assert isinstance(scene.inbox.defect, ZeroDivisionError)
    assert scene.woken == 1, "the outbox logs it"
