"""The plans of the queries of the hot path and of listings: their index, and no large sort.

The plans are those of an empty database without statistics, like the store's: nothing analyzes it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import apsw
import pytest

from restante.store.sqlite import (
    drain_queries,
    engine,
    ledger_queries,
    listing_queries,
    mail_queries,
    migrations,
    notice_queries,
    record_queries,
    report_queries,
)
from tests.store.sqlite.tables import plan

BY_NUMBERS = [
    "SEARCH message USING INTEGER PRIMARY KEY (rowid=?)",
    "LIST SUBQUERY",
    "SCAN json_each VIRTUAL TABLE",
]
NEWEST_MAIL = [
    "SEARCH message USING INTEGER PRIMARY KEY (rowid>?)",
    "SCALAR SUBQUERY",
    "SEARCH counter USING PRIMARY KEY (name=?)",
    "SCALAR SUBQUERY",
    "SEARCH usage",  # to its end: one row for each domain
]
REPLIES_OF_ONE = "SEARCH last_reply USING PRIMARY KEY (domain_id=? AND number=?)"
FILTER: Mapping[str, Any] = {
    "first": 1,
    "last": 9,
    "reverse_path": None,
    "received_before": None,
    "received_since": None,
    "sender": None,
    "message_id": None,
    "recipient": None,
    "larger_than": None,
    "client": None,
    "parked": None,
    "status": None,
    "limit": 10,
}


@pytest.fixture(scope="module")
def connection() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    migrations.migrate(connection)
    engine.add_functions(connection)
    yield connection
    connection.close()


def test_a_drains_window_walks_its_index_and_sorts_nothing(connection: apsw.Connection) -> None:
    steps = plan(connection, mail_queries.HELD_MESSAGES, (1, 0, 3))
    searches = [step for step in steps if step.startswith("SEARCH")]
    assert searches == [
        "SEARCH message USING INDEX message_held (domain_id=? AND number>?)",
        "SEARCH message USING INDEX message_suspect (domain_id=? AND number>?)",
        "SEARCH message USING INDEX message_deferred (domain_id=? AND number>?)",
    ]
    assert not [step for step in steps if "B-TREE" in step or step.startswith("SCAN message")]


def test_mail_that_is_due_is_walked_to_oldest_first_and_nothing_sorted(
    connection: apsw.Connection,
) -> None:
    assert plan(connection, mail_queries.HELD_SINCE, (1, 0)) == [
        "SEARCH message USING INDEX message_held (domain_id=? AND number>?)",
        "CORRELATED SCALAR SUBQUERY",
        "SEARCH last_reply USING PRIMARY KEY (domain_id=? AND number=?)",
    ]
    for query, bindings in (
        (mail_queries.REFUSED_BEFORE, (1, 0, 1.0, 10)),
        (mail_queries.FIRST_REFUSED, (1,)),
    ):
        [step] = plan(connection, query, bindings)
        assert step.startswith("SEARCH last_reply USING")
        assert "last_reply_refused (domain_id=?" in step


def test_whole_messages_are_found_by_number_and_their_replies_by_key(
    connection: apsw.Connection,
) -> None:
    steps = plan(connection, mail_queries.WHOLE_MESSAGES, {"numbers": "[1]", "domain_id": 1})
    assert steps == [
        "USE TEMP B-TREE FOR group_concat(ORDER BY)",  # of one window
        *BY_NUMBERS,
        "CORRELATED SCALAR SUBQUERY",
        REPLIES_OF_ONE,
    ]


def test_messages_are_removed_by_number(connection: apsw.Connection) -> None:
    assert plan(connection, mail_queries.REMOVE_MESSAGES, ("[1]",)) == BY_NUMBERS


def test_usages_are_written_without_looking_anything_up(connection: apsw.Connection) -> None:
    assert plan(connection, ledger_queries.KEEP_USAGES, ("[]",)) == ["SCAN json_each VIRTUAL TABLE"]


HELD_AGAIN = {"numbers": "[1]", "parked": None, "at": 1.0}


@pytest.mark.parametrize("count", [1, mail_queries.MOST_ROWS])
def test_messages_are_inserted_without_looking_anything_up(
    connection: apsw.Connection, count: int
) -> None:
    query = mail_queries.hold_messages(count)
    steps = plan(connection, query, (None,) * query.count("?"))
    assert steps == ([] if count == 1 else [f"SCAN {count}-ROW VALUES CLAUSE"])


@pytest.mark.parametrize(
    ("query", "bindings"),
    [
        (mail_queries.DOOMED_MESSAGES, ("[1]",)),
        (mail_queries.REMOVE_REPLIES, ("[1]",)),
        (mail_queries.STANDING, (1, 1)),
        (mail_queries.ANY_REFUSED, (1, 1)),
        (mail_queries.KEEP_HELD_PATHS, ("", 1)),
        (mail_queries.FORGET_REPLY, (1, 1, "")),
        (mail_queries.REFUSED_MESSAGES, HELD_AGAIN),
        (mail_queries.HOLD_AGAIN, HELD_AGAIN),
        (mail_queries.REFUSED_NO_MORE, HELD_AGAIN),
        (mail_queries.STANDINGS, {"numbers": "[1]", "domain_id": 1, "before": 1.0}),
        (mail_queries.WAIT_NO_MORE, ("[1]",)),
        (mail_queries.FORGET_DEFERRALS, (1, "[1]")),
        (mail_queries.DUE_REFUSALS, {"numbers": "[1]", "domain_id": 1, "before": 1.0}),
        (mail_queries.FORGET_REFUSALS, {"numbers": "[1]", "domain_id": 1, "before": 1.0}),
        (mail_queries.LEFT_WITH_NOBODY, {"numbers": "[1]", "domain_id": 1}),
        (mail_queries.ONE_MESSAGE, (1,)),
        (mail_queries.REFUSED_PATHS, (1, 1)),
        (report_queries.DELAY_IS_TOLD, (1,)),
    ],
)
def test_single_messages_are_found_by_their_keys(
    connection: apsw.Connection, query: str, bindings: Any
) -> None:
    tables = [
        step
        for step in plan(connection, query, bindings)
        if " message" in step or " last_reply" in step
    ]
    assert tables
    assert all(step.startswith("SEARCH") and "PRIMARY KEY" in step for step in tables)


@pytest.mark.parametrize(
    ("query", "more", "first"),
    [
        (
            listing_queries.LIST_ALL,
            {},
            "SEARCH message USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
        (listing_queries.LIST_NUMBERS, {"numbers": "[1]", "domain_ids": None}, BY_NUMBERS[0]),
        (
            listing_queries.LIST_HELD,
            {"domain_id": 1},
            "SEARCH message USING INDEX message_held (domain_id=? AND number>? AND number<?)",
        ),
        (
            listing_queries.LIST_REFUSED,
            {"domain_id": 1},
            "SEARCH parked USING INDEX last_reply_refused (domain_id=? AND number>? AND number<?)",
        ),
        (
            listing_queries.LIST_ALL_REFUSED,
            {},
            "SEARCH parked USING INDEX last_reply_refused_numbers (<expr>>? AND <expr><?)",
        ),
    ],
)
def test_listings_walk_an_index_in_order_and_stop_at_their_limit(
    connection: apsw.Connection, query: str, more: Mapping[str, Any], first: str
) -> None:
    steps = plan(connection, query, {**FILTER, **more})
    assert steps[0] == first
    assert "USE TEMP B-TREE FOR ORDER BY" not in steps
    assert "USE TEMP B-TREE FOR GROUP BY" not in steps


def test_a_message_id_is_sought_in_the_table_of_these_only(connection: apsw.Connection) -> None:
    """Mail that was held before there was one is walked; usually there is none."""
    steps = plan(connection, listing_queries.LIST_SOUGHT, {**FILTER, "domain_ids": None})
    assert steps[0] == BY_NUMBERS[0]
    assert "SCAN message_key" in steps
    assert "SEARCH message USING INTEGER PRIMARY KEY (rowid<?)" in steps


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (listing_queries.LIST_HELD_OF_DOMAINS, "message USING INDEX message_held"),
        (listing_queries.LIST_REFUSED_OF_DOMAINS, "parked USING INDEX last_reply_refused"),
    ],
    ids=["held", "refused"],
)
def test_mail_of_several_domains_is_found_by_a_seek_for_each(
    connection: apsw.Connection, query: str, index: str
) -> None:
    steps = plan(connection, query, {**FILTER, "domain_ids": "[1, 2]"})
    assert steps[:4] == [
        "SEARCH message USING INTEGER PRIMARY KEY (rowid=?)",
        "LIST SUBQUERY",
        "SCAN one VIRTUAL TABLE",
        f"SEARCH {index} (domain_id=? AND number>? AND number<?)",
    ]


def test_uncertain_and_damaged_mail_is_counted_without_a_look_at_any_other(
    connection: apsw.Connection,
) -> None:
    steps = plan(connection, mail_queries.COUNT_SET_APART, ())
    assert "SCAN last_reply USING COVERING INDEX last_reply_set_apart" in steps
    assert "SEARCH message USING INTEGER PRIMARY KEY (rowid=?)" in steps


def test_the_figures_of_a_page_are_looked_up_for_its_domains_alone(
    connection: apsw.Connection,
) -> None:
    ids = ("[1, 2]",)
    assert "SEARCH last_reply USING COVERING INDEX last_reply_set_apart (domain_id=?)" in plan(
        connection, mail_queries.COUNT_SET_APART_OF, ids
    )
    assert set(plan(connection, mail_queries.OLDEST_MESSAGES_OF, ids)) == {
        "SCAN json_each VIRTUAL TABLE",
        "CORRELATED SCALAR SUBQUERY",
        "SEARCH message USING INDEX message_held (domain_id=?)",
        "SEARCH message USING INTEGER PRIMARY KEY (rowid=?)",
    }
    assert plan(connection, drain_queries.PAST_DRAINS_OF, ids) == [
        "SEARCH past_drain USING INTEGER PRIMARY KEY (rowid=?)",
        "LIST SUBQUERY",
        "SCAN json_each VIRTUAL TABLE",
    ]


def test_the_oldest_held_messages_are_first_entries_of_an_index(
    connection: apsw.Connection,
) -> None:
    assert set(plan(connection, mail_queries.OLDEST_MESSAGES, ())) == {
        "CO-ROUTINE usage",
        "MERGE (UNION)",
        "LEFT",
        "SCAN usage",
        "RIGHT",
        *NEWEST_MAIL,
        "USE TEMP B-TREE FOR ORDER BY",  # of the domains of the newest mail
        "CORRELATED SCALAR SUBQUERY",
        "SEARCH message USING INDEX message_held (domain_id=?)",
        "SEARCH message USING INTEGER PRIMARY KEY (rowid=?)",
    }


def test_a_start_counts_the_newest_mail_only(connection: apsw.Connection) -> None:
    assert plan(connection, ledger_queries.UNCOUNTED, ()) == [
        *NEWEST_MAIL,
        "USE TEMP B-TREE FOR GROUP BY",
    ]


def test_the_sweep_reads_an_index_only(connection: apsw.Connection) -> None:
    assert plan(connection, mail_queries.FILES, ()) == [
        "SEARCH message USING COVERING INDEX message_file (file>?)"
    ]


def test_due_reports_come_in_the_order_of_their_index(connection: apsw.Connection) -> None:
    steps = plan(connection, report_queries.DUE_REPORTS, (1.0, "failed", 9))
    assert steps[0] == "SEARCH report USING INDEX report_due (next_attempt_at<?)"
    assert not any("SCAN" in step or "TEMP B-TREE" in step for step in steps)
    steps = plan(connection, report_queries.DUE_REPORTS_IN_TURN, (1.0, "failed", 9))
    assert "SEARCH report USING INDEX report_due (next_attempt_at<?)" in steps
    assert plan(connection, report_queries.REPORT, (1,)) == [
        "SEARCH report USING INTEGER PRIMARY KEY (rowid=?)"
    ]
    assert plan(connection, report_queries.NEXT_REPORT_AT, ()) == [
        "SEARCH report USING COVERING INDEX report_due"
    ]


def test_reports_of_success_are_read_from_their_index_alone(connection: apsw.Connection) -> None:
    assert plan(connection, report_queries.SUCCESS_REPORTS, ()) == [
        "SCAN report USING COVERING INDEX report_success",
        "SEARCH domain USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
    ]


@pytest.mark.parametrize(
    ("query", "table"),
    [(report_queries.REPORT_BACKLOG, "report"), (notice_queries.NOTICE_BACKLOG, "notice")],
)
def test_how_much_waits_to_be_sent_is_kept_and_never_counted(
    connection: apsw.Connection, query: str, table: str
) -> None:
    steps = plan(connection, query, ())
    assert steps[0] == "SEARCH counter USING PRIMARY KEY (name=?)"
    assert [step for step in steps if table in step] == [
        f"SEARCH {table} USING INTEGER PRIMARY KEY (rowid=?)",
        f"SEARCH {table}",  # the first entry
    ]


def test_the_next_channel_is_found_by_one_seek_for_each_channel(
    connection: apsw.Connection,
) -> None:
    assert plan(connection, notice_queries.FIRST_NOTICES, (10,)) == [
        "SEARCH notice USING INTEGER PRIMARY KEY (rowid=?)",
        "LIST SUBQUERY",
        "SCAN channel USING COVERING INDEX sqlite_autoindex_channel_",
        "CORRELATED SCALAR SUBQUERY",
        "SEARCH notice USING COVERING INDEX notice_channel (channel_id=?)",
        "USE TEMP B-TREE FOR ORDER BY",  # of the first of each channel
    ]
    steps = plan(connection, notice_queries.REMOVE_OLDEST_NOTICES, {"channel": 1, "limit": 10})
    assert steps == [
        "SEARCH notice USING COVERING INDEX notice_channel (channel_id=? AND number<?)",
        "SCALAR SUBQUERY",
        "SEARCH notice USING COVERING INDEX notice_channel (channel_id=?)",
    ]


def test_recipients_come_in_the_order_of_their_key_from_where_one_left_off(
    connection: apsw.Connection,
) -> None:
    assert plan(connection, record_queries.RECIPIENTS, (1, "list", "anna", 10)) == [
        "SEARCH recipient USING PRIMARY KEY (domain_id=? AND (source,name)>(?,?))"
    ]


def test_late_mail_is_found_without_a_look_at_any_other(connection: apsw.Connection) -> None:
    assert plan(connection, report_queries.LATE_MESSAGES, (1.0,)) == [
        "SEARCH message USING INDEX message_delay (received_at<?)"
    ]


def test_reports_are_listed_by_number_and_nothing_is_sorted(connection: apsw.Connection) -> None:
    bindings = {"after": 0, "domain_ids": None, "pattern": None, "numbers": None, "limit": 10}
    steps = plan(connection, report_queries.LIST_REPORTS, bindings)
    assert steps[0] == "SEARCH report USING INTEGER PRIMARY KEY (rowid>?)"
    assert not any("TEMP B-TREE" in step for step in steps)
    assert plan(connection, report_queries.SEALED_REPORTS, (0, 10)) == [steps[0]]
