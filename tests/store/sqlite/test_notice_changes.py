"""Changes of channels and notices, each as one transaction."""

from dataclasses import replace

import pytest

from restante.store.sqlite import notice_changes, record_changes
from restante.store.store_errors import Conflict
from restante.tenancy.notice import (
    Channel,
    ChannelTransport,
    NewNotice,
    NoticeFacts,
    NoticeKind,
    QuietTopic,
)
from tests.contract.making import NOTED
from tests.store.sqlite.tables import Tables

HOOK = Channel(
    0,
    "alpha",
    "hook",
    ChannelTransport.WEBHOOK,
    "https://c.example/",
    b"\0",
    frozenset({NoticeKind.TEST}),
    1.0,
)
FACTS = NoticeFacts(NoticeKind.TEST, "alpha", "thing", "text", 5.0, {})


@pytest.fixture
def tables() -> Tables:
    """An account with a domain and a channel, both numbered 1."""
    tables = Tables()
    tables.host()
    assert tables.change(notice_changes.put_channel, HOOK, NOTED, None).id == 1
    return tables


def notices(*channels: int) -> list[NewNotice]:
    """One notice for each."""
    return [
        NewNotice(number, f"key {place}", FACTS, 0, float(place))
        for place, number in enumerate(channels)
    ]


def changes(tables: Tables) -> tuple[int, int]:
    """The change number, and how many entries the trail has."""
    [(number,)] = tables.rows("SELECT value FROM counter WHERE name = 'change-number'")
    return number, len(tables.rows("SELECT 1 FROM audit"))


@pytest.mark.parametrize(
    "channel",
    [
        HOOK,
        replace(HOOK, id=9),
        replace(HOOK, id=1, name="other"),
        replace(HOOK, account="gone"),
        replace(HOOK, account="", id=1),
    ],
)
def test_a_channel_that_conflicts_changes_nothing(tables: Tables, channel: Channel) -> None:
    before = changes(tables), tables.rows("SELECT * FROM channel")
    with pytest.raises(Conflict):
        tables.change(notice_changes.put_channel, channel, NOTED, None)
    assert (changes(tables), tables.rows("SELECT * FROM channel")) == before


def test_a_changed_channel_gets_what_waits_for_it_at_once(tables: Tables) -> None:
    tables.change(notice_changes.keep_notices, notices(1, 1), [], [], 10)
    tables.connection.execute("UPDATE notice SET next_attempt_at = 500.0 WHERE key = 'key 0'")
    changed = replace(HOOK, id=1, target="https://d.example/")
    number, entries = changes(tables)
    assert (
        tables.change(notice_changes.put_channel, changed, replace(NOTED, at=60.0), None) == changed
    )
    assert changes(tables) == (number + 1, entries + 1)
    due = tables.rows("SELECT key, next_attempt_at FROM notice ORDER BY key")
    assert due == [("key 0", 60.0), ("key 1", 1.0)]


def test_a_channel_takes_its_notices_along_and_is_removed_once(tables: Tables) -> None:
    tables.change(notice_changes.keep_notices, notices(1, 1), [], [], 10)
    number, entries = changes(tables)
    tables.change(notice_changes.delete_channel, 1, NOTED)
    tables.change(notice_changes.delete_channel, 1, NOTED)
    assert tables.rows("SELECT 1 FROM notice UNION ALL SELECT 1 FROM channel") == []
    assert changes(tables) == (number + 1, entries + 1)


def test_of_too_many_the_oldest_go_and_those_for_nobody_are_passed_over(tables: Tables) -> None:
    lost = tables.change(notice_changes.keep_notices, notices(1, 7, 1, 1), [], [], 2)
    assert lost == 1
    assert tables.rows("SELECT key FROM notice ORDER BY key") == [("key 2",), ("key 3",)]


def test_a_topic_is_kept_quiet_until_it_is_over(tables: Tables) -> None:
    first, longer = QuietTopic(FACTS.topic, 9.0, 1, FACTS), QuietTopic(FACTS.topic, 20.0, 2, None)
    for quiet in (first, longer):
        tables.change(notice_changes.keep_notices, [], [quiet], [], 10)
    assert tables.rows("SELECT until, held_back FROM quiet") == [(20.0, 2)]
    tables.change(notice_changes.keep_notices, [], [], [FACTS.topic], 10)
    assert tables.rows("SELECT 1 FROM quiet") == []


def test_an_account_with_a_channel_stays(tables: Tables) -> None:
    tables.change(record_changes.delete_domain, 1, NOTED)
    with pytest.raises(Conflict, match="channels"):
        tables.change(record_changes.delete_account, "alpha", NOTED)
