"""Questions to the tables: the bounds of an answer, and damage that an answer passes over."""

from contextlib import nullcontext
from typing import Any

import pytest

from restante.queue.recipient_status import RecipientStatus
from restante.store.queue_store import QueueFilter
from restante.store.sqlite import (
    engine,
    mail_changes,
    mail_reading,
)
from restante.store.store_errors import SearchTooLong
from tests.contract.making import (
    ANNA,
    BERT,
    CONTENT,
    content_file,
    refused,
    uncertain,
)
from tests.store.sqlite.tables import Tables

SIZE = len(CONTENT)


@pytest.fixture
def tables() -> Tables:
    """One domain with five messages to Anna and Bert; Bert is refused of the fourth."""
    tables = Tables()
    tables.host()
    for number in range(1, 6):
        tables.hold(number, 1, ANNA, BERT)
    tables.change(mail_changes.settle, tables.drain(1), [refused(4, BERT)], at=50.0)
    return tables


def spoil(tables: Tables, number: int) -> None:
    """Change content behind the back of its checksum."""
    tables.connection.execute("UPDATE message SET head = x'00' WHERE number = ?", (number,))


@pytest.mark.parametrize(
    ("after", "limit", "max_octets", "numbers"),
    [
        (0, 100, 1 << 30, [1, 2, 3, 4, 5]),
        (2, 100, 1 << 30, [3, 4, 5]),
        (0, 2, 1 << 30, [1, 2]),
        (0, 100, 2 * SIZE, [1, 2]),
        (0, 100, 2 * SIZE + 1, [1, 2, 3]),
        (0, 100, 0, [1]),
        (5, 100, 1 << 30, []),
    ],
)
def test_a_window_ends_at_its_bounds_and_has_at_least_one_message(
    tables: Tables, after: int, limit: int, max_octets: int, numbers: list[int]
) -> None:
    window = mail_reading.held(tables.connection, 1, after, limit, max_octets)
    assert [one.number for one in window.messages] == numbers


def test_a_window_goes_past_damaged_messages_and_names_them(tables: Tables) -> None:
    spoil(tables, 1)
    spoil(tables, 3)
    window = mail_reading.held(tables.connection, 1, 0, 2, 1 << 30)
    assert [one.number for one in window.messages] == [2, 4]
    assert [(one.number, one.domain_id) for one in window.damaged] == [(1, 1), (3, 1)]


def test_one_message_comes_with_all_its_recipients_or_its_damage(tables: Tables) -> None:
    found = mail_reading.message(tables.connection, 4)
    assert not isinstance(found, mail_reading.UnreadableMessage)
    assert found is not None
    assert found.envelope.forward_paths == (ANNA, BERT)
    assert mail_reading.message(tables.connection, 99) is None
    spoil(tables, 4)
    assert mail_reading.message(tables.connection, 4) == mail_reading.UnreadableMessage(
        4, "its content does not match its checksum", 1
    )


def test_a_damaged_file_is_traced_to_its_message(tables: Tables) -> None:
    tables.hold(6, 1, file=content_file("0/six", b"content"))
    assert mail_reading.damage_of_file(tables.connection, "0/six", "is missing") == [
        mail_reading.UnreadableMessage(6, "is missing", 1)
    ]
    assert mail_reading.damage_of_file(tables.connection, "0/none", "is missing") == []


@pytest.mark.parametrize(
    ("selection", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"limit": 2}, [1, 2]),
        ({"after": 3}, [4, 5]),
        ({"status": RecipientStatus.REFUSED}, [4]),
        ({"status": RecipientStatus.HELD, "domain_ids": (1,)}, [1, 2, 3, 4, 5]),
        ({"status": RecipientStatus.REFUSED, "domain_ids": (1,)}, [4]),
        ({"domain_ids": ()}, []),
        ({"domain_ids": (9,)}, []),
        ({"numbers": (2, 4, 77)}, [2, 4]),
        ({"numbers": ()}, []),
        ({"numbers": (2, 4), "domain_ids": (9,)}, []),
        ({"recipient": "BERT@*", "status": RecipientStatus.HELD}, [1, 2, 3, 5]),
        ({"received_before": 3.0}, [1, 2]),
        ({"larger_than": SIZE}, []),
        ({"reverse_path": ""}, []),
    ],
)
def test_a_listing_has_what_matches_in_order(
    tables: Tables, selection: dict[str, Any], numbers: list[int]
) -> None:
    found = mail_reading.queue(tables.connection, QueueFilter(**selection))
    assert [one.number for one in found] == numbers


@pytest.mark.parametrize(
    ("status", "before", "limit", "numbers"),
    [
        (RecipientStatus.HELD, 3.0, 100, [1, 2]),
        (RecipientStatus.HELD, 10.0, 100, [1, 2, 3, 5]),  # the fourth was touched at 50
        (RecipientStatus.HELD, 10.0, 2, [1, 2]),
        (RecipientStatus.HELD, 60.0, 100, [1, 2, 3, 4, 5]),
        (RecipientStatus.REFUSED, 50.0, 100, []),
        (RecipientStatus.REFUSED, 51.0, 100, [4]),
    ],
)
def test_mail_older_than_a_time_is_found(
    tables: Tables, status: RecipientStatus, before: float, limit: int, numbers: list[int]
) -> None:
    assert mail_reading.expired(tables.connection, 1, status, before, limit) == numbers


def test_since_when_a_status_is_there(tables: Tables) -> None:
    connection = tables.connection
    assert mail_reading.waiting_since(connection, 1, RecipientStatus.HELD) == 1.0
    assert mail_reading.waiting_since(connection, 1, RecipientStatus.REFUSED) == 50.0
    assert mail_reading.waiting_since(connection, 9, RecipientStatus.HELD) is None
    assert mail_reading.waiting_since(connection, 9, RecipientStatus.REFUSED) is None


def test_uncertain_mail_is_counted_by_domain(tables: Tables) -> None:
    [record] = tables.ledger.drains.records.values()
    tables.change(mail_changes.settle, record.drain, [uncertain(1, ANNA), uncertain(2, ANNA, BERT)])
    assert mail_reading.set_apart(tables.connection) == {1: (2, 0, 1, 0)}


@pytest.mark.parametrize(
    ("wanted", "is_limited"),
    [
        (QueueFilter(sender="nobody@*"), True),
        (QueueFilter(sender="nobody@*", domain_ids=(1,)), True),
        (QueueFilter(message_id="<1@example.org>"), True),
        (QueueFilter(recipient="nobody@*"), True),
        (QueueFilter(recipient="nobody@*", domain_ids=(1, 2)), True),
        (QueueFilter(recipient="nobody@*", domain_ids=(1,)), False),
        (QueueFilter(recipient="nobody@*", numbers=(1, 2)), False),
        (QueueFilter(), False),
    ],
)
def test_a_search_over_much_mail_has_a_limit_of_time(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, wanted: QueueFilter, is_limited: bool
) -> None:
    monkeypatch.setattr(engine, "SEARCH_SECONDS", 0.0)
    monkeypatch.setattr(engine, "_STEPS_BETWEEN_LOOKS", 1)
    with pytest.raises(SearchTooLong) if is_limited else nullcontext():
        mail_reading.queue(tables.connection, wanted)
