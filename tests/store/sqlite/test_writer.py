"""Group commit: requests that wait for one sync form the next group. Counted, not timed."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from restante.mail.message import NewMessage
from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.store.sqlite import SqliteStore, history_queries, writer
from restante.store.sqlite.files_in_use import FilesInUse
from restante.store.sqlite.mail_queries import MOST_ROWS
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.store_errors import Conflict, LeaseLost, StoreError
from tests.contract.making import (
    ANNA,
    BERT,
    CONTENT,
    NOTED,
    all_held,
    deferred,
    delivered,
    held_numbers,
    hold,
    hosted,
    last_number,
    message,
    opened,
    refused,
    taken_over,
)
from tests.store.watched_disk import WatchedDisk

LIMIT = 30.0  # seconds; then a test that waits without end fails


@contextmanager
def busy(store: SqliteStore) -> Iterator[None]:
    """Keep the writer busy with a change of its own, so that later requests wait together."""
    begun, go_on = threading.Event(), threading.Event()

    def dawdle(_transaction: WriteTransaction) -> None:
        begun.set()
        assert go_on.wait(LIMIT)

    store.core.writer.submit(dawdle)
    assert begun.wait(LIMIT)
    try:
        yield
    finally:
        go_on.set()


async def together(store: SqliteStore, *calls: Any) -> list[Any]:
    """Let these calls wait together, and return what each came to."""
    with busy(store):
        tasks = [asyncio.ensure_future(call) for call in calls]
        await asyncio.sleep(0)  # each has now put its change in the queue
    return await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def statements(store: SqliteStore) -> Iterator[list[str]]:
    """Watch what the writer has the engine do, by the first word."""
    seen: list[str] = []

    def note(_cursor: Any, statement: str, _bindings: Any) -> bool:
        seen.append(statement.split(maxsplit=1)[0])
        return True

    store.core.writer._connection.exec_trace = note
    yield seen
    store.core.writer._connection.exec_trace = None


async def test_one_sync_holds_all_that_waited(store: SqliteStore, disk: WatchedDisk) -> None:
    domain_id = await hosted(store)
    disk.syncs.clear()
    await together(store, *(hold(store, domain_id, number) for number in range(1, 51)))
    assert disk.syncs == ["wal"]
    assert await held_numbers(store, domain_id) == list(range(1, 51))


async def test_one_sync_serves_changes_of_every_kind(store: SqliteStore, disk: WatchedDisk) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2, 3)
    drain = await opened(store, domain_id, 0.0, 60.0)
    disk.syncs.clear()
    await together(
        store,
        store.handover.settle(drain, [delivered(1), refused(2)]),
        hold(store, domain_id, 4),
        store.queue.delete([3], NOTED),
        store.audit.record([NOTED]),
        store.handover.close_drain(drain),
    )
    assert disk.syncs == ["wal"]
    assert store.figures.usage(domain_id) == DomainUsage(2, 2 * len(CONTENT), refused=1)


async def test_messages_are_inserted_many_at_a_step(store: SqliteStore) -> None:
    """Beside a busy event loop each step costs the writer a turn at the interpreter's lock."""
    domain_id = await hosted(store)
    with statements(store) as seen:
        await hold(store, domain_id, *range(1, 51))
        await hold(store, domain_id, *range(51, 51 + MOST_ROWS + 1))
    assert seen == ["INSERT", "BEGIN", "INSERT", "INSERT", "INSERT", "COMMIT"]


async def test_delivered_messages_are_settled_many_at_a_step(store: SqliteStore) -> None:
    domain_id = await hosted(store)
    paths = [(f"{number}@alpha.example", BERT) for number in range(1, 65)]
    await store.reception.hold(
        [message(number, domain_id, *to) for number, to in enumerate(paths, start=1)]
    )
    drain = await opened(store, domain_id, 0.0, 60.0)
    outcomes = [delivered(number, *to) for number, to in enumerate(paths, start=1)]
    await hold(store, domain_id, 65)
    await store.handover.settle(drain, [delivered(65)])  # the first entry of this hour
    with statements(store) as seen:
        await store.handover.settle(drain, outcomes[::-1])
    # The account's detail, then the entries.
    history = ["SELECT", *["INSERT"] * (128 // history_queries.MOST_ROWS)]
    assert seen == ["BEGIN", "SELECT", *history, "DELETE", "INSERT", "COMMIT"]


async def test_nothing_of_a_message_outlives_it(store: SqliteStore) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(number, domain_id, ANNA, BERT) for number in range(1, 5)])
    drain = await opened(store, domain_id, 0.0, 60.0)
    await store.handover.settle(
        drain,
        [refused(1, ANNA), deferred(2, ANNA), deferred(3, ANNA, BERT), refused(4, ANNA, BERT)],
    )
    await store.handover.settle(
        drain,
        [delivered(1, BERT), delivered(2, ANNA, BERT), delivered(3, ANNA), delivered(3, BERT)],
    )
    await store.queue.delete([1, 4], NOTED)
    connection = store.core.writer._connection
    left = [
        table
        for table in ("message", "last_reply")
        if connection.execute(f"SELECT 1 FROM {table}").fetchall()
    ]
    assert left == []
    assert store.figures.usage(domain_id) == NO_USAGE


async def test_the_event_loop_is_woken_once_for_a_group(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain_id = await hosted(store)
    wakings = []

    class Loop:
        def call_soon_threadsafe(self, call: Callable[..., object], *arguments: object) -> None:
            wakings.append(call)
            loop.call_soon_threadsafe(call, *arguments)

    loop = asyncio.get_running_loop()
    with busy(store):
        tasks = [asyncio.ensure_future(hold(store, domain_id, number)) for number in range(1, 21)]
        await asyncio.sleep(0)
        monkeypatch.setattr(store.core.writer, "_loop", Loop())
    await asyncio.gather(*tasks)
    assert len(wakings) == 2  # the change that kept it busy, and all the others


async def test_a_change_that_cannot_be_made_fails_alone(store: SqliteStore) -> None:
    domain_id = await hosted(store)
    earlier = await opened(store, domain_id, 0.0, 60.0)
    await taken_over(store, earlier)
    results = await together(
        store,
        hold(store, domain_id, 1),
        opened(store, 77, 0.0, 60.0),
        store.handover.settle(earlier, [delivered(1)]),
        hold(store, domain_id, 3),
    )
    assert [type(result) for result in results] == [type(None), Conflict, LeaseLost, type(None)]
    assert await held_numbers(store, domain_id) == [1, 3]


async def test_a_change_that_is_a_mistake_fails_alone_too(store: SqliteStore) -> None:
    """A message that the database cannot accept must not cost the others of its group their 250."""
    domain_id = await hosted(store)
    senseless = message(2, domain_id, "\udcff@alpha.example")
    results = await together(
        store,
        hold(store, domain_id, 1),
        store.reception.hold([senseless]),
        hold(store, domain_id, 3),
        store.audit.record([NOTED]),
    )
    assert [type(result) for result in results] == [
        type(None),
        UnicodeEncodeError,
        type(None),
        type(None),
    ]
    assert await held_numbers(store, domain_id) == [1, 3]
    assert store.figures.usage(domain_id) == DomainUsage(2, 2 * len(CONTENT))
    assert last_number(store) == 3


@pytest.mark.parametrize("numbers", [(5, 5), (6, 5), (3,), (4,)])
async def test_numbers_must_grow(store: SqliteStore, numbers: tuple[int, ...]) -> None:
    """More than the contract asks for: mail up to the highest one is counted in the table."""
    domain_id = await hosted(store)
    await hold(store, domain_id, 4)
    with pytest.raises(Conflict):
        await hold(store, domain_id, *numbers)
    assert await held_numbers(store, domain_id) == [4]


async def test_a_number_too_big_for_the_engine_is_a_mistake(store: SqliteStore) -> None:
    domain_id = await hosted(store)
    with pytest.raises(OverflowError):
        await hold(store, domain_id, 1 << 70)
    await hold(store, domain_id, 1)
    assert last_number(store) == 1


async def test_a_change_is_made_even_if_nobody_waits_for_it_any_more(store: SqliteStore) -> None:
    domain_id = await hosted(store)
    with busy(store):
        given_up = asyncio.ensure_future(hold(store, domain_id, 1))
        await asyncio.sleep(0)
        given_up.cancel()
    await hold(store, domain_id, 2)
    assert given_up.cancelled()
    assert await held_numbers(store, domain_id) == [1, 2]


async def test_closing_finishes_what_waits(store: SqliteStore, disk: WatchedDisk) -> None:
    domain_id = await hosted(store)
    disk.syncs.clear()
    with busy(store):
        holding = [asyncio.ensure_future(hold(store, domain_id, number)) for number in range(1, 6)]
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(store.close())
        await asyncio.sleep(0)
    await asyncio.gather(closing, *holding)
    assert disk.syncs[0] == "wal"


async def test_a_closed_store_says_so(store: SqliteStore) -> None:
    domain_id = await hosted(store)
    await store.close()
    await store.close()
    for call in (
        hold(store, domain_id, 1),
        all_held(store, domain_id),
        store.records.directory(),
        store.audit.record([NOTED]),
    ):
        with pytest.raises(StoreError, match="closed"):
            await call


async def test_a_group_larger_than_a_statement_is_still_one_transaction(
    store: SqliteStore, disk: WatchedDisk
) -> None:
    domain_id = await hosted(store)
    messages: list[NewMessage] = [message(number, domain_id) for number in range(1, 201)]
    disk.syncs.clear()
    await store.reception.hold(messages)
    assert disk.syncs == ["wal"]
    assert store.figures.usage(domain_id).messages == 200


@dataclass
class Looks:
    """The threads that have looked at the files in use, with a clock that the test sets."""

    threads: list[str] = field(default_factory=list)
    now: float = 100.0

    def cut(self, _files: FilesInUse) -> str:
        self.threads.append("writer" if threading.current_thread().daemon else "loop")
        return ""

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def looks(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> Looks:
    looks = Looks()
    monkeypatch.setattr(FilesInUse, "cut", property(looks.cut))
    monkeypatch.setattr(writer, "time", looks)
    return looks


async def nothing(store: SqliteStore) -> None:
    await store.core.writer.submit(lambda _transaction: None)


async def test_mail_brings_its_look_at_the_files_and_each_group_has_one(
    store: SqliteStore, looks: Looks
) -> None:
    domain_id = await hosted(store)
    looks.threads.clear()
    await hold(store, domain_id, 1)
    assert looks.threads == ["loop"]
    await nothing(store)
    assert looks.threads == ["loop", "writer"]


async def test_an_older_look_at_the_files_is_repeated(store: SqliteStore, looks: Looks) -> None:
    with busy(store):
        store.core.writer.look()
        looks.threads.clear()
        waiting = asyncio.ensure_future(nothing(store))
        await asyncio.sleep(0)
        looks.now += 1.0
    await waiting
    assert looks.threads == ["writer"]
