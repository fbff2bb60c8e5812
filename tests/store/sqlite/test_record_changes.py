"""Changes of drains, records and the trail, each as one transaction."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from restante.queue.drain_word import DrainEnd
from restante.store.handover_store import JoinedDrain, PastDrain
from restante.store.sqlite import mail_changes, record_changes
from restante.store.sqlite.ledger import Ledger
from restante.store.store_errors import Conflict, LeaseLost
from restante.tenancy.recipients import Recipient, RecipientSource
from tests.contract.making import ANNA, NOTED, account, delivered, domain, login
from tests.store.sqlite.tables import Tables

PAST = PastDrain(1.5, 2.5, "operator", DrainEnd.GIVEN_UP, "why", 3, 4, 5, "421 bye")


@pytest.fixture
def tables() -> Tables:
    """One account with one domain, numbered 1."""
    tables = Tables()
    tables.host()
    return tables


def changes(tables: Tables) -> tuple[int, int]:
    """The change number, and how many entries the trail has."""
    [(number,)] = tables.rows("SELECT value FROM counter WHERE name = 'change-number'")
    return number, len(tables.rows("SELECT 1 FROM audit"))


def as_read_again(tables: Tables) -> object:
    """The drains that a start would find."""
    return Ledger.read(tables.connection).drains.records


# --- drains


def test_a_drain_is_kept_with_all_that_was_asked_of_it(tables: Tables) -> None:
    drain = tables.drain(1)
    joined = tables.change(record_changes.open_drain, 1, 5.0, 90.0)
    assert joined == JoinedDrain(replace(drain, deadline=90.0), 1)
    assert tables.change(record_changes.ask_stop, 1, "no more")
    assert tables.ledger.balance().drains == tables.ledger.drains.records  # told to the event loop
    assert as_read_again(tables) == tables.ledger.drains.records
    taken = tables.change(record_changes.take_over, drain)
    assert taken.number == drain.number + 1
    assert tables.change(record_changes.take_over, drain) is None
    assert as_read_again(tables) == tables.ledger.drains.records
    tables.change(record_changes.close_drain, taken, PAST)
    assert as_read_again(tables) == {}
    assert tables.drain(1).number > taken.number


def test_a_domain_that_is_gone_has_no_drain_and_none_is_stopped(tables: Tables) -> None:
    with pytest.raises(Conflict):
        tables.change(record_changes.open_drain, 9, 0.0, 60.0)
    assert not tables.change(record_changes.ask_stop, 1, "there is none")


@pytest.mark.parametrize(("left_behind", "is_over"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_drain_finishes_if_no_more_is_held_than_it_leaves(
    tables: Tables, left_behind: int, is_over: bool
) -> None:
    tables.hold(1, 1)
    tables.hold(2, 1)
    drain = tables.drain(1)
    assert tables.change(record_changes.finish_drain, drain, left_behind, PAST) is is_over
    assert tables.rows("SELECT count(*) FROM past_drain") == [(int(is_over),)]


def test_a_drain_that_was_taken_over_neither_finishes_nor_closes(tables: Tables) -> None:
    drain = tables.drain(1)
    tables.change(record_changes.take_over, drain)
    with pytest.raises(LeaseLost):
        tables.change(record_changes.finish_drain, drain, 0, PAST)
    tables.change(record_changes.close_drain, drain, PAST)
    assert len(tables.ledger.drains.records) == 1
    assert tables.rows("SELECT 1 FROM past_drain") == []


# --- records

REFUSED: dict[str, Callable[[Tables], Any]] = {
    "an account with a domain is removed": lambda tables: tables.change(
        record_changes.delete_account, "alpha", NOTED
    ),
    "a login of no account": lambda tables: tables.change(
        record_changes.put_login, login(of="gone"), NOTED
    ),
    "a domain of no account": lambda tables: tables.change(
        record_changes.put_domain, domain("new.example", of="gone"), NOTED
    ),
    "a domain that is there": lambda tables: tables.change(
        record_changes.put_domain, domain(), NOTED
    ),
    "a domain under another id": lambda tables: tables.change(
        record_changes.put_domain, replace(domain(), id=2), NOTED
    ),
    "a domain under another name": lambda tables: tables.change(
        record_changes.put_domain, replace(domain("other.example"), id=1), NOTED
    ),
    "a mark of no domain": lambda tables: tables.change(record_changes.keep_mark, 9, "kind", 1.0),
    "a fact about no domain": lambda tables: tables.change(record_changes.learn, 9, []),
    "a list of no domain": lambda tables: tables.change(
        record_changes.change_list, domain_id=9, added=["a"], dropped=[], audit=NOTED
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_conflict_is_refused_and_changes_nothing(tables: Tables, what: str) -> None:
    before = changes(tables), tables.rows("SELECT * FROM domain")
    with pytest.raises(Conflict):
        REFUSED[what](tables)
    assert (changes(tables), tables.rows("SELECT * FROM domain")) == before


def test_a_user_name_is_one_accounts(tables: Tables) -> None:
    tables.change(record_changes.put_account, account("beta"), NOTED)
    tables.change(record_changes.put_login, login(), NOTED)
    tables.change(record_changes.put_login, replace(login(), password_hash="new"), NOTED)
    with pytest.raises(Conflict, match="taken"):
        tables.change(record_changes.put_login, login(of="beta"), NOTED)
    assert tables.rows("SELECT account, password_hash FROM login") == [("alpha", "new")]


def test_removing_a_missing_record_leaves_no_entry(tables: Tables) -> None:
    before = changes(tables)
    tables.change(record_changes.delete_account, "gone", NOTED)
    tables.change(record_changes.delete_login, "gone", NOTED)
    tables.change(record_changes.delete_domain, 9, NOTED)
    assert changes(tables) == before


def test_a_domain_takes_all_that_is_its_own_along(tables: Tables) -> None:
    tables.hold(7, 1)
    drain = tables.drain(1)
    tables.change(record_changes.keep_mark, 1, "kind", 1.0)
    tables.change(
        record_changes.learn,
        1,
        [Recipient("anna", RecipientSource.CALL, is_there=True, at=1.0)],
    )
    with pytest.raises(Conflict, match="holds mail"):
        tables.change(record_changes.delete_domain, 1, NOTED)
    tables.change(mail_changes.settle, drain, [delivered(7, ANNA)])
    tables.change(record_changes.close_drain, drain, PAST)
    tables.drain(1)
    tables.change(record_changes.delete_domain, 1, NOTED)
    for table in ("domain", "usage", "drain", "past_drain", "mark", "recipient"):
        assert tables.rows(f"SELECT 1 FROM {table}") == [], table
    assert not tables.ledger.hosts(1)
    assert Ledger.read(tables.connection).last_number == 7
    tables.check_figures()


def test_a_mark_is_replaced_and_forgotten(tables: Tables) -> None:
    for value in (1.0, 2.0):
        tables.change(record_changes.keep_mark, 1, "kind", value)
    assert tables.rows("SELECT value FROM mark") == [(2.0,)]
    tables.change(record_changes.keep_mark, 1, "kind", None)
    assert tables.rows("SELECT value FROM mark") == []


def test_a_list_of_many_names_is_changed_as_a_whole(tables: Tables) -> None:
    names = [f"user{number}" for number in range(2_500)]
    before = changes(tables)
    tables.change(record_changes.change_list, domain_id=1, added=names, dropped=[], audit=NOTED)
    tables.change(
        record_changes.change_list, domain_id=1, added=["new"], dropped=names[1:], audit=NOTED
    )
    assert tables.rows("SELECT name FROM recipient ORDER BY name") == [("new",), ("user0",)]
    assert changes(tables) == (before[0] + 2, before[1] + 2)
