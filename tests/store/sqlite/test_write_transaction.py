"""One transaction of the writer: its statements, and when the figures are written."""

from typing import Any

import pytest

from restante.store.sqlite import mail_changes, mail_queries
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.stored_form.rows import message_row
from tests.contract.making import NOTED, message
from tests.store.sqlite.tables import Tables


@pytest.fixture
def tables() -> Tables:
    """One domain, numbered 1."""
    tables = Tables()
    tables.host()
    return tables


def statements(tables: Tables, transaction: WriteTransaction) -> list[str]:
    """Commit, and return the first word of each statement that it takes, without triggers."""
    seen: list[str] = []

    def note(event: dict[str, Any]) -> None:
        if not event["trigger"]:
            seen.append(event["sql"].split()[0])

    tables.connection.trace_v2(1, note)  # SQLITE_TRACE_STMT
    transaction.commit()
    tables.connection.trace_v2(0, None)
    return seen


def held(tables: Tables, *numbers: int) -> WriteTransaction:
    """A transaction that holds these messages and is not committed."""
    transaction = WriteTransaction(tables.connection, tables.ledger, tables.ballast)
    new = [message(number, 1) for number in numbers]
    mail_changes.hold(transaction, new, [message_row(one) for one in new])
    return transaction


def test_new_mail_alone_is_one_statement_and_leaves_the_figures_behind(tables: Tables) -> None:
    assert statements(tables, held(tables, 1, 2, 3)) == ["INSERT"]
    assert tables.ledger.is_behind
    tables.check_figures()


def test_new_mail_beside_another_change_is_one_transaction(tables: Tables) -> None:
    transaction = held(tables, 1, 2)
    mail_changes.delete(transaction, [], NOTED)
    assert statements(tables, transaction) == ["INSERT", "INSERT", "COMMIT"]
    assert not tables.ledger.is_behind
    tables.check_figures()


@pytest.mark.parametrize("count", [mail_queries.MOST_ROWS, mail_queries.MOST_ROWS + 1, 200])
def test_more_mail_than_a_statement_takes_is_still_one_transaction(
    tables: Tables, count: int
) -> None:
    seen = statements(tables, held(tables, *range(1, count + 1)))
    assert (seen.count("BEGIN"), seen.count("COMMIT")) == (
        (0, 0) if count == mail_queries.MOST_ROWS else (1, 1)
    )
    assert tables.rows("SELECT count(*) FROM message") == [(count,)]
    tables.check_figures()


def test_figures_left_behind_are_written_by_the_next_other_change(tables: Tables) -> None:
    held(tables, 1).commit()
    assert tables.rows("SELECT messages FROM usage WHERE messages") == []
    tables.change(mail_changes.delete, [9], NOTED)
    assert tables.rows("SELECT messages FROM usage") == [(1,)]
    assert not tables.ledger.is_behind


def test_a_transaction_without_a_change_writes_nothing(tables: Tables) -> None:
    empty = WriteTransaction(tables.connection, tables.ledger, tables.ballast)
    tables.ledger.balance()
    assert statements(tables, empty) == []
