"""Changes of held mail, each as one transaction: the tables and the figures after it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    RecipientStatus,
)
from restante.store.handover_store import Drain
from restante.store.sqlite import mail_changes
from restante.store.store_errors import Conflict, LeaseLost, StoreFull
from restante.store.stored_form.rows import IS_DAMAGED, IS_REFUSED, IS_UNCERTAIN, message_row
from tests.contract.making import (
    ANNA,
    BERT,
    CARL,
    NOTED,
    content_file,
    deferred,
    delivered,
    message,
    refused,
    uncertain,
)
from tests.store.sqlite.tables import Tables


@pytest.fixture
def tables() -> Tables:
    """One domain, numbered 1."""
    tables = Tables()
    assert tables.host() == 1
    return tables


def test_mail_of_a_domain_that_is_gone_is_refused_and_the_rest_is_held(tables: Tables) -> None:
    new = [message(1, 1), message(2, 9), message(3, 1)]
    refusals = tables.change(mail_changes.hold, new, [message_row(one) for one in new])
    assert {number: type(why) for number, why in refusals.items()} == {2: Conflict}
    assert tables.rows("SELECT number FROM message") == [(1,), (3,)]
    tables.check_figures()


def test_nothing_is_held_while_the_room_of_removals_is_in_use(tables: Tables) -> None:
    class NoRoom:
        def require(self) -> None:
            raise StoreFull("the disk is full")

    tables.ballast = NoRoom()  # type: ignore[assignment]
    with pytest.raises(StoreFull):
        tables.hold(1, 1)
    assert tables.rows("SELECT number FROM message") == []


REFUSED, UNSURE = (IS_REFUSED, "550 5.1.1 no such user"), (IS_UNCERTAIN, "cannot be read: 'OK'")
LATER = (0, "450 4.2.1 try later")


@pytest.mark.parametrize(
    ("outcomes", "held", "replies"),
    [
        ([delivered(1, ANNA)], [BERT], {}),
        ([deferred(1, ANNA)], [ANNA, BERT], {ANNA: LATER}),
        ([refused(1, ANNA)], [BERT], {ANNA: REFUSED}),
        ([uncertain(1, ANNA)], [BERT], {ANNA: UNSURE}),
        ([refused(1, ANNA, BERT)], [], {ANNA: REFUSED, BERT: REFUSED}),
        ([deferred(1, ANNA), delivered(1, ANNA)], [BERT], {}),
        ([refused(1, ANNA), delivered(1, ANNA)], [BERT], {ANNA: REFUSED}),
        ([refused(1, ANNA), delivered(1, BERT)], [], {ANNA: REFUSED}),
        ([delivered(1, ANNA), delivered(1, BERT)], [], {}),
        ([delivered(1, CARL)], [ANNA, BERT], {}),
        ([delivered(9, ANNA)], [ANNA, BERT], {}),
    ],
)
def test_each_outcome_moves_its_recipient(
    tables: Tables,
    outcomes: list[MessageOutcome],
    held: list[str],
    replies: dict[str, tuple[int, str]],
) -> None:
    tables.hold(1, 1, ANNA, BERT)
    drain = tables.drain(1)
    for outcome in outcomes:
        tables.change(mail_changes.settle, drain, [outcome], at=7.0)
        tables.check_figures()
    assert tables.standing(1) == (held, replies)
    is_gone = not held and not replies
    assert tables.rows("SELECT count(*) FROM message") == [(0 if is_gone else 1,)]


@pytest.mark.parametrize("outcome", [delivered(1), refused(1), deferred(1)])
def test_a_drain_that_was_taken_over_settles_nothing(
    tables: Tables, outcome: MessageOutcome
) -> None:
    tables.hold(1, 1)
    drain = tables.drain(1)
    before = tables.standing(1)
    with pytest.raises(LeaseLost):
        tables.change(mail_changes.settle, Drain(1, drain.number + 1, 0.0, 60.0), [outcome])
    assert tables.standing(1) == before
    tables.check_figures()


def test_a_message_that_leaves_takes_its_replies_and_its_file_along(tables: Tables) -> None:
    tables.hold(1, 1, ANNA, BERT, file=content_file("0/one", b"content"))
    drain = tables.drain(1)
    tables.change(mail_changes.settle, drain, [deferred(1, ANNA), deferred(1, BERT)])
    assert tables.files_removed == []
    tables.change(mail_changes.settle, drain, [delivered(1, ANNA, BERT)])
    assert tables.files_removed == ["0/one"]
    assert tables.rows("SELECT count(*) FROM last_reply") == [(0,)]


def test_damage_marks_those_who_wait_and_is_noted_once(tables: Tables) -> None:
    tables.hold(1, 1, ANNA, BERT)
    tables.change(mail_changes.settle, tables.drain(1), [refused(1, BERT)])
    assert tables.change(mail_changes.park_damaged, 1, "its content is short", 5.0)
    assert tables.standing(1) == (
        [],
        {ANNA: (IS_DAMAGED, "damaged: its content is short"), BERT: REFUSED},
    )
    tables.check_figures()
    assert not tables.change(mail_changes.park_damaged, 1, "again", 6.0)
    assert not tables.change(mail_changes.park_damaged, 2, "is not there", 6.0)


@pytest.mark.parametrize(
    ("status", "count", "held"),
    [
        (None, 2, {1: [ANNA, BERT], 2: [ANNA]}),
        (RecipientStatus.REFUSED, 1, {1: [ANNA, BERT], 2: []}),
        (RecipientStatus.UNCERTAIN, 1, {1: [ANNA], 2: [ANNA]}),
        (RecipientStatus.DAMAGED, 0, {1: [ANNA], 2: []}),
    ],
)
def test_recipients_with_one_mark_are_held_again_and_others_stay(
    tables: Tables, status: RecipientStatus | None, count: int, held: dict[int, list[str]]
) -> None:
    tables.hold(1, 1, ANNA, BERT)
    tables.hold(2, 1, ANNA)
    tables.change(mail_changes.settle, tables.drain(1), [refused(1, BERT), uncertain(2)])
    assert tables.change(mail_changes.release_refused, [1, 2, 9], NOTED, status) == count
    assert {number: tables.standing(number)[0] for number in (1, 2)} == held
    tables.check_figures()


def expire(tables: Tables, status: RecipientStatus, before: float) -> int:
    """Expire all three messages."""
    return int(
        tables.change(
            mail_changes.expire,
            domain_id=1,
            numbers=[1, 2, 3],
            status=status,
            before=before,
            audit=NOTED,
        )
    )


@pytest.mark.parametrize(
    ("status", "before", "expired", "left"),
    [
        (RecipientStatus.HELD, 1.0, 0, [1, 2, 3]),
        (RecipientStatus.HELD, 1.5, 1, [2, 3]),
        (RecipientStatus.HELD, 50.0, 3, [2]),  # the second has a refused recipient
        (RecipientStatus.REFUSED, 20.0, 0, [1, 2, 3]),
        (RecipientStatus.REFUSED, 20.5, 1, [1, 2, 3]),
    ],
)
def test_mail_expires_after_its_time_and_the_trail_says_so_only_then(
    tables: Tables, status: RecipientStatus, before: float, expired: int, left: list[int]
) -> None:
    for number in (1, 2, 3):  # received at the second of its number
        tables.hold(number, 1, ANNA, BERT)
    tables.change(mail_changes.settle, tables.drain(1), [refused(2, BERT)], at=20.0)
    entries = len(tables.rows("SELECT 1 FROM audit"))
    assert expire(tables, status, before) == expired
    assert [number for (number,) in tables.rows("SELECT number FROM message")] == left
    assert len(tables.rows("SELECT 1 FROM audit")) == entries + bool(expired)
    tables.check_figures()


def test_deleted_are_only_those_that_are_there(tables: Tables) -> None:
    tables.hold(1, 1)
    tables.hold(2, 1, file=content_file("1/two", b"content"))
    assert tables.change(mail_changes.delete, [2, 2, 9], NOTED) == 1
    assert tables.files_removed == ["1/two"]
    assert tables.rows("SELECT number FROM message") == [(1,)]
    tables.check_figures()


PATHS = st.lists(st.sampled_from([ANNA, BERT, CARL]), min_size=1, max_size=3, unique=True)
MOVES = st.sampled_from(
    [
        RecipientMove.DELIVERED,
        RecipientMove.DEFERRED,
        RecipientMove.REFUSED,
        RecipientMove.UNCERTAIN,
    ]
)
NUMBERS = st.lists(st.integers(1, 6), max_size=4)
OUTCOMES = st.lists(
    st.builds(
        lambda number, one, move: MessageOutcome(number, (RecipientOutcome(one, move, "a reply"),)),
        st.integers(1, 6),
        st.sampled_from([ANNA, BERT, CARL]),
        MOVES,
    ),
    max_size=5,
)


def settled(tables: Tables, outcomes: list[MessageOutcome]) -> None:
    """Settle under the one drain that there is."""
    [record] = tables.ledger.drains.records.values()
    tables.change(mail_changes.settle, record.drain, outcomes, at=20.0)


STEPS: st.SearchStrategy[Callable[[Tables], Any]] = st.one_of(
    OUTCOMES.map(lambda outcomes: lambda tables: settled(tables, outcomes)),
    NUMBERS.map(lambda some: lambda tables: tables.change(mail_changes.delete, some, NOTED)),
    NUMBERS.map(
        lambda some: lambda tables: tables.change(mail_changes.release_refused, some, NOTED)
    ),
    st.integers(1, 6).map(
        lambda one: lambda tables: tables.change(mail_changes.park_damaged, one, "short", 3.0)
    ),
    st.sampled_from([RecipientStatus.HELD, RecipientStatus.REFUSED]).map(
        lambda status: lambda tables: expire(tables, status, 21.0)
    ),
)


@given(messages=st.lists(PATHS, max_size=6), steps=st.lists(STEPS, max_size=12))
def test_the_figures_are_those_of_a_recount_after_any_changes(
    messages: list[list[str]], steps: list[Callable[[Tables], Any]]
) -> None:
    tables = Tables()
    tables.host()
    for number, to in enumerate(messages, start=1):
        tables.hold(number, 1, *to)
    tables.drain(1)
    for step in steps:
        step(tables)
        tables.check_figures()
    nobody = "held_paths = '' AND number NOT IN (SELECT number FROM last_reply WHERE is_refused)"
    assert tables.rows(f"SELECT number FROM message WHERE {nobody}") == []
