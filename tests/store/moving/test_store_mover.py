"""Everything is in the other store after a move, whatever ended it in between."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import apsw
import pytest

from restante.mail.message_origin import MessageOrigin
from restante.queue.drain_word import DrainEnd
from restante.queue.history import HistoryFilter
from restante.store import choice
from restante.store.handover_store import PastDrain
from restante.store.interface import Store
from restante.store.moving.move_end import MoveStep, MoveTarget
from restante.store.moving.move_mark import MovePhase
from restante.store.moving.store_mover import new_mark, undo_move
from restante.store.postgres import postgres_move
from restante.store.queue_store import MessageBounce, QueueFilter
from restante.store.sealing.sealed_store import seal_store
from restante.store.sqlite import sqlite_move
from restante.store.store_errors import (
    MoveDiffers,
    NotEmpty,
    StoreMismatched,
    StoreUnusable,
)
from restante.tenancy.sealed_secrets import Vault
from tests.contract.making import (
    ANNA,
    BERT,
    NOTED,
    deferred,
    delivered,
    hosted,
    message,
    opened,
    refused,
    report,
    uncertain,
)
from tests.postgres_cluster import ALONE
from tests.store.moving.moves import LARGE, ROWS, ends, everything, move, without_entries


@pytest.fixture(params=["sqlite to postgresql", "postgresql to sqlite", "sqlite to sqlite"])
def way(
    request: pytest.FixtureRequest,
    runner: asyncio.Runner,
    filled: str,
    database: str,
    other: str,
) -> tuple[str, str]:
    """The URLs of a filled store and of one to come."""
    if request.param == "sqlite to postgresql":
        return filled, database
    if request.param == "postgresql to sqlite":
        runner.run(move(filled, database))
        return database, other
    return filled, other


@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each slice have a few rows."""
    monkeypatch.setattr(sqlite_move, "_MOST_ROWS", 3)
    monkeypatch.setattr(postgres_move, "_MOST_ROWS", 3)


@pytest.mark.usefixtures("few_rows")
async def test_there_and_back_everything_is_as_before(
    filled: str, database: str, other: str
) -> None:
    before = await everything(filled)
    assert {name: len(rows) for name, rows in before.items() if len(rows) < ROWS} == {"counter": 1}
    there = await move(filled, database)
    assert without_entries(await everything(database), 1) == before
    back = await move(database, other)
    assert without_entries(await everything(other), 2) == before
    assert {k: v for k, v in there.digests.items() if k != "audit"} == {
        k: v for k, v in back.digests.items() if k != "audit"
    }
    assert there.rows == {name: len(rows) for name, rows in before.items()}
    assert (await everything(filled)) == before, "the source was changed"


async def test_damaged_mail_is_as_damaged_as_before(way: tuple[str, str]) -> None:
    report = await move(*way)
    assert report.damaged == [LARGE + place * 1000 for place in (2, 6)]


async def test_no_id_is_given_out_again(filled: str, database: str, other: str) -> None:
    """Ids up to 900 were given out in the source, and most of those rows were removed."""
    await move(filled, database)
    async with ends(database, other) as (source, _):
        given = await source.last_ids()
        assert {name: given[name] for name in ("domain", "report", "erasure")} == {
            "domain": 900,
            "report": 900,
            "erasure": 900,
        }
        assert given["history"] == max(row[0] for row in (await everything(filled))["history"])
    await move(database, other)
    connection = apsw.Connection(str(Path(other.removeprefix("sqlite://")) / "restante.db"))
    sequences = {
        str(name): int(str(last))
        for name, last in connection.execute("SELECT name, seq FROM sqlite_sequence")
    }
    assert sequences.keys() >= {"domain", "channel", "report", "erasure", "scheduled_change"}
    assert min(sequences.values()) >= 900
    last_numbers = connection.execute("SELECT value FROM counter WHERE name = 'last-number'")
    assert [int(str(last)) for (last,) in last_numbers] == [given["message"]]
    connection.close()


class Died(Exception):  # noqa: N818  it is what happens to a process
    """The end of a process."""


class MortalTarget:
    """A target whose process dies after some calls."""

    def __init__(self, target: MoveTarget, calls: int) -> None:
        self._target = target
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if name in {"begin", "take", "note", "take_content", "finish", "set_mark"}:
            return self._mortal(found)
        return found

    def _mortal(self, work: Callable[..., Any]) -> Callable[..., Any]:
        async def counted(*arguments: Any) -> Any:
            answer = await work(*arguments)
            self._calls -= 1
            if self._calls < 0:
                raise Died
            return answer

        return counted


def mortal(calls: int) -> Callable[[MoveTarget], MoveTarget]:
    return lambda target: cast(MoveTarget, MortalTarget(target, calls))


@pytest.mark.usefixtures("few_rows")
async def test_a_move_that_dies_again_and_again_ends_all_the_same(way: tuple[str, str]) -> None:
    source, target = way
    before = await everything(source)
    deaths = 0
    while True:
        try:
            report = await move(source, target, mortal(6))
            break
        except Died:
            deaths += 1
            with pytest.raises(StoreMismatched, match="run `restante store move"):
                await choice.open_store(source, access=ALONE)
            if deaths % 10 == 1 and not await _is_whole(source, target):
                with pytest.raises(StoreMismatched, match="has not ended"):
                    await choice.open_store(target, access=ALONE)
    assert deaths > 20  # in every phase
    assert report.was_done or report.is_resumed
    assert without_entries(await everything(target), 1) == before
    again = await move(source, target)
    assert again.was_done


async def _is_whole(source: str, target: str) -> bool:
    async with ends(source, target) as (_, end):
        return end.is_whole


async def test_a_server_serves_what_was_moved(directory: Path, database: str, other: str) -> None:
    store = await choice.open_store(f"sqlite://{directory}")
    domain_id = await hosted(store)
    mail = [message(1000 + number, domain_id, head=b"%d\r\n" % number) for number in range(5)]
    await store.reception.hold(mail)
    usage = store.figures.usage(domain_id)
    await store.close()
    for source, target in ((f"sqlite://{directory}", database), (database, other)):
        await move(source, target)
        store = await choice.open_store(target, access=ALONE)
        assert store.figures.usage(domain_id) == usage
        held = await store.handover.held(domain_id, 0, 100, 1 << 20)
        assert [(one.number, one.head) for one in held] == [(m.number, m.head) for m in mail]
        assert (await store.audit.audit())[0].action == "store-moved"
        assert (await hosted(store, f"{'a' * len(target)}.example")) > domain_id
        await store.close()
        with pytest.raises(StoreMismatched, match="was moved to"):
            await choice.open_store(source, access=ALONE)


async def seen(store: Store, domain_id: int) -> dict[str, Any]:
    """Return what the ports of a store say about its mail."""
    return {
        "usages": dict(store.figures.usages()),
        "set apart": dict(await store.figures.set_apart()),
        "oldest": dict(await store.figures.oldest()),
        "queue": await store.queue.list_queue(QueueFilter()),
        "history": await store.history.history(HistoryFilter()),
        "reports": await store.reports.due_reports(1e12, 100, 1 << 20),
        "drains": [
            (drain.domain_id, drain.requested_at, drain.deadline)
            for drain in store.handover.open_drains()
        ],
        "past": dict(await store.handover.past_drains()),
        "held": await store.handover.held(domain_id, 0, 100, 1 << 20),
        "records": (await store.records.directory()).domains,
    }


async def test_the_ports_of_the_new_store_say_the_same(
    directory: Path, database: str, other: str
) -> None:
    store = await choice.open_store(f"sqlite://{directory}")
    domain_id = await hosted(store)
    origin = MessageOrigin("192.0.2.9", 4711, "mx.example.org", verdicts={"spf": "pass"})
    await store.reception.hold(
        [
            message(1000 + number, domain_id, ANNA, BERT)._replace(origin=origin)
            for number in range(5)
        ]
    )
    drain = await opened(store, domain_id)
    parked = [
        delivered(1000, ANNA, BERT),
        refused(1001, ANNA),
        uncertain(1002, ANNA, BERT),
        deferred(1003, BERT),
    ]
    await store.handover.settle(drain, parked, [report(1001, domain_id)], at=50.0)
    await store.handover.close_drain(
        drain, PastDrain(1.0, 2.0, "login anna", DrainEnd.FINISHED, "", 1, 1, 1, "550")
    )
    await opened(store, domain_id, 60.0, 90.0)
    before = await seen(store, domain_id)
    assert [one.origin for one in before["history"]] == [origin] * len(before["history"])
    await store.close()
    for source, target in ((f"sqlite://{directory}", database), (database, other)):
        await move(source, target)
        store = await choice.open_store(target, access=ALONE)
        assert await seen(store, domain_id) == before
        [claimed] = await store.handover.claimable_drains([])
        assert claimed.domain_id == domain_id
        await store.close()


# --- wrong cases


async def test_a_directory_that_a_server_uses_is_left_alone(directory: Path, database: str) -> None:
    store = await choice.open_store(f"sqlite://{directory}")
    with pytest.raises(StoreUnusable, match="is in use by process"):
        await move(f"sqlite://{directory}", database)
    await store.close()
    await move(f"sqlite://{directory}", database)


async def test_a_database_that_a_server_uses_is_left_alone(
    database: str, other: str, filled: str
) -> None:
    store = await choice.open_store(database, access=ALONE)
    try:
        with pytest.raises(StoreUnusable, match=r"is in use by .*:\d+; stop it"):
            await move(database, other)
        with pytest.raises(StoreUnusable, match="is in use by"):
            await move(filled, database)
    finally:
        await store.close()
    await move(filled, database)


async def test_a_target_with_anything_in_it_is_left_alone(
    filled: str, database: str, directory: Path
) -> None:
    store = await choice.open_store(database, access=ALONE)
    await hosted(store)
    await store.close()
    with pytest.raises(NotEmpty, match="is not empty: its table"):
        await move(filled, database)
    with pytest.raises(NotEmpty, match="the directory is not empty"):
        await move(filled, f"sqlite://{directory.parent}")


async def test_a_store_is_moved_to_one_other(filled: str, database: str, other: str) -> None:
    with pytest.raises(Died):
        await move(filled, database, mortal(3))
    with pytest.raises(StoreMismatched, match="is being moved to postgresql"):
        await move(filled, other)
    await move(filled, database)
    with pytest.raises(StoreMismatched, match="was moved to postgresql"):
        await move(filled, other)


async def test_one_store_is_moved_into_another_at_a_time(
    filled: str, database: str, directory: Path
) -> None:
    with pytest.raises(Died):
        await move(filled, database, mortal(3))
    second = directory.with_name("second")
    shutil.copytree(directory, second)
    (second / "move").unlink()
    with pytest.raises(NotEmpty, match="belongs to a move of sqlite"):
        await move(f"sqlite://{second}", database)


async def test_a_target_that_differs_is_found_and_not_used(way: tuple[str, str]) -> None:
    class Forgetful(MortalTarget):
        """A target that loses a bit of a row."""

        def __getattr__(self, name: str) -> Any:
            found = getattr(self._target, name)
            if name != "take":
                return found

            async def take(table: Any, rows: Any, *note: Any) -> None:
                if table.name == "quiet":
                    first = rows[0].values
                    rows = [rows[0]._replace(values=(*first[:-1], "other")), *rows[1:]]
                await found(table, rows, *note)

            return take

    source, target = way
    with pytest.raises(MoveDiffers, match="table quiet differs from its source"):
        await move(source, target, lambda end: cast(MoveTarget, Forgetful(end, 0)))
    with pytest.raises(StoreMismatched, match="has not ended"):
        await choice.open_store(target, access=ALONE)


async def test_a_move_is_given_up(way: tuple[str, str]) -> None:
    source, target = way
    before = await everything(source)
    with pytest.raises(Died):
        await move(source, target, mortal(30))
    async with ends(source, target) as (one, other):
        await undo_move(one, other)
        assert (one.mark, other.mark) == (None, None)
        with pytest.raises(StoreMismatched, match="was not moved"):
            await undo_move(one, other)
    await move(source, target)
    assert without_entries(await everything(target), 1) == before


async def test_a_move_that_ended_is_not_undone_by_emptying_the_new_store(
    way: tuple[str, str],
) -> None:
    source, target = way
    await move(source, target)
    async with ends(source, target) as (one, other):
        with pytest.raises(StoreMismatched, match="can have newer mail"):
            await undo_move(one, other)
        await undo_move(one, None)
        assert one.mark is None
        assert other.mark is not None
        assert other.mark.phase is MovePhase.ARRIVED


async def test_two_commands_that_move_into_one_database_exclude_each_other(
    filled: str, database: str
) -> None:
    async with ends(filled, database) as (source, first):
        mark = replace(new_mark("id", source.place), phase=MovePhase.ARRIVING)
        await first.begin(mark)
        second = await choice.open_move_target(database, ALONE)
        await second.begin(mark)
        with pytest.raises(Exception, match="another `restante store move` goes on"):
            await first.note("copying domain", MoveStep())
        await second.note("copying domain", MoveStep())
        await second.close()


async def test_a_sealed_report_is_moved_as_it_is(
    directory: Path, database: str, other: str
) -> None:
    async def sealed(url: str) -> Store:
        store = await choice.open_store(url, access=ALONE)
        return await seal_store(store, Vault(bytes(32)), key_file="test.key", seals=True)

    source = f"sqlite://{directory}"
    store = await sealed(source)
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id)])
    told = report(1, domain_id)
    await store.queue.bounce([MessageBounce(1, (ANNA,), told)], NOTED)
    before = await store.reports.sealed_reports(0, 10)
    await store.close()
    for target in (database, other):
        await move(source, target)
        store = await sealed(target)
        assert await store.reports.sealed_reports(0, 10) == before
        [moved] = await store.reports.due_reports(1e12, 10, 1 << 20)
        assert moved.content == told.content
        await store.close()
        source = target
