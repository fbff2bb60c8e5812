"""Damage to the database is noticed before mail is acknowledged or sent because of it."""

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from restante.store.sqlite import SqliteStore, open_sqlite, start_check
from restante.store.sqlite.engine import PAGE_SIZE
from restante.store.store_errors import StoreDamaged, StoreError
from tests.contract.making import ANNA, all_held, deferred, hold, hosted, message, opened
from tests.store.damage_report import DamageReport
from tests.store.watched_disk import WatchedDisk, failed_read

NOISE = random.Random(0).randbytes(PAGE_SIZE)
DATABASE = "restante.db"


def content(number: int) -> bytes:
    """Of some messages several pages, of most a part of one."""
    return b"Subject: %d\r\n\r\n" % number + b"%d" % number * (30_000 if number % 40 == 0 else 100)


@pytest.fixture
def filled(runner: asyncio.Runner, directory: Path) -> Path:
    """A closed store with mail and replies in it."""

    async def fill() -> None:
        store = await open_sqlite(directory)
        domain_id = await hosted(store)
        await store.reception.hold(
            [message(number, domain_id, head=content(number)) for number in range(1, 121)]
        )
        drain = await opened(store, domain_id, 0.0, 60.0)
        await store.handover.settle(drain, [deferred(number) for number in range(1, 60)])
        await store.handover.close_drain(drain)
        await store.close()

    runner.run(fill())
    return directory


def overwrite(directory: Path, page: int, octets: bytes) -> None:
    with (directory / DATABASE).open("r+b") as file:
        file.seek(page * PAGE_SIZE)
        file.write(octets)


def pages(directory: Path) -> range:
    return range((directory / DATABASE).stat().st_size // PAGE_SIZE)


async def outcome(directory: Path) -> str:
    """Use a store like a server. Return "refused", "stopped", or the state of its 120 messages."""
    damage = DamageReport()
    try:
        store = await open_sqlite(directory, on_damage=damage)
    except StoreDamaged as error:
        return (
            "refused"
            if "restante store salvage DIR" in str(error)
            else f"refused without a remedy: {error}"
        )
    try:
        [domain] = (await store.records.directory()).domains.values()
        held = await all_held(store, domain.id)
    except StoreError:
        assert store.upkeep.failure
        return "stopped"
    finally:
        await store.close()
    assert all(one.head == content(one.number) for one in held)
    return (
        "whole"
        if len(held) == 120
        else f"{len(set(damage.numbers))} set apart of {120 - len(held)}"
    )


@pytest.mark.parametrize(
    "octets", [NOISE, bytes(PAGE_SIZE), b"\xff" * PAGE_SIZE], ids=["noise", "zeros", "ones"]
)
async def test_whichever_page_is_damaged_no_mail_is_missing_in_silence(
    filled: Path, octets: bytes
) -> None:
    """A damaged page of content marks its message refused; a page of the tree is another matter."""
    sound, seen = (filled / DATABASE).read_bytes(), set()
    for page in pages(filled):
        overwrite(filled, page, octets)
        ended = await outcome(filled)
        assert ended in ("refused", "whole") or ended == "1 set apart of 1", f"page {page}: {ended}"
        seen.add(ended)
        (filled / DATABASE).write_bytes(sound)
    assert "refused" in seen


@pytest.mark.parametrize("cut", [1, PAGE_SIZE // 2, PAGE_SIZE, 5 * PAGE_SIZE], ids=str)
async def test_a_database_that_lost_its_end_is_refused(filled: Path, cut: int) -> None:
    whole = (filled / DATABASE).read_bytes()
    (filled / DATABASE).write_bytes(whole[:-cut])
    first = await outcome(filled)
    assert first == "refused" or (first == "stopped" and await outcome(filled) == "refused")


@pytest.mark.parametrize("octets", [16, 100, PAGE_SIZE])
async def test_a_database_without_its_header_is_refused(filled: Path, octets: int) -> None:
    overwrite(filled, 0, bytes(octets))
    assert await outcome(filled) == "refused"


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_database_that_is_gone_or_empty_is_refused_though_no_content_file_is_there(
    filled: Path, *, is_there: bool
) -> None:
    """Opened, it would be a store without mail, and nobody would know that there had been any."""
    (filled / DATABASE).unlink()
    if is_there:
        (filled / DATABASE).touch()
    assert await outcome(filled) == "refused"


def lose_index_entries(directory: Path) -> None:
    """Take some entries out of the index that releases walk, and leave the rows."""
    connection = apsw.Connection(str(directory / DATABASE))
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
    connection.pragma("writable_schema", 1)
    original = "held_paths <> ''"
    for where in (f"{original} AND number <> 7", original):
        connection.execute(
            "UPDATE sqlite_schema"
            " SET sql = 'CREATE INDEX message_held ON message (domain_id, number) WHERE ' || ? "
            "WHERE name = 'message_held'",
            (where,),
        )
        connection.close()
        connection = apsw.Connection(str(directory / DATABASE))
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
        if where != original:
            connection.execute("REINDEX message_held")
        connection.pragma("writable_schema", 1)
    connection.close()


async def test_an_index_that_lacks_an_entry_is_refused(filled: Path) -> None:
    """Otherwise the message would never be handed over, and nobody would miss it."""
    lose_index_entries(filled)
    assert await outcome(filled) == "refused"


async def test_a_record_that_cannot_be_read_is_refused(filled: Path) -> None:
    connection = apsw.Connection(str(filled / DATABASE))
    connection.execute("UPDATE domain SET destination = '{'")
    connection.close()
    assert await outcome(filled) == "refused"


async def test_a_text_that_is_none_is_refused(filled: Path) -> None:
    connection = apsw.Connection(str(filled / DATABASE))
    connection.execute("UPDATE account SET note = CAST(x'ff' AS TEXT)")
    connection.close()
    assert await outcome(filled) == "refused"


# --- while it is open


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time for the proof: as in a store that is too large for it."""
    in_time = start_check.findings

    def late(connection: apsw.Connection, table: str = "") -> Iterator[str]:
        if table:
            raise apsw.InterruptError
        return in_time(connection)

    monkeypatch.setattr(start_check, "findings", late)


@pytest.mark.usefixtures("hasty")
async def test_the_first_reader_that_meets_damage_ends_the_store(
    filled: Path,
) -> None:
    """And the next start looks at everything, finds it, and does not begin."""
    ended = {}
    sound = (filled / DATABASE).read_bytes()
    for page in pages(filled):
        overwrite(filled, page, NOISE)
        ended[page] = await outcome(filled)
        if ended[page] == "stopped":
            assert (filled / "damaged").exists()
            assert await outcome(filled) == "refused"
        (filled / DATABASE).write_bytes(sound)
        (filled / "damaged").unlink(missing_ok=True)
    assert {"stopped", "refused", "whole"} >= {
        end for end in ended.values() if "set apart" not in end
    }
    assert "stopped" in ended.values()


async def test_a_store_whose_database_was_put_right_opens_and_forgets(filled: Path) -> None:
    (filled / "damaged").write_text("reading: database disk image is malformed\n")
    assert await outcome(filled) == "whole"
    assert not (filled / "damaged").exists()


Call = Callable[[SqliteStore, int], object]


@pytest.mark.parametrize(
    "error", [apsw.CorruptError("malformed"), apsw.NotADBError("no"), failed_read()], ids=repr
)
async def test_after_a_failed_read_on_any_connection_nothing_is_acknowledged(
    store: SqliteStore, disk: WatchedDisk, directory: Path, error: Exception
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    for kind in ("db", "wal"):
        disk.fails_to("read", kind, error)
    with pytest.raises(StoreError):
        await all_held(store, domain_id)
    disk.is_sound()
    assert "reopened" in store.upkeep.failure
    for call in (
        hold(store, domain_id, 2),
        all_held(store, domain_id),
        store.records.directory(),
        store.handover.close_drain,
    ):
        with pytest.raises(StoreError, match="reopened"):
            await (call(await opened(store, domain_id, 0.0, 1.0)) if callable(call) else call)
    assert (directory / "damaged").exists()


async def test_a_backup_that_meets_damage_ends_the_store_too(
    store: SqliteStore, disk: WatchedDisk, tmp_path: Path
) -> None:
    await hosted(store)
    for kind in ("db", "wal"):
        disk.fails_to("read", kind, apsw.CorruptError("malformed"))
    with pytest.raises(StoreError):
        await store.upkeep.backup(tmp_path / "copy")
    disk.is_sound()
    assert store.upkeep.failure


async def test_a_question_that_is_wrong_ends_nothing(store: SqliteStore) -> None:
    """A busy or broken question is no damage."""
    with pytest.raises(StoreError):
        await store.core.read(
            lambda connection: connection.execute("SELECT * FROM nothing").fetchall()
        )
    assert not store.upkeep.failure
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    assert [one.envelope.forward_paths for one in await all_held(store, domain_id)] == [(ANNA,)]
